"""The real pipeline on the real index, with a say at each of its calls: whether to go on, wait, or be lost."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from psycopg import Connection

from bench.chaos_bucket import BucketPort
from bench.chaos_embeddings import MODEL, EmbeddingLedger, NotedEmbedder, WatchedVectors
from bench.chaos_texts import CHUNKER
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from ingest.bucket import StoredObject
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.protocol import Decisions
from ingest.sidecar import Sidecar
from ingest.strays import Strays
from ingest.swap import Step
from ingest.tenants import Tenancy
from ingest.vectors import VectorTable

FINGERPRINT = "chaos 1"

T = TypeVar("T")


class WorkerLost(BaseException):
    """The worker's process is gone: nothing of it runs on, so nothing may catch this on the way."""


class Life(Protocol):
    """One worker's. ``connection`` is the one that it opened last."""

    connection: Connection | None

    def reach(self, point: str, *, in_transaction: bool = False) -> None:
        """Called before each call of a port, before each step of a swap (then in a transaction), and before its
        commit. Returns when the worker may go on, or raises WorkerLost, also at every later call."""


def drop(connection: Connection) -> None:
    """Ends a connection as a killed process does: the server is not told, and finds the transaction abandoned."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        connection.close()


def mortal_pipeline(
    life: Life,
    database: Database,
    bucket: BucketPort,
    ledger: EmbeddingLedger,
    settings: Settings,
    telemetry: Telemetry,
    decisions: Decisions,
) -> IngestPipeline:
    """``database`` is one worker's MortalDatabase."""
    store = WatchedVectors(VectorTable(database, settings.tenant), ledger)
    index = DocumentIndex(database, settings.tenant, FINGERPRINT, mortal(decisions, life))
    return IngestPipeline(
        bucket=MortalBucket(life, bucket),
        index=index,
        strays=Strays(index, Tenancy(settings.tenant)),
        chunker=CHUNKER,
        embedding=EmbeddingStage(
            store=store,
            embedder=MortalEmbedder(life, NotedEmbedder(store, ledger)),
            model=MODEL,
            batch_tokens=settings.embedding_batch_tokens,
            concurrency=1,
        ),
        parse=parsed_here,
        telemetry=telemetry,
        limits=Limits(settings.max_document_bytes, settings.max_document_tokens),
    )


class MortalDatabase(Database):
    def __init__(self, life: Life, settings: Settings) -> None:
        super().__init__(self._connect)
        self._life = life
        self._settings = settings

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        self._life.reach("transaction")
        return super().run(work, deadline=deadline)

    def _connect(self, deadline: Deadline) -> BoundedConnection:
        self._life.connection = connect(self._settings, deadline)
        return self._life.connection


@dataclass(frozen=True, slots=True)
class MortalBucket:
    life: Life
    bucket: BucketPort

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        self.life.reach("open")
        with self.bucket.open(key) as found:
            yield found

    def sidecar(self, key: str) -> Sidecar | None:
        self.life.reach("sidecar")
        return self.bucket.sidecar(key)


@dataclass(frozen=True, slots=True)
class MortalEmbedder:
    life: Life
    embedder: NotedEmbedder

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        self.life.reach("embed")
        return self.embedder.embed(texts, deadline=deadline, tries=tries)


def mortal(decisions: Decisions, life: Life) -> Decisions:
    """The same decisions, whose transactions say what they reach."""

    def lived(step: Step) -> Step:
        def take(connection: Connection) -> bool:
            life.reach(getattr(step, "__name__", "step"), in_transaction=True)
            return step(connection)

        return take

    def commit(_connection: Connection) -> bool:
        life.reach("commit", in_transaction=True)
        return True

    def transactions(steps: Sequence[Any]) -> list[Sequence[Any]]:
        return [[*group, commit] for group in decisions.transactions([lived(step) for step in steps])]

    return replace(decisions, transactions=transactions)
