"""Answers that were given before, and vectors of questions that were embedded before: one tenant's.

An answer is found only while the tenant's corpus version is the one that it was found in, which is read in the same
statement. A change of a document deletes the answers that hold words of it in the change's own transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import psycopg
from pgvector import HalfVector
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Json

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError
from bucketwise.index_kind import IndexKind
from bucketwise.search import HeldVersion
from bucketwise.telemetry import Metric, Telemetry

KEEP_SECONDS = 2.5
"""For no longer than this does a reply wait for what it says to be kept. A connection that was lost needs two."""

LOOK_UP = """
    SELECT found.*, held.*
    FROM bucketwise.cached(
        %(tenant)s, %(fingerprint)s, %(seconds)s, %(question)s, %(model)s, %(dimensions)s) AS found
    LEFT JOIN LATERAL bucketwise.held_version(%(tenant)s, %(held_key)s) AS held ON true"""

ANSWER = sql.SQL("""bucketwise.keep_answer(
    %(tenant)s, %(fingerprint)s, %(version)s, %(answer)s, %(keys)s::text[], %(versions)s::text[])""")

QUESTION = sql.SQL("""bucketwise.keep_question(
    %(tenant)s, %(question)s, %(model)s, %(dimensions)s, %(vector)s::halfvec, %(tokens)s)""")


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What was found, all of it in one snapshot; the fields of what was not are None.

    ``corpus_version`` is None if nothing was looked up. ``vector`` is the question's, and told only without an answer;
    ``tokens`` is what it cost once. ``held`` is as in SearchResult.
    """

    corpus_version: int | None = None
    answer: dict[str, Any] | None = None
    vector: list[float] | None = None
    tokens: int = 0
    held: HeldVersion | None = None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was found in ``corpus_version``: JSON, which comes back as it is.

    ``sources`` are key and version of each document that it may hold words of: of all passages that the model was
    shown, or that are told with it.
    """

    fingerprint: bytes
    corpus_version: int
    answer: dict[str, Any]
    sources: Sequence[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class KeptVector:
    """Of a text. It is rounded as the index's own are, which a search does anyway."""

    question: str
    kind: IndexKind
    vector: Sequence[float]
    tokens: int


class Cache(Protocol):
    def look_up(
        self, fingerprint: bytes, question: str, kind: IndexKind, *, held_key: str | None = None, deadline: Deadline
    ) -> CacheEntry: ...

    def keep(self, answer: KeptAnswer | None, vector: KeptVector | None, *, deadline: Deadline) -> None: ...


@dataclass(frozen=True, slots=True)
class AnswerCache:
    """``seconds`` is how old an answer may be; with 0 nothing is looked up and nothing kept.

    What cannot be kept costs the cache and not the answer: it is logged, and no error comes out.
    """

    database: Database
    tenant: str
    seconds: int
    telemetry: Telemetry

    def look_up(
        self, fingerprint: bytes, question: str, kind: IndexKind, *, held_key: str | None = None, deadline: Deadline
    ) -> CacheEntry:
        """In one round trip. ``question`` is the text that is embedded, ``held_key`` as in SearchQuery.

        Raises what Database.run raises: the search after it would too.
        """
        if not self.seconds:
            return CacheEntry()
        names = {
            "tenant": self.tenant,
            "fingerprint": fingerprint,
            "seconds": self.seconds,
            "question": _digest(question),
            "model": kind.embedding_model,
            "dimensions": kind.dimensions,
            "held_key": held_key,
        }

        def read(connection: Connection) -> CacheEntry:
            with connection.cursor(row_factory=dict_row, binary=True) as cursor:
                [row] = cursor.execute(LOOK_UP, names).fetchall()
            return _entry(row)

        entry = self.database.run(read, deadline=deadline)
        self.telemetry.count(Metric.CACHE_MISS if entry.answer is None else Metric.CACHE_HIT, 1)
        return entry

    def keep(self, answer: KeptAnswer | None, vector: KeptVector | None, *, deadline: Deadline) -> None:
        """In one round trip. An answer is not kept if a document has changed since, or is changing now."""
        if not self.seconds or not (answer or vector):
            return
        calls = sql.SQL(", ").join([QUESTION] * bool(vector) + [ANSWER] * bool(answer))
        columns = self._columns_of_vector(vector) if vector else {}
        columns |= self._columns_of_answer(answer) if answer else {}

        def write(connection: Connection) -> None:
            connection.execute(sql.SQL("SELECT {}").format(calls), columns)

        try:
            self.database.run(write, deadline=Deadline.after(deadline.allow(KEEP_SECONDS)))
        except (BucketwiseError, psycopg.Error) as error:  # such as that of a database that has become a reader
            self.telemetry.log_failure(error)

    def _columns_of_answer(self, kept: KeptAnswer) -> dict[str, Any]:
        distinct = sorted(set(kept.sources), key=repr)
        return {
            "tenant": self.tenant,
            "fingerprint": kept.fingerprint,
            "version": kept.corpus_version,
            "answer": Json(kept.answer),
            "keys": [key for key, _ in distinct],
            "versions": [version for _, version in distinct],
        }

    def _columns_of_vector(self, kept: KeptVector) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "question": _digest(kept.question),
            "model": kept.kind.embedding_model,
            "dimensions": kept.kind.dimensions,
            "vector": HalfVector(list(kept.vector)),
            "tokens": kept.tokens,
        }


def _digest(question: str) -> bytes:
    # A rewritten question may hold what a model wrote: halves of surrogate pairs too.
    return sha256(question.encode(errors="surrogatepass")).digest()


def _entry(row: dict[str, Any]) -> CacheEntry:
    vector = row["question_vector"]
    return CacheEntry(
        corpus_version=row["current_version"],
        answer=row["answer"],
        vector=vector.to_list() if vector is not None else None,
        tokens=row["question_tokens"] or 0,
        held=HeldVersion(row["held_version"], row["held_reason"], row["held_hint"]) if row["held_version"] else None,
    )
