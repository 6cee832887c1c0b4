"""The one transaction in which a document changes: all of its chunks, or none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from bucketwise.analysis import analyse
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.keyword_terms import packed
from bucketwise.models import Chunk, DocumentState
from bucketwise.search import marks_to_json
from ingest.context import context_of
from ingest.protocol import Decisions, Held
from ingest.vectors import text_digest

# Makes the row if there is none, and locks it: whoever comes second for a new key waits here for the first.
LOCK = """
    INSERT INTO bucketwise.documents (tenant, key, claim, state) VALUES (%(tenant)s, %(key)s, 0, 'deleted')
    ON CONFLICT (tenant, key) DO UPDATE SET claim = documents.claim
    RETURNING claim, state, version, etag, fingerprint, sidecar, seconds_to_searchable"""

UPDATE = """
    UPDATE bucketwise.documents SET
        seconds_to_searchable = CASE
            WHEN %(state)s <> 'indexed' THEN NULL
            WHEN state = 'indexed' AND version IS NOT DISTINCT FROM %(version)s AND etag = %(etag)s
                AND last_modified = %(last_modified)s THEN seconds_to_searchable
            ELSE greatest(0, extract(epoch FROM clock_timestamp() - %(last_modified)s::timestamptz)) END,
        claim = %(claim)s, state = %(state)s, version = %(version)s, etag = %(etag)s, size = %(size)s,
        content_type = %(content_type)s, last_modified = %(last_modified)s, metadata = %(metadata)s,
        sidecar = %(sidecar)s,
        title = %(title)s, pages = %(pages)s, author = %(author)s, created = %(created)s, modified = %(modified)s,
        read_as = %(read_as)s, skipped = %(skipped)s,
        language = %(language)s, fingerprint = %(fingerprint)s, reason = %(reason)s, hint = %(hint)s,
        chunks = %(chunks)s, tokens = %(tokens)s, embedded = %(embedded)s, reused = %(reused)s,
        embedding_tokens = %(embedding_tokens)s, cost_usd = %(cost_usd)s, updated_at = clock_timestamp()
    WHERE tenant = %(tenant)s AND key = %(key)s
    RETURNING seconds_to_searchable"""

# DO UPDATE, so that it waits for a collection that is about to take the text off the list.
RELEASE = """
    WITH gone AS (
        DELETE FROM bucketwise.chunks WHERE tenant = %(tenant)s AND key = %(key)s RETURNING text_sha256, length, terms),
    terms AS (
        INSERT INTO bucketwise.postings (tenant, term, level, chunks, entries)
        SELECT %(tenant)s, held >> 8, 0, -count(*), '{}' FROM gone CROSS JOIN unnest(terms) AS held GROUP BY held >> 8),
    counted AS (
        INSERT INTO bucketwise.corpus_changes (tenant, delta, chunks, length)
        SELECT %(tenant)s, 0, -count(*), -sum(length) FROM gone WHERE terms IS NOT NULL HAVING count(*) > 0)
    INSERT INTO bucketwise.released_texts (tenant, key, text_sha256)
    SELECT DISTINCT %(tenant)s, %(key)s, text_sha256 FROM gone
    ON CONFLICT (tenant, key, text_sha256) DO UPDATE SET released_at = EXCLUDED.released_at"""

# Chunks are numbered in blocks, so that a document of many takes few numbers from the sequence.
BLOCK = 1024
NUMBERS = "SELECT nextval('bucketwise.chunk_number_blocks') * 1024 FROM generate_series(1, %(blocks)s)"

ADD_TERMS = "SELECT bucketwise.add_terms(%(tenant)s, %(key)s, %(language)s)"

END = "DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND key = %(key)s AND claim = %(claim)s"

SETTLE = """
    WITH settled AS (
        DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND key = %(key)s AND claim <= %(claim)s)
    DELETE FROM bucketwise.waiting WHERE tenant = %(tenant)s AND key = %(key)s"""

Step = Callable[[Connection], bool]


class Chunks(Protocol):
    """Chunks that can be read again from the first one: a commit may be run twice."""

    @property
    def count(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    def __iter__(self) -> Iterator[Chunk]: ...


@dataclass(frozen=True, slots=True)
class Committed:
    """``seconds`` passed from the object's storing until it was searchable; None if it is not."""

    seconds: float | None


Row = dict[str, Any]
"""Values for all columns of a document's row, by name."""


def swap(
    database: Database, decisions: Decisions, row: Row, chunks: Chunks | None, *, deadline: Deadline
) -> Committed | None:
    """Makes ``row`` and ``chunks`` what the index holds under the row's key, or returns None and changes nothing."""
    change = _Change(decisions, row, chunks)
    for steps in decisions.transactions([change.claim, change.remove, change.store, change.settle]):
        if not database.run(partial(_take, steps), deadline=deadline):
            break
    return Committed(change.seconds) if change.committed else None


def _take(steps: Sequence[Step], connection: Connection) -> bool:
    return all(step(connection) for step in steps)


@dataclass(slots=True)
class _Change:
    """The steps of one swap; each says whether to go on."""

    decisions: Decisions
    row: Row
    chunks: Chunks | None
    committed: bool = False
    was_searchable: bool = False
    seconds: float | None = None

    def claim(self, connection: Connection) -> bool:
        *found, seconds = _one(connection.execute(LOCK, self.row))
        held = Held.of(found)
        self.committed = self.decisions.may_commit(held, self.row["claim"])
        if not self.committed:
            connection.execute(END, self.row)
            return False
        if held.claim == self.row["claim"]:  # all of it was committed before the connection was lost
            self.seconds = seconds
            return False
        self.was_searchable = held.state is DocumentState.INDEXED
        self.seconds = _one(connection.execute(UPDATE, self.row))[0]
        return True

    def remove(self, connection: Connection) -> bool:
        connection.execute(RELEASE, self.row)
        return True

    def store(self, connection: Connection) -> bool:
        if self.chunks is not None:
            _copy_chunks(connection, self.row, self.chunks)
            connection.execute(ADD_TERMS, self.row)
        return True

    def settle(self, connection: Connection) -> bool:
        connection.execute(SETTLE, self.row)
        if self.was_searchable or self.chunks is not None:
            connection.execute(self.decisions.count_change, self.row)
        return True


def _copy_chunks(connection: Connection, row: Row, chunks: Chunks) -> None:
    numbers = _numbers(connection, chunks.count)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            """COPY bucketwise.chunks (
                   tenant, key, ordinal, text_sha256, text, tokens, start_offset, end_offset, marks, context,
                   number, length, terms)
               FROM STDIN"""
        ) as copy,
    ):
        for chunk, number in zip(chunks, numbers, strict=True):
            context = context_of(chunk, title=row["title"], key=row["key"])
            terms = analyse(f"{context}\n{chunk.text}", row["language"])
            copy.write_row(
                (row["tenant"], row["key"], chunk.ordinal, text_digest(chunk.text), chunk.text, chunk.tokens,
                 chunk.start, chunk.end, Jsonb(marks_to_json(chunk.marks)), context,
                 number, terms.length, packed(terms))
            )  # fmt: skip


def _numbers(connection: Connection, count: int) -> Iterator[int]:
    """So many numbers that no chunk had before."""
    blocks = connection.execute(NUMBERS, {"blocks": -(-count // BLOCK)}).fetchall()
    return islice((first + place for (first,) in blocks for place in range(BLOCK)), count)


def _one(cursor: Cursor[TupleRow]) -> TupleRow:
    row = cursor.fetchone()
    if row is None:
        raise AssertionError("a statement that always gives a row gave none")
    return row
