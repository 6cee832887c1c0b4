"""Rates of the ingest pipeline and of PostgreSQL's own COPY, over the same documents in turn."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import LiteralString

import psycopg
from psycopg import Connection

from bench.ingest_texts import texts
from bench.machine import Machine, machine_on
from bench.memory_bucket import MemoryBucket
from bucketwise.deadline import Deadline
from ingest.pipeline import IngestPipeline
from ingest.receipts import Outcome
from local.postgres import Postgres

DOCUMENT_SECONDS = 600.0
WARM_UP_CHARACTERS = 100_000

# What a document consists of, parents first: table, and the rows of one key.
PARTS: dict[LiteralString, LiteralString] = {
    "bucketwise.embeddings": """
        SELECT e.* FROM bucketwise.embeddings e WHERE text_sha256 IN (
            SELECT text_sha256 FROM bucketwise.chunks WHERE key = %s)""",
    "bucketwise.documents": "SELECT * FROM bucketwise.documents WHERE key = %s",
    "bucketwise.chunks": "SELECT * FROM bucketwise.chunks WHERE key = %s ORDER BY ordinal",
    "bucketwise.postings": """
        SELECT p.* FROM bucketwise.postings p
        WHERE p.entries[1] >> 21 IN (SELECT number FROM bucketwise.chunks WHERE key = %s)""",
}
VECTORS: LiteralString = """
    SELECT e.embedding FROM bucketwise.embeddings e WHERE text_sha256 IN (
        SELECT text_sha256 FROM bucketwise.chunks WHERE key = %s)"""


@dataclass(slots=True)
class Series:
    """Chunks that went in, and the seconds that it took."""

    chunks: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.chunks / self.seconds

    def add(self, chunks: int, seconds: float) -> None:
        self.chunks += chunks
        self.seconds += seconds

    @contextmanager
    def timed(self, chunks: int) -> Iterator[None]:
        began = perf_counter()
        yield
        self.add(chunks, perf_counter() - began)


@dataclass(slots=True)
class Rates:
    """``slow`` is the pipeline with a model that takes its time; ``halfvec`` is COPY of the vectors alone, into a
    table that has nothing but an HNSW index of the kind "halfvec"."""

    pipeline: Series = field(default_factory=Series)
    slow: Series = field(default_factory=Series)
    copy: Series = field(default_factory=Series)
    halfvec: Series = field(default_factory=Series)


def measure_rates(
    postgres: Postgres, quick: dict[str, str], slow: dict[str, str], documents: Sequence[str], dimensions: int
) -> Rates:
    """``quick`` and ``slow``: the functions' environment variables with either model's server.

    Each document goes all four ways before the next one does, as a machine's speed drifts.
    """
    objects = {f"{number}.txt": text for number, text in enumerate(documents)}
    bucket = MemoryBucket({**objects, "warm-up.txt": warm_up_text()})
    rates = Rates()
    with ExitStack() as stack:
        machines = [machine_on(postgres, models, name=name) for name, models in (("quick", quick), ("slow", slow))]
        pipelines = [machine.ingest_pipeline(bucket) for machine in machines]
        for pipeline in pipelines:
            ingest(pipeline, "warm-up.txt")
        source = stack.enter_context(psycopg.connect(postgres.dsn("postgres", "quick"), autocommit=True))
        target = stack.enter_context(_connected(machine_on(postgres, quick, name="copied")))
        plain = stack.enter_context(psycopg.connect(_plain_table(postgres, dimensions), autocommit=True))
        for key in objects:
            _one_document(key, pipelines, source, target, plain, rates)
    return rates


def _one_document(
    key: str,
    pipelines: Sequence[IngestPipeline],
    source: Connection,
    target: Connection,
    plain: Connection,
    rates: Rates,
) -> None:
    quick, slow = pipelines
    began = perf_counter()
    chunks = ingest(quick, key)
    rates.pipeline.add(chunks, perf_counter() - began)
    parts = {table: _copied_out(source, query, key) for table, query in PARTS.items()}
    with rates.copy.timed(chunks), target.transaction():
        for table, rows in parts.items():
            _copy_in(target, table, rows)
    with rates.slow.timed(chunks):
        ingest(slow, key)
    vectors = _copied_out(source, VECTORS, key)
    with rates.halfvec.timed(chunks):
        _copy_in(plain, "vectors", vectors)


def warm_up_text() -> str:
    """To be ingested before the clock runs: a process counts the tokens of a new word once."""
    return next(texts(count=1, characters=WARM_UP_CHARACTERS, seed=99))


def ingest(pipeline: IngestPipeline, key: str) -> int:
    """The number of chunks. Raises what it was put off for."""
    receipt = pipeline.bring_up_to_date(key, deadline=Deadline.after(DOCUMENT_SECONDS))
    if receipt.error is not None:
        raise receipt.error
    if receipt.outcome is not Outcome.INDEXED:
        raise SystemExit(f"{key}: {receipt.outcome} {receipt.reason or ''}")
    return receipt.chunks


def _connected(machine: Machine) -> Connection:
    return psycopg.connect(machine.ingest.database_url.get_secret_value(), autocommit=True)


def _plain_table(postgres: Postgres, dimensions: int) -> str:
    url = postgres.create_database("plain")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE vectors (embedding halfvec({dimensions}))".encode())
        connection.execute("CREATE INDEX ON vectors USING hnsw (embedding halfvec_cosine_ops)")
    return url


def _copied_out(connection: Connection, query: LiteralString, key: str) -> bytes:
    with connection.cursor() as cursor:
        statement: LiteralString = f"COPY ({query}) TO STDOUT (FORMAT binary)"
        with cursor.copy(statement, (key,)) as rows:
            return b"".join(bytes(block) for block in rows)


def _copy_in(connection: Connection, table: LiteralString, rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
        copy.write(rows)
