"""``python -m bench.chaos --ops N --seed S [--bucket memory|http]``: does the index follow the bucket through anything?

Changes a versioned bucket N times while 16 workers ingest what the events tell of: events are repeated, late, out
of order and lost, workers stall and are lost at any call. Whenever all is quiet, the index is compared with the
bucket, chunk for chunk; in between, readers look for documents that are not one whole version. Prints one JSON
line, and exits with 1 if anything of what it promises never to happen did.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from time import perf_counter

import psycopg
from psycopg import Connection

from bench.chaos_bucket import ChaosBucket, HttpBucket, VersionedMemoryBucket
from bench.chaos_changes import Changes
from bench.chaos_checks import Readers, differing_keys
from bench.chaos_embeddings import DIMENSIONS, MODEL, EmbeddingLedger
from bench.chaos_queue import ChaosQueue, QueueClosed
from bench.chaos_repair import Messages, Repair
from bench.chaos_worker import Worker
from bench.machine import QuietTelemetry
from bucketwise.settings import Settings
from ingest.protocol import Decisions
from local.index import create_index
from local.postgres import Postgres
from local.storage.client import Storage

WORKERS = 16
BACKLOG = 48
"""Messages, those that are worked on included, above which the bucket is left alone for a while."""
ROUND = 100
"""Changes between two comparisons, before which the slowest workers come last."""
REPAIR = 1000
"""Changes between two reconciliations."""
NEVER = ("diverged", "mixed_reads", "wasted_embeddings", "deadlocks", "errors")
TENANT = "chaos"
SESSIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bucketwise'"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--ops", type=int, default=100_000, help="changes of the bucket")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random but the threads' pace")
    parser.add_argument("--bucket", choices=("memory", "http"), default="memory")
    options = parser.parse_args()
    measured = run(options.ops, seed=options.seed, kind=options.bucket)
    print(json.dumps(measured), flush=True)
    return 1 if any(measured[name] for name in NEVER) else 0


def run(operations: int, *, seed: int, kind: str, decisions: Decisions = Decisions()) -> dict[str, object]:  # noqa: B008
    """``decisions`` other than the product's own show what the benchmark finds."""
    began = perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="bucketwise-chaos-") as folder,
        _bucket(kind) as bucket,
        Postgres.start(Path(folder) / "postgres", durable=False) as postgres,
    ):
        index = create_index(postgres, "chaos", embedding_model=MODEL, dimensions=DIMENSIONS)
        environment = {
            "DATABASE_URL": index.ingest,
            "TENANT": TENANT,
            "EMBEDDING_MODEL": MODEL,
            "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        }
        with psycopg.connect(postgres.dsn("postgres", "chaos"), autocommit=True) as connection:
            chaos = Chaos(Settings.from_environment(environment), bucket, connection, Random(seed), decisions)
            measured = chaos.run(operations)
    return {
        "operations": operations,
        "seconds": round(perf_counter() - began, 1),
        "bucket": kind,
        "seed": seed,
        **measured,
    }


@contextmanager
def _bucket(kind: str) -> Iterator[ChaosBucket]:
    if kind == "memory":
        yield VersionedMemoryBucket()
        return
    with Storage.start(None) as storage:
        yield HttpBucket(storage)


class Chaos:
    """``connection`` is a superuser's view of the index."""

    def __init__(
        self, settings: Settings, bucket: ChaosBucket, connection: Connection, random: Random, decisions: Decisions
    ) -> None:
        self._bucket = bucket
        self._connection = connection
        self._ledger = EmbeddingLedger()
        self._queue = ChaosQueue(Random(random.random()))
        self._changes = Changes(bucket, self._queue, Random(random.random()))
        self._readers = Readers(connection.info.dsn, TENANT, self._changes.keys, Random(random.random()))
        self._repair = Repair(settings, bucket.listing(), Messages(self._queue), self._ledger)
        telemetry = QuietTelemetry("chaos")
        self._workers = [
            Worker(settings, bucket.reader(), self._queue, self._ledger, telemetry, decisions, Random(random.random()))
            for _ in range(WORKERS)
        ]
        self._diverged = 0

    def run(self, operations: int) -> dict[str, object]:
        with ThreadPoolExecutor(WORKERS + 1) as pool, self._readers, closing(self._repair):
            threads = [pool.submit(worker.work) for worker in self._workers]
            try:
                for done in range(0, operations, ROUND):
                    last = done + ROUND >= operations
                    self._round(min(ROUND, operations - done), repairer=pool if done % REPAIR == 0 else None)
                    if last or (done + ROUND) % REPAIR == 0:
                        self._reconcile()
                        print(f"\r{done + ROUND}/{operations}", end="", file=sys.stderr, flush=True)
            except QueueClosed:
                pass  # a worker failed, and says so below
            finally:
                self._queue.close()
            for thread in threads:
                thread.result()
        return self._measured()

    def _round(self, changes: int, repairer: Executor | None) -> None:
        """With a ``repairer``, a reconciliation runs in the middle of the changes."""
        repair = None
        for number in range(changes):
            if repairer is not None and number == changes // 2:
                repair = repairer.submit(self._repair.run)
            self._queue.wait_until_at_most(BACKLOG)
            self._changes.make_one()
        if repair is not None:
            repair.result()
        self._queue.wait_until_at_most(0)
        # Of these nobody was told, so that events alone need not have brought the index there.
        self._compare(excused=self._changes.untold)

    def _reconcile(self) -> None:
        self._repair.run()
        self._queue.wait_until_at_most(0)
        self._compare(excused=set())
        self._changes.untold.clear()

    def _compare(self, *, excused: set[str]) -> None:
        self._diverged += len(differing_keys(self._connection, TENANT, self._bucket.contents()) - excused)

    def _measured(self) -> dict[str, object]:
        outcomes = sum((worker.outcomes for worker in self._workers), Counter[str]())
        return {
            "workers": WORKERS,
            "keys": len(self._changes.keys),
            "events": self._queue.events,
            "duplicates": self._queue.duplicates,
            "lost_events": self._changes.lost_events,
            "crashes": sum(worker.crashes for worker in self._workers),
            "retries": sum(worker.retries for worker in self._workers),
            "outcomes": dict(sorted(outcomes.items())),
            "reconciliations": self._repair.passes,
            "reconciled": self._repair.sent,
            "vectors_collected": self._repair.collected,
            "texts_embedded": self._ledger.embedded,
            "reads": self._readers.reads,
            "diverged": self._diverged,
            "mixed_reads": self._readers.mixed,
            "wasted_embeddings": self._ledger.wasted,
            "deadlocks": self._deadlocks(),
            "errors": sum(worker.errors for worker in self._workers),
        }

    def _deadlocks(self) -> int:
        """As the server counted them: the product runs a transaction again that met one."""
        # A session reports what it counted when it ends, at the latest.
        while self._connection.execute(SESSIONS).fetchone() != (0,):
            time.sleep(0.01)
        row = self._connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    raise SystemExit(main())
