"""PostgreSQL that is killed and restarted while documents are ingested."""

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event

import psycopg
import pytest
from psycopg import Connection

from bench.chaos_bucket import VersionedMemoryBucket
from bench.chaos_checks import differing_keys
from bench.chaos_embeddings import DIMENSIONS, MODEL, EmbeddingLedger
from bench.chaos_mortal import MortalDatabase, mortal_pipeline
from bench.chaos_texts import make_text
from bench.machine import QuietTelemetry
from bucketwise.deadline import Deadline
from bucketwise.settings import Settings
from ingest.protocol import Decisions
from ingest.receipts import Outcome
from local.index import create_index
from local.postgres import Postgres

WORKERS = 4
DOCUMENTS = 60
RESTARTS = 3


class Unharmed:
    """A worker's life in which nothing happens to it."""

    connection: Connection | None = None

    def reach(self, point: str, *, in_transaction: bool = False) -> None: ...


@dataclass
class Load:
    """Workers that look at keys until they are told to stop; what was put off is looked at again."""

    settings: Settings
    bucket: VersionedMemoryBucket
    ledger: EmbeddingLedger = field(default_factory=EmbeddingLedger)
    keys: "queue.Queue[str]" = field(default_factory=queue.Queue)
    ended: Event = field(default_factory=Event)
    changed: Condition = field(default_factory=Condition)
    finished: int = 0
    put_off: int = 0

    def work(self) -> None:
        life = Unharmed()
        database = MortalDatabase(life, self.settings)
        telemetry = QuietTelemetry("load")
        pipeline = mortal_pipeline(life, database, self.bucket, self.ledger, self.settings, telemetry, Decisions())
        while not self.ended.is_set():
            try:
                key = self.keys.get(timeout=0.05)
            except queue.Empty:
                continue
            receipt = pipeline.bring_up_to_date(key, deadline=Deadline.after(20))
            with self.changed:
                if receipt.outcome is Outcome.POSTPONED:
                    self.put_off += 1
                    self.keys.put(key)
                else:
                    self.finished += 1
                self.changed.notify_all()
        database.close()

    def wait_until_finished(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.finished >= count, timeout=60)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    with Postgres.start(tmp_path / "postgres", durable=False) as server:
        yield server


def test_all_documents_end_indexed_and_nothing_is_embedded_in_vain(own_postgres: Postgres) -> None:
    index = create_index(own_postgres, "killed", embedding_model=MODEL, dimensions=DIMENSIONS)
    settings = Settings.from_environment(
        {"DATABASE_URL": index.ingest, "EMBEDDING_MODEL": MODEL, "EMBEDDING_DIMENSIONS": str(DIMENSIONS)}
    )
    load = Load(settings, VersionedMemoryBucket())
    numbers = range(DOCUMENTS * RESTARTS)
    with ThreadPoolExecutor(WORKERS) as pool:
        threads = [pool.submit(load.work) for _ in range(WORKERS)]
        for restart in range(RESTARTS):
            for number in numbers[restart * DOCUMENTS : (restart + 1) * DOCUMENTS]:
                key = f"{number % (DOCUMENTS + 7)}.txt"
                load.bucket.put(key, make_text(key, number, 1 + number % 4))
                load.keys.put(key)
            load.wait_until_finished(restart * DOCUMENTS + DOCUMENTS // 3)
            own_postgres.restart()
        load.wait_until_finished(len(numbers))
        load.ended.set()
        for thread in threads:
            thread.result()
    assert load.finished == len(numbers)
    with psycopg.connect(own_postgres.dsn("postgres", "killed")) as connection:
        assert differing_keys(connection, settings.tenant, load.bucket.contents()) == set()
    assert load.ledger.wasted == 0
