"""Ingest's side of the index: claims, and one transaction for each thing that may be committed.

A claim is taken before the bucket is read. What may be committed under it is decided by ``ingest.protocol``,
with the document's row locked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import EmbeddingMissing, UnreadableDocument
from bucketwise.models import DocumentState
from ingest import attempts
from ingest.attempts import Earlier
from ingest.bucket import ObjectFacts
from ingest.context import beginning_of
from ingest.parsing.document import ParsedDocument
from ingest.protocol import Decisions, Held, Seen, Standing
from ingest.receipts import EmbeddingReceipt, Receipt
from ingest.swap import SETTLE, Committed, swap
from ingest.terms import Analysis, Chunks

LOCK_IF_THERE = """
    SELECT claim, state, version, etag, fingerprint, sidecar FROM bucketwise.documents
    WHERE tenant = %(tenant)s AND key = %(key)s FOR UPDATE"""

# Fingerprint and time are others than before only of an archived object, of which no comparison is to tell each time.
CONFIRM = """
    UPDATE bucketwise.documents
    SET claim = %(confirmed)s, home = %(home)s, fingerprint = %(fingerprint)s, last_modified = %(last_modified)s
    WHERE tenant = %(tenant)s AND key = %(key)s"""

DESCRIBE = """
    UPDATE bucketwise.documents
    SET claim = %(described)s, home = %(home)s, metadata = %(metadata)s, sidecar = %(sidecar)s,
        fingerprint = %(fingerprint)s, last_modified = %(last_modified)s, updated_at = clock_timestamp()
    WHERE tenant = %(tenant)s AND key = %(key)s"""


def no_language(_text: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class DocumentIndex:
    """All writes of one tenant's documents. Every method may raise what Database.run raises.

    ``detect`` tells the language of a text (ISO 639-1), or "". ``home`` is the TENANT that this is done for.
    """

    database: Database
    tenant: str
    fingerprint: str
    decisions: Decisions = field(default_factory=Decisions)
    detect: Callable[[str], str] = no_language
    home: str | None = None

    def claim(self, *, deadline: Deadline) -> int:
        """The next claim. Take it before reading the bucket."""
        return self.database.run(
            lambda connection: _number(connection.execute("SELECT nextval('bucketwise.claims')")), deadline=deadline
        )

    def compare(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> Standing:
        """Whether the index holds this version already, made by this code. SAME means that it does under ``claim``.

        Compared and set with the row locked, so nobody can commit another version in between.
        """
        seen = Seen(facts.version, facts.etag, facts.sidecar, facts.archived)

        def compare(connection: Connection) -> Standing:
            held = self._lock(connection, facts.key)
            if held is None:
                return Standing.OTHER
            confirmed = self.decisions.confirmed_claim(held, seen, self.fingerprint, claim)
            if confirmed is not None:
                names = self._row(facts, claim, held.state) | {"confirmed": confirmed}
                connection.execute(CONFIRM, names)
                connection.execute(SETTLE, names)
                return Standing.SAME
            described = self.decisions.described_claim(held, seen, self.fingerprint, claim)
            return Standing.OTHER if described is None else Standing.OTHER_METADATA

        return self.database.run(compare, deadline=deadline)

    def describe(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool:
        """Gives the indexed document other metadata, if it still is of the version that was seen; whether it did."""
        seen = Seen(facts.version, facts.etag, facts.sidecar, facts.archived)
        names = self._row(facts, claim, DocumentState.INDEXED)

        def describe(connection: Connection) -> bool:
            held = self._lock(connection, facts.key)
            if held is None:
                return False
            described = self.decisions.described_claim(held, seen, self.fingerprint, claim)
            if described is None:
                return False
            connection.execute(DESCRIBE, names | {"described": described})
            connection.execute(SETTLE, names)
            connection.execute(self.decisions.count_change, names)
            return True

        return self.database.run(describe, deadline=deadline)

    def begin_attempt(self, facts: ObjectFacts, claim: int, *, ended: int | None, deadline: Deadline) -> Earlier:
        """Notes that work on this version begins, and returns what became of earlier looks at it.

        ``ended`` is the claim of an earlier attempt of which is known that it ended in order.
        """
        begin = partial(
            attempts.begin, names=self._names(facts.key, claim), facts=facts, ended=ended, deadline=deadline
        )
        return self.database.run(begin, deadline=deadline)

    def end_attempt(self, key: str, claim: int, receipt: Receipt, *, deadline: Deadline) -> None:
        """Notes that the attempt ended in order, with nothing committed: no worker was lost."""
        end = partial(attempts.end, names=self._names(key, claim), receipt=receipt)
        self.database.run(end, deadline=deadline)

    def postpone(self, key: str, *, tries: int, reason: str, seconds: float, deadline: Deadline) -> None:
        """Notes for the API that the object waits to be tried again, in so many seconds."""
        self.database.run(
            lambda connection: connection.execute(
                """INSERT INTO bucketwise.waiting (tenant, key, tries, reason, next_try)
                   VALUES (%s, %s, %s, %s, clock_timestamp() + %s)
                   ON CONFLICT (tenant, key) DO UPDATE SET
                       tries = EXCLUDED.tries, reason = EXCLUDED.reason, next_try = EXCLUDED.next_try""",
                (self.tenant, key, tries, reason, timedelta(seconds=seconds)),
            ),
            deadline=deadline,
        )

    def analysis(self, key: str, document: ParsedDocument, chunks: Chunks) -> Analysis:
        """How terms of the document's chunks are made; known when its blocks have been read."""
        return Analysis(document.title, key, self.detect(beginning_of(chunks)))

    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Chunks,
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> Committed | None:
        """Swaps the document's chunks for these. None if a higher claim had committed before.

        Raises EmbeddingMissing if the vector of a chunk was collected since it was looked up.
        """
        row = self._row(facts, claim, DocumentState.INDEXED) | {
            "title": document.title,
            "pages": document.pages,
            "author": document.author,
            "created": document.created,
            "modified": document.modified,
            "read_as": document.read_as,
            "language": self.analysis(facts.key, document, chunks).language,
            "skipped": document.skipped,
            "chunks": chunks.count,
            "tokens": chunks.tokens,
            "embedded": embedding.embedded,
            "reused": embedding.reused,
            "embedding_tokens": embedding.tokens,
            "cost_usd": embedding.cost_usd,
        }
        try:
            return swap(self.database, self.decisions, row, chunks, deadline=deadline)
        except psycopg.errors.ForeignKeyViolation:
            raise EmbeddingMissing("a vector was collected while its text was being indexed") from None

    def fail(
        self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline
    ) -> Committed | None:
        """Notes why the object cannot be indexed, and removes what an older version had."""
        row = self._row(facts, claim, DocumentState.FAILED) | {"reason": problem.reason.value, "hint": problem.hint}
        return swap(self.database, self.decisions, row, None, deadline=deadline)

    def bury(self, key: str, claim: int, *, sidecar: str | None = None, deadline: Deadline) -> Committed | None:
        """Removes the document and leaves a tombstone, which fences off writers that saw it alive.

        ``sidecar`` is the eTag of what describes an object that is not there: so it is known that it was looked at.
        """
        row = _EMPTY | self._names(key, claim) | {"state": DocumentState.DELETED, "sidecar": sidecar}
        return swap(self.database, self.decisions, row, None, deadline=deadline)

    def _row(self, facts: ObjectFacts, claim: int, state: DocumentState) -> dict[str, object]:
        return (
            _EMPTY
            | self._names(facts.key, claim)
            | {
                "state": state,
                "version": facts.version,
                "etag": facts.etag,
                "size": facts.size,
                "content_type": facts.content_type,
                "last_modified": facts.last_modified,
                "metadata": Jsonb(facts.metadata),
                "sidecar": facts.sidecar,
                "fingerprint": self.fingerprint,
            }
        )

    def _names(self, key: str, claim: int) -> dict[str, object]:
        return {"tenant": self.tenant, "key": key, "claim": claim, "home": self.home}

    def _lock(self, connection: Connection, key: str) -> Held | None:
        row = connection.execute(LOCK_IF_THERE, {"tenant": self.tenant, "key": key}).fetchone()
        return Held.of(row) if row is not None else None


_EMPTY: dict[str, object] = (
    dict.fromkeys(
        ("version", "etag", "size", "content_type", "last_modified", "title", "pages", "author", "created", "modified",
         "read_as", "sidecar", "fingerprint", "reason", "hint", "cost_usd")
    )
    | dict.fromkeys(("chunks", "tokens", "embedded", "reused", "embedding_tokens"), 0)
    | {"metadata": Jsonb({}), "skipped": [], "language": ""}
)  # fmt: skip


def _number(cursor: Cursor[TupleRow]) -> int:
    row = cursor.fetchone()
    if row is None:
        raise AssertionError("a statement that always gives a row gave none")
    return int(row[0])
