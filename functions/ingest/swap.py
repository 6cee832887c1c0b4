"""The one transaction in which a document changes: all of its chunks, or none."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import repeat
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.marks import marks_to_json
from bucketwise.models import DocumentState
from ingest.protocol import Decisions, Held
from ingest.terms import Analysis, Chunks, ChunkTerms
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
        home = %(home)s, claim = %(claim)s, state = %(state)s, version = %(version)s, etag = %(etag)s,
        size = %(size)s, content_type = %(content_type)s, last_modified = %(last_modified)s,
        metadata = %(metadata)s, sidecar = %(sidecar)s,
        title = %(title)s, pages = %(pages)s, author = %(author)s, created = %(created)s, modified = %(modified)s,
        read_as = %(read_as)s, skipped = %(skipped)s,
        language = %(language)s, fingerprint = %(fingerprint)s, reason = %(reason)s, hint = %(hint)s,
        chunks = %(chunks)s, tokens = %(tokens)s, embedded = %(embedded)s, reused = %(reused)s,
        embedding_tokens = %(embedding_tokens)s, cost_usd = %(cost_usd)s, updated_at = clock_timestamp()
    WHERE tenant = %(tenant)s AND key = %(key)s
    RETURNING seconds_to_searchable"""

# What chunks the document has, by their terms.
HELD = """
    SELECT number, sha256(convert_to(length || ' ' || terms::text, 'UTF8')) FROM bucketwise.chunks
    WHERE tenant = %(tenant)s AND key = %(key)s AND terms IS NOT NULL"""

# DO UPDATE, so that it waits for a collection that is about to take the text off the list.
RELEASE = """
    WITH gone AS (
        DELETE FROM bucketwise.chunks WHERE tenant = %(tenant)s AND key = %(key)s
        RETURNING text_sha256, number, length, terms),
    terms AS (
        INSERT INTO bucketwise.postings (tenant, term, level, chunks, entries)
        SELECT %(tenant)s, held >> 8, 0, -count(*), '{}' FROM gone CROSS JOIN unnest(terms) AS held
        WHERE NOT EXISTS (SELECT FROM unnest(%(kept)s::bigint[]) AS kept WHERE kept = number) GROUP BY held >> 8),
    counted AS (
        INSERT INTO bucketwise.corpus_changes (tenant, delta, chunks, length)
        SELECT %(tenant)s, 0, -count(*), -sum(length) FROM gone WHERE terms IS NOT NULL HAVING count(*) > 0)
    INSERT INTO bucketwise.released_texts (tenant, key, text_sha256)
    SELECT DISTINCT %(tenant)s, %(key)s, text_sha256 FROM gone
    ON CONFLICT (tenant, key, text_sha256) DO UPDATE SET released_at = EXCLUDED.released_at"""

# Chunks are numbered in blocks, so that a document of many takes few numbers from the sequence.
BLOCK = 1024
NUMBERS = "SELECT nextval('bucketwise.chunk_number_blocks') * 1024 FROM generate_series(1, %(blocks)s)"

APPEND_TERMS = "SELECT bucketwise.append_terms(%(tenant)s, %(key)s, %(language)s, %(kept)s::bigint[])"

END = "DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND key = %(key)s AND claim = %(claim)s"

SETTLE = """
    WITH settled AS (
        DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND key = %(key)s AND claim <= %(claim)s)
    DELETE FROM bucketwise.waiting WHERE tenant = %(tenant)s AND key = %(key)s"""

# The answers in the cache that hold words of the document. All take them in one order, so that no two wait for each
# other in a ring; and last of all, so that who waits for the change of another document of the same answer waits for no
# more than its commit. Skipped, the row would stay if the other one did not commit.
FORGET = """
    WITH answers AS MATERIALIZED (
        SELECT a.fingerprint
        FROM bucketwise.cached_answer_sources s JOIN bucketwise.cached_answers a USING (tenant, fingerprint)
        WHERE s.tenant = %(tenant)s AND s.key = %(key)s ORDER BY a.fingerprint FOR UPDATE OF a)
    DELETE FROM bucketwise.cached_answers a USING answers f
    WHERE a.tenant = %(tenant)s AND a.fingerprint = f.fingerprint"""

Step = Callable[[Connection], bool]


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
    numbers: list[int | None] = field(default_factory=list)  # that chunks take over, in their order

    @property
    def _row_and_kept(self) -> Row:
        return self.row | {"kept": [number for number in self.numbers if number is not None]}

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
        self.numbers = self._taken_over(connection) if self.chunks is not None else []
        connection.execute(RELEASE, self._row_and_kept)
        return True

    def store(self, connection: Connection) -> bool:
        if self.chunks is not None:
            _copy_chunks(connection, self.row, self.chunks, _numbers(connection, self.chunks.count, self.numbers))
            connection.execute(APPEND_TERMS, self._row_and_kept)
        return True

    def settle(self, connection: Connection) -> bool:
        connection.execute(SETTLE, self.row)
        if self.was_searchable or self.chunks is not None:
            connection.execute(self.decisions.count_change, self.row)
        if self.was_searchable:
            connection.execute(FORGET, self.row)
        return True

    def _taken_over(self, connection: Connection) -> list[int | None]:
        """For each chunk the number of one that is there and has the same terms, or None; empty if none is there."""
        there: dict[bytes, list[int]] = defaultdict(list)
        for number, digest in connection.execute(HELD, self.row):
            there[digest].append(number)
        if not there or self.chunks is None:
            return []
        return [_any_of(there, words) for words in self.chunks.terms(_analysis(self.row))]


def _any_of(there: dict[bytes, list[int]], words: ChunkTerms) -> int | None:
    same = there.get(sha256(f"{words.length} {words.terms}".encode()).digest())
    return same.pop() if same else None


def _analysis(row: Row) -> Analysis:
    return Analysis(row["title"], row["key"], row["language"])


def _copy_chunks(connection: Connection, row: Row, chunks: Chunks, numbers: Iterator[int]) -> None:
    terms = chunks.terms(_analysis(row))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            """COPY bucketwise.chunks (
                   tenant, key, ordinal, text_sha256, text, tokens, start_offset, end_offset, marks, context,
                   number, length, terms)
               FROM STDIN"""
        ) as copy,
    ):
        for chunk, words, number in zip(chunks, terms, numbers, strict=True):
            copy.write_row(
                (row["tenant"], row["key"], chunk.ordinal, text_digest(chunk.text), chunk.text, chunk.tokens,
                 chunk.start, chunk.end, Jsonb(marks_to_json(chunk.marks)), words.context,
                 number, words.length, words.terms)
            )  # fmt: skip


def _numbers(connection: Connection, count: int, taken_over: Sequence[int | None]) -> Iterator[int]:
    """So many numbers: those that are taken over, and between them such that no chunk had before."""
    fresh = count - sum(number is not None for number in taken_over)
    blocks = connection.execute(NUMBERS, {"blocks": -(-fresh // BLOCK)}).fetchall()
    new = (first + place for (first,) in blocks for place in range(BLOCK))
    return (next(new) if number is None else number for number in taken_over or repeat(None, count))


def _one(cursor: Cursor[TupleRow]) -> TupleRow:
    row = cursor.fetchone()
    if row is None:
        raise AssertionError("a statement that always gives a row gave none")
    return row
