"""Fills an index that stays on disk, through ingest's own code, and beside it a plain table with the same vectors."""

import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from bench.machine import machine_on
from bench.memory_bucket import STORED_AT
from bench.search_texts import GIANT, SMALL, Document, Source, documents, read_questions, read_sources, shares
from bench.search_vectors import Clusters, Vectors, nearest
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.models import Chunk, Place, PlaceMark
from bucketwise.settings import Settings
from ingest.bucket import ObjectFacts
from ingest.fingerprint import fingerprint
from ingest.index import DocumentIndex
from ingest.language import detect
from ingest.parsing.document import ParsedDocument
from ingest.postings import Postings
from ingest.receipts import EmbeddingReceipt
from ingest.terms import Analysis, ChunkTerms
from ingest.vectors import VectorTable, text_digest
from local.postgres import Postgres

DIMENSIONS = 1536
MODELS = {
    "OPENAI_API_KEY": "none",
    "EMBEDDING_MODEL": "text-embedding-3-small",
    "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
}
INDEX, PLAIN = "search", "plain"  # databases
PASSAGES = 50  # the most that a request may ask for
WARM_UP, QUESTIONS, NEAREST = 30, 300, 10
STEP_SECONDS = 3600.0
TOKENS_OF_A_WORD = 4 / 3
# As a server is set that holds an index of this size in memory.
SERVER = {
    "shared_buffers": "2GB", "maintenance_work_mem": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """Seconds that it took, and how many of the giant tenant's chunks have each label."""

    chunks: int
    documents_s: float
    vector_index_s: float
    plain_index_s: float
    labels: dict[str, int]
    small_tenant_chunks: int

    @classmethod
    def read(cls, home: Path) -> "Prepared":
        """Raises SystemExit if nothing was prepared there."""
        try:
            return cls(**json.loads((home / "prepared.json").read_text("utf-8")))
        except FileNotFoundError:
            raise SystemExit(f"{home}: not prepared yet") from None


def prepare(home: Path, texts: Path, chunks: int, questions: int = QUESTIONS) -> Prepared:
    sources = read_sources(texts)
    with Postgres.start(home / "postgres", durable=False) as postgres:
        set_up_server(postgres)
        settings = machine_on(postgres, MODELS, name=INDEX).ingest
        owner = postgres.dsn("bucketwise_migrate", INDEX)
        _run(owner, "DROP INDEX bucketwise.embeddings_hnsw")
        documents_s = _fill_index(settings, sources, chunks)
        # The same kind of index as before, made at once: much quicker than row by row.
        vector_index_s = _run(owner, "SELECT bucketwise.make_vector_index('embeddings', %s, 'auto')", DIMENSIONS)
        _run(postgres.dsn("postgres", INDEX), "VACUUM (ANALYZE)")
        plain = postgres.create_database(PLAIN)
        # Vectors lie outside of their rows, so looking through all rows seems cheap to the planner, cheaper than HNSW.
        _run(plain, f"ALTER DATABASE {PLAIN} SET random_page_cost = 1.1")
        vectors, giant = _fill_plain(plain, documents(sources, chunks))
        plain_index_s = _run(plain, "CREATE INDEX passages_hnsw ON passages USING hnsw (embedding halfvec_cosine_ops)")
        _run(plain, "VACUUM (ANALYZE) passages")
    _write_questions(home / "questions.npz", read_questions(texts), giant, vectors, questions)
    labels = {share.label: share.chunks for share in shares(chunks) if share.tenant == GIANT}
    [small, *_] = (share.chunks for share in shares(chunks) if share.tenant == SMALL)
    prepared = Prepared(chunks, documents_s, vector_index_s, plain_index_s, labels, small)
    (home / "prepared.json").write_text(json.dumps(asdict(prepared)), "utf-8")
    return prepared


def set_up_server(postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        for name, value in SERVER.items():
            superuser.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    postgres.restart()


def _fill_index(settings: Settings, sources: list[Source], chunks: int) -> float:
    workers = os.cpu_count() or 1
    began = perf_counter()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(_fill_share, settings, sources, chunks, worker, workers) for worker in range(workers)]:
            done.result()
    for tenant in {share.tenant for share in shares(chunks)}:
        with closing(Database(lambda deadline: connect(settings, deadline))) as database:
            postings = Postings(database, tenant)
            postings.fold_sums(deadline=Deadline.after(STEP_SECONDS))
            postings.fold_all(deadline=Deadline.after(STEP_SECONDS))
    return round(perf_counter() - began, 1)


def _fill_share(settings: Settings, sources: list[Source], chunks: int, worker: int, workers: int) -> None:
    database = Database(lambda deadline: connect(settings, deadline))
    clusters = Clusters(DIMENSIONS)
    for document in documents(sources, chunks):
        if document.number % workers == worker:
            store(database, fingerprint(settings), document, clusters.of(document))


def store(database: Database, made_by: str, document: Document, vectors: Vectors) -> None:
    """As ingest does, once the document's texts are embedded."""
    deadline = Deadline.after(STEP_SECONDS)
    embeddings = {text_digest(text): vector.tolist() for text, vector in zip(document.texts, vectors, strict=True)}
    VectorTable(database, document.tenant).add_embeddings(embeddings, deadline=deadline)
    index = DocumentIndex(database, document.tenant, made_by, detect=detect)
    size = sum(map(len, document.texts))
    metadata = {"label": document.label, "group": document.group}
    index.replace(
        ObjectFacts(document.key, "1", str(document.number), size, "text/plain", STORED_AT, metadata),
        ParsedDocument(iter(()), separator=" ", title=document.title, read_as="text"),
        _Listed(document.texts),
        EmbeddingReceipt(embedded=len(vectors)),
        index.claim(deadline=deadline),
        deadline=deadline,
    )
    Postings(database, document.tenant).fold_now_and_then(deadline=deadline)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Chunks that follow each other, with about as many tokens as English words have."""

    texts: list[str]

    @property
    def count(self) -> int:
        return len(self.texts)

    @property
    def tokens(self) -> int:
        return sum(map(_tokens, self.texts))

    def __iter__(self) -> Iterator[Chunk]:
        start = 0
        for ordinal, text in enumerate(self.texts):
            end = start + len(text)
            yield Chunk(ordinal, text, _tokens(text), start, end, (PlaceMark(start, Place()),))
            start = end + 1

    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]:
        return map(analysis.of, self)


def _tokens(text: str) -> int:
    return round(len(text.split()) * TOKENS_OF_A_WORD)


def _fill_plain(url: str, corpus: Iterator[Document]) -> tuple[NDArray[np.float16], list[Document]]:
    """The giant tenant's vectors in the order of the table's ids, and its documents."""
    clusters = Clusters(DIMENSIONS)
    giant: list[Document] = []
    vectors: list[NDArray[np.float16]] = []
    _run(
        url,
        f"""CREATE TABLE passages (
            id int PRIMARY KEY, key text, ordinal int, text text, embedding halfvec({DIMENSIONS}) NOT NULL)""",
    )
    with psycopg.connect(url) as connection:
        register_vector(connection)
        number = 0
        with connection.cursor().copy("COPY passages FROM STDIN (FORMAT binary)") as rows:
            rows.set_types(["int4", "text", "int4", "text", "halfvec"])
            for document in corpus:
                if document.tenant != GIANT:
                    continue
                made = clusters.of(document)
                for ordinal, (text, vector) in enumerate(zip(document.texts, made, strict=True)):
                    rows.write_row((number, document.key, ordinal, text, HalfVector(vector)))
                    number += 1
                giant.append(document)
                vectors.append(made.astype(np.float16))
    return np.concatenate(vectors), giant


def _write_questions(
    file: Path, asked: dict[str, list[str]], giant: list[Document], vectors: NDArray[np.float16], count: int
) -> None:
    """Real questions, each with a vector beside that of a passage of the same collection, and what is nearest to it."""
    numbers = np.random.default_rng(5)
    groups = np.array([document.group for document in giant for _ in document.texts])
    texts: list[str] = []
    passages: list[int] = []
    members = {group: np.flatnonzero(groups == group) for group in asked}
    known = [group for group, rows in members.items() if len(rows)]
    place = 0
    while len(texts) < WARM_UP + count:
        group = known[place % len(known)]
        texts.append(asked[group][(place // len(known)) % len(asked[group])])
        passages.append(int(numbers.choice(members[group])))
        place += 1
    made = Clusters(DIMENSIONS).beside(vectors[passages].astype(np.float32), seed=0)
    np.savez(file, texts=np.array(texts), vectors=made, nearest=nearest(vectors, made, NEAREST))


def _run(url: str, statement: str, *parameters: object) -> float:
    """The seconds that it took."""
    with psycopg.connect(url, autocommit=True) as connection:
        began = perf_counter()
        connection.execute(statement.encode(), parameters)
        return round(perf_counter() - began, 1)
