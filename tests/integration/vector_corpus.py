"""Thousands of vectors in clusters, in an index whose kind of vector index was chosen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.types.json import Jsonb

from bucketwise.migrations import migrate
from local.postgres import Postgres
from tests.integration.index_database import MODEL, IndexDatabase, connected, empty_database

CHUNKS_OF_A_DOCUMENT = 50
Vectors = NDArray[np.float32]
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class VectorCorpus:
    """Passage number n is chunk n % 50 of document number n // 50. ``vectors`` have length 1."""

    database: IndexDatabase
    vectors: Vectors

    def place(self, number: int) -> Place:
        document, ordinal = divmod(number, CHUNKS_OF_A_DOCUMENT)
        return f"{document % 10}/{document:03}.txt", ordinal

    def nearest(self, question: Vectors, *, most: int, prefix: str = "") -> list[Place]:
        """Compared one by one."""
        order = np.argsort(-(self.vectors @ question), kind="stable")
        places = (self.place(int(number)) for number in order)
        return [place for place in places if place[0].startswith(prefix)][:most]

    def questions(self, count: int) -> Iterator[Vectors]:
        """Each a little beside one of the vectors."""
        numbers = np.random.default_rng(7)
        for row in numbers.choice(len(self.vectors), count, replace=False):
            beside = numbers.normal(size=(self.vectors.shape[1],))
            yield unit(self.vectors[row] + 0.5 * unit(beside))


def unit(vector: NDArray[Any]) -> Vectors:
    scaled: Vectors = (vector / np.linalg.norm(vector, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def clustered(count: int, dimensions: int) -> Vectors:
    """In clusters of about 50; a vector's cosine with the centre of its own is about 0.7."""
    numbers = np.random.default_rng(3)
    centres = numbers.normal(size=(max(1, count // 50), dimensions))
    return unit(centres[numbers.integers(0, len(centres), count)] + numbers.normal(size=(count, dimensions)))


@contextmanager
def vector_corpus(postgres: Postgres, vector_index: str, vectors: Vectors) -> Iterator[VectorCorpus]:
    with empty_database(postgres) as database:
        with connected(database.owner) as owner:
            migrate(owner, embedding_model=MODEL, dimensions=vectors.shape[1], vector_index=vector_index)
        corpus = VectorCorpus(database, vectors)
        places = {corpus.place(number): vector for number, vector in enumerate(vectors)}
        with connected(database.ingest) as connection:
            store(connection, "t", places)
        yield corpus


def store(
    connection: Connection, tenant: str, places: dict[Place, Vectors], *, context: LiteralString = "context"
) -> None:
    """One chunk of a text of its own for each place, as ingest would leave it; ``context`` is a column's name."""
    register_vector(connection)
    keys = sorted({key for key, _ in places})
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY bucketwise.embeddings (tenant, text_sha256, embedding) FROM STDIN (FORMAT binary)"
        ) as rows:
            rows.set_types(["text", "bytea", "halfvec"])
            for place, vector in places.items():
                rows.write_row((tenant, digest(place), HalfVector(vector)))
        cursor.executemany(
            "INSERT INTO bucketwise.documents (tenant, key, claim, state, chunks) VALUES (%s, %s, 1, 'indexed', %s)",
            [(tenant, key, sum(other == key for other, _ in places)) for key in keys],
        )
        with cursor.copy(
            """COPY bucketwise.chunks (tenant, key, ordinal, text_sha256, text, tokens, start_offset, end_offset,
                                       marks, """
            + context
            + ") FROM STDIN"
        ) as rows:
            for key, ordinal in places:
                text = f"{key} {ordinal}"
                rows.write_row((tenant, key, ordinal, digest((key, ordinal)), text, 3, 0, len(text), Jsonb([]), ""))


def digest(place: Place) -> bytes:
    return sha256(repr(place).encode()).digest()


@dataclass(frozen=True, slots=True)
class Found:
    places: list[Place]
    cosines: list[float]
    index_scans: int
    """How often the vector index was asked."""


def ask(
    corpus: VectorCorpus, question: Vectors, *, depth: int, exact_below: int = 0, tenant: str = "t", prefix: str = ""
) -> Found:
    """What a search without words finds."""
    filters = {"prefix": prefix} if prefix else {}
    with connected(corpus.database.owner) as owner, owner.transaction():
        register_vector(owner)
        rows = owner.execute(
            """SELECT key, ordinal, cosine FROM bucketwise.hybrid_search(
                   %s, '{}', '{}', '{}', %s, %s, %s, %s, 0, %s, 0, 0.9, 0.4) ORDER BY vector_rank""",
            (tenant, HalfVector(question), Jsonb(filters), depth, depth, exact_below),
        ).fetchall()
        [scans] = owner.execute(
            """SELECT sum(pg_stat_get_xact_numscans(indexrelid))::int FROM pg_index
               WHERE indrelid = 'bucketwise.embeddings'::regclass
                 AND pg_get_indexdef(indexrelid) LIKE '%USING hnsw%'"""
        ).fetchone() or [0]
    return Found([(key, ordinal) for key, ordinal, _ in rows], [cosine for *_, cosine in rows], scans)
