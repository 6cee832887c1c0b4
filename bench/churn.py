"""``python -m bench.churn --texts DIR [--chunks N] [--rounds N] [--autovacuum]``: does mass replacement spoil search?

Fills an index with chunks of real texts and clustered vectors, then replaces every document with other texts, round
by round, as ingest and reconcile do. Without ``--autovacuum`` nothing is vacuumed before the end, the worst case; with
it, the server does so by itself as it is set, looking for work every 5 s. Prints one JSON line for each stage.

recall@10              of the vector leg, against all vectors that are there, compared one by one
rows                   the least share of the rows asked for that a hybrid search brought
hybrid_p95_ms          and slower: times the first stage's p50, of p50
dead                   the share of a table's rows that were deleted and not yet vacuumed
vacuums                how many tables the server has vacuumed by itself so far
index_mb, tables_mb    of the HNSW index, and of everything
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

import numpy as np
import psycopg

from bench.machine import Machine, machine_on
from bench.ranking import percentile
from bench.search_filling import DIMENSIONS, INDEX, MODELS, NEAREST, PASSAGES, STEP_SECONDS, set_up_server, store
from bench.search_texts import GIANT, SMALL_TENANT_SHARE, SMALL_TENANTS, Document, documents, read_sources
from bench.search_vectors import Clusters, Vectors, nearest
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.search import Passage, SearchQuery, search
from ingest.collection import Collection
from ingest.fingerprint import fingerprint
from ingest.postings import Postings
from local.postgres import Postgres

QUESTIONS, WARM_UP = 200, 20
WORKERS = 2
DEAD = """
    SELECT relname, round(n_dead_tup::numeric / greatest(n_dead_tup + n_live_tup, 1), 2)::float
    FROM pg_stat_user_tables WHERE schemaname = 'bucketwise' AND relname IN ('embeddings', 'chunks', 'postings')"""
VACUUMS = "SELECT sum(autovacuum_count)::int FROM pg_stat_user_tables WHERE schemaname = 'bucketwise'"
SIZES = """
    SELECT pg_relation_size('bucketwise.embeddings_hnsw') / 1e6,
        sum(pg_total_relation_size(c.oid)) / 1e6
    FROM pg_class c WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind = 'r'"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.churn", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, required=True, help="the folder with beir/ and cuad/")
    parser.add_argument("--chunks", type=int, default=20_000, help="that the index holds at any time")
    parser.add_argument("--rounds", type=int, default=3, help="how often each of them is replaced")
    parser.add_argument("--autovacuum", action="store_true", help="leave it on, as it is in a stack")
    options = parser.parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    editions = read_editions(options.texts, options.chunks, options.rounds + 1)
    with (
        tempfile.TemporaryDirectory(prefix="bucketwise-churn-") as folder,
        Postgres.start(Path(folder) / "postgres", durable=False) as postgres,
    ):
        for stage in run(postgres, editions, autovacuum=options.autovacuum):
            print(json.dumps(stage), flush=True)
    return 0


def read_editions(texts: Path, chunks: int, count: int) -> list[list[Document]]:
    """The same number of documents each time, of other texts: the first ``chunks`` chunks or a few more."""
    share = 1 - SMALL_TENANTS / SMALL_TENANT_SHARE
    enough = round((count + 1) * chunks / share)
    found = (document for document in documents(read_sources(texts), enough) if document.tenant == GIANT)
    first: list[Document] = []
    while chunk_count(first) < chunks:
        first.append(next(found))
    return [first, *(list(islice(found, len(first))) for _ in range(count - 1))]


def chunk_count(edition: Sequence[Document]) -> int:
    return sum(len(document.texts) for document in edition)


def run(postgres: Postgres, editions: list[list[Document]], *, autovacuum: bool) -> Iterator[dict[str, object]]:
    """What was measured at each stage."""
    set_up_server(postgres)
    system = machine_on(postgres, MODELS, name=INDEX)
    with psycopg.connect(postgres.dsn("postgres", INDEX), autocommit=True) as superuser:
        superuser.execute("ALTER SYSTEM SET autovacuum_naptime = '5s'")
        superuser.execute(f"ALTER SYSTEM SET autovacuum = {'on' if autovacuum else 'off'}".encode())
        superuser.execute("SELECT pg_reload_conf()")
        with closing(Database(lambda deadline: connect(system.ask, deadline))) as asked:
            churn = Churn(system, asked, superuser)
            churn.fill(editions[0])
            superuser.execute("VACUUM (ANALYZE)")
            yield churn.measured("filled", editions[0])
            for number, edition in enumerate(editions[1:], start=1):
                churn.fill(edition)
                yield churn.measured(f"replaced {number}", edition)
                churn.collect()
                yield churn.measured(f"collected {number}", edition)
            superuser.execute("VACUUM (ANALYZE)")
            yield churn.measured("vacuumed", editions[-1])


@dataclass(slots=True)
class Churn:
    """One tenant's index, and a superuser's view of it."""

    system: Machine
    asked: Database
    superuser: psycopg.Connection
    first_p50: float | None = None

    def fill(self, edition: Sequence[Document]) -> None:
        """Puts each of its documents in the place of the one before it."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for done in [pool.submit(self._fill_share, edition, worker) for worker in range(WORKERS)]:
                done.result()

    def collect(self) -> None:
        """What reconcile does after it has compared."""
        deadline = Deadline.after(STEP_SECONDS)
        with closing(Database(lambda deadline: connect(self.system.ingest, deadline))) as database:
            Collection(database, GIANT).collect_released(deadline=deadline)
            postings = Postings(database, GIANT)
            postings.fold_sums(deadline=deadline)
            postings.fold_all(deadline=deadline)

    def measured(self, stage: str, edition: Sequence[Document]) -> dict[str, object]:
        print(stage, file=sys.stderr)
        vectors, places, texts = _contents(edition)
        numbers = np.random.default_rng(6)
        asked = numbers.choice(len(vectors), size=WARM_UP + QUESTIONS)
        questions = Clusters(DIMENSIONS).beside(vectors[asked], seed=1)
        wanted = [{places[row] for row in rows} for rows in nearest(vectors.astype(np.float16), questions, NEAREST)]
        shared, milliseconds, rows = [], [], []
        for number, question in enumerate(questions):
            text = " ".join(texts[asked[number]].split()[:8])
            found, _ = self._search(text, question, keyword_weight=0.0)
            shared.append(len(wanted[number] & {(one.key, one.ordinal) for one in found[:NEAREST]}) / NEAREST)
            found, took = self._search(text, question, keyword_weight=self.system.ask.keyword_weight)
            milliseconds.append(took)
            rows.append(len(found))
        median = percentile(milliseconds[WARM_UP:], 0.5)
        self.first_p50 = self.first_p50 or median
        index, tables = self.superuser.execute(SIZES).fetchone() or (0.0, 0.0)
        return {
            "stage": stage,
            "chunks": len(vectors),
            f"recall@{NEAREST}": round(fmean(shared[WARM_UP:]), 4),
            "rows": min(rows) / PASSAGES,
            "hybrid_p50_ms": round(median, 1),
            "hybrid_p95_ms": round(percentile(milliseconds[WARM_UP:], 0.95), 1),
            "slower": round(median / self.first_p50, 2),
            "dead": dict(self.superuser.execute(DEAD).fetchall()),
            "vacuums": self.superuser.execute(VACUUMS).fetchall()[0][0],
            "index_mb": round(index),
            "tables_mb": round(tables),
        }

    def _fill_share(self, edition: Sequence[Document], worker: int) -> None:
        clusters = Clusters(DIMENSIONS)
        made_by = fingerprint(self.system.ingest)
        with closing(Database(lambda deadline: connect(self.system.ingest, deadline))) as database:
            for place in range(worker, len(edition), WORKERS):
                store(database, made_by, _placed(edition[place], place), clusters.of(edition[place]))

    def _search(self, text: str, vector: Vectors, *, keyword_weight: float) -> tuple[list[Passage], float]:
        query = SearchQuery(GIANT, text, vector.tolist(), {}, PASSAGES, self.system.ask.search_depth, keyword_weight)
        began = perf_counter()
        found = self.asked.run(lambda connection: search(connection, query), deadline=Deadline.after(STEP_SECONDS))
        return found.passages, (perf_counter() - began) * 1000


def _placed(document: Document, place: int) -> Document:
    """Under a key that depends on nothing but ``place``."""
    return replace(document, number=place, label="rest", group="any")


def _contents(edition: Sequence[Document]) -> tuple[Vectors, list[tuple[str, int]], list[str]]:
    """Vectors, keys with ordinals, and texts, in one order."""
    clusters = Clusters(DIMENSIONS)
    vectors = np.concatenate([clusters.of(document) for document in edition])
    places = [
        (_placed(document, place).key, ordinal)
        for place, document in enumerate(edition)
        for ordinal in range(len(document.texts))
    ]
    return vectors, places, [text for document in edition for text in document.texts]


if __name__ == "__main__":
    raise SystemExit(main())
