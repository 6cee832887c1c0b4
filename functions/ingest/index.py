"""Ingest's side of the index: claims, and one transaction for each thing that may be committed.

A claim is taken before the bucket is read. A commit goes through only if no higher claim has committed
for the same key, because the holder of a higher claim has seen a state of the bucket at least as new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, LiteralString

import psycopg
from pgvector import HalfVector
from psycopg import Connection
from psycopg.types.json import Jsonb

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import EmbeddingMissing, UnreadableDocument
from bucketwise.models import Chunk, DocumentState
from bucketwise.search import marks_to_json
from ingest.bucket import ObjectFacts
from ingest.parsing.document import ParsedDocument
from ingest.receipts import EmbeddingReceipt

UPSERT = """
    INSERT INTO bucketwise.documents (
        tenant, key, claim, state, version, etag, size, content_type, last_modified, metadata, title, pages,
        fingerprint, reason, hint, chunks, tokens, embedded, reused, embedding_tokens, cost_usd)
    VALUES (
        %(tenant)s, %(key)s, %(claim)s, %(state)s, %(version)s, %(etag)s, %(size)s, %(content_type)s,
        %(last_modified)s, %(metadata)s, %(title)s, %(pages)s, %(fingerprint)s, %(reason)s, %(hint)s,
        %(chunks)s, %(tokens)s, %(embedded)s, %(reused)s, %(embedding_tokens)s, %(cost_usd)s)
    ON CONFLICT (tenant, key) DO UPDATE SET
        claim = EXCLUDED.claim, state = EXCLUDED.state, version = EXCLUDED.version, etag = EXCLUDED.etag,
        size = EXCLUDED.size, content_type = EXCLUDED.content_type, last_modified = EXCLUDED.last_modified,
        metadata = EXCLUDED.metadata, title = EXCLUDED.title, pages = EXCLUDED.pages,
        fingerprint = EXCLUDED.fingerprint, reason = EXCLUDED.reason, hint = EXCLUDED.hint,
        chunks = EXCLUDED.chunks, tokens = EXCLUDED.tokens, embedded = EXCLUDED.embedded,
        reused = EXCLUDED.reused, embedding_tokens = EXCLUDED.embedding_tokens,
        cost_usd = EXCLUDED.cost_usd, updated_at = clock_timestamp()
    WHERE documents.claim < EXCLUDED.claim"""


def text_digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class DocumentIndex:
    """All writes of one tenant. Every method may raise what Database.run raises."""

    database: Database
    tenant: str
    fingerprint: str

    def claim(self, *, deadline: Deadline) -> int:
        """The next claim. Take it before reading the bucket."""
        claim = self.database.run(
            lambda connection: _one(connection, "SELECT nextval('bucketwise.claims')"), deadline=deadline
        )
        return int(claim)

    def confirm_unchanged(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool:
        """Whether the index already holds exactly this version, made by this code; if so, now under ``claim``.

        One statement compares and sets, so nobody can commit another version in between. Without
        versioning there is nothing that names a version, and the answer is no. Run again after a connection
        was lost in its commit, it meets its own claim: hence ``<=``.
        """
        return facts.version is not None and self.database.run(
            lambda connection: (
                connection.execute(
                    """UPDATE bucketwise.documents SET claim = %s
                       WHERE tenant = %s AND key = %s AND version = %s AND fingerprint = %s
                         AND state = 'indexed' AND claim <= %s""",
                    (claim, self.tenant, facts.key, facts.version, self.fingerprint, claim),
                ).rowcount
                == 1
            ),
            deadline=deadline,
        )

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        """Those of the texts' digests that have a vector already."""
        return self.database.run(
            lambda connection: {
                row[0]
                for row in connection.execute(
                    "SELECT text_sha256 FROM bucketwise.embeddings WHERE tenant = %s AND text_sha256 = ANY(%s)",
                    (self.tenant, list(digests)),
                )
            },
            deadline=deadline,
        )

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        """Keeps vectors by their text's digest, at once: whatever happens later, they are paid for only once.

        Rows go in by order of digest: two workers with the same texts would deadlock otherwise.
        """
        rows = [(self.tenant, digest, HalfVector(vectors[digest])) for digest in sorted(vectors)]

        def insert(connection: Connection) -> None:
            with connection.cursor() as cursor:
                cursor.executemany(
                    """INSERT INTO bucketwise.embeddings (tenant, text_sha256, embedding)
                       VALUES (%s, %s, %s) ON CONFLICT DO NOTHING""",
                    rows,
                )

        self.database.run(insert, deadline=deadline)

    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Sequence[Chunk],
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> bool:
        """Swaps the document's chunks for these. False if a higher claim had committed before.

        Raises EmbeddingMissing if the vector of a chunk was collected since it was looked up.
        """
        row = self._row(facts, claim, DocumentState.INDEXED) | {
            "title": document.title,
            "pages": document.pages,
            "chunks": len(chunks),
            "tokens": sum(chunk.tokens for chunk in chunks),
            "embedded": embedding.embedded,
            "reused": embedding.reused,
            "embedding_tokens": embedding.tokens,
            "cost_usd": embedding.cost_usd,
        }
        try:
            return self._commit(row, chunks, deadline=deadline)
        except psycopg.errors.ForeignKeyViolation:
            raise EmbeddingMissing("a vector was collected while its text was being indexed") from None

    def fail(self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline) -> bool:
        """Notes why the object cannot be indexed, and removes what an older version had."""
        row = self._row(facts, claim, DocumentState.FAILED) | {"reason": problem.reason.value, "hint": problem.hint}
        return self._commit(row, (), deadline=deadline)

    def bury(self, key: str, claim: int, *, deadline: Deadline) -> bool:
        """Removes the document and leaves a tombstone, which fences off writers that saw it alive."""
        row = dict.fromkeys(_COLUMNS) | _ZEROS
        row |= {"tenant": self.tenant, "key": key, "claim": claim, "state": DocumentState.DELETED}
        return self._commit(row, (), deadline=deadline)

    def _row(self, facts: ObjectFacts, claim: int, state: DocumentState) -> dict[str, object]:
        return (
            dict.fromkeys(_COLUMNS)
            | _ZEROS
            | {
                "tenant": self.tenant,
                "key": facts.key,
                "claim": claim,
                "state": state,
                "version": facts.version,
                "etag": facts.etag,
                "size": facts.size,
                "content_type": facts.content_type,
                "last_modified": facts.last_modified,
                "metadata": Jsonb(facts.metadata),
                "fingerprint": self.fingerprint,
            }
        )

    def _commit(self, row: dict[str, object], chunks: Sequence[Chunk], *, deadline: Deadline) -> bool:
        def swap(connection: Connection) -> bool:
            if connection.execute(UPSERT, row).rowcount == 0:
                # Run again after a connection was lost in its commit, it meets its own claim.
                holder = _one(
                    connection,
                    "SELECT claim FROM bucketwise.documents WHERE tenant = %s AND key = %s",
                    row["tenant"],
                    row["key"],
                )
                return bool(holder == row["claim"])
            connection.execute(
                "DELETE FROM bucketwise.chunks WHERE tenant = %s AND key = %s", (row["tenant"], row["key"])
            )
            _copy_chunks(connection, str(row["tenant"]), str(row["key"]), chunks)
            connection.execute("INSERT INTO bucketwise.corpus_changes (tenant, delta) VALUES (%s, 1)", (row["tenant"],))
            return True

        return self.database.run(swap, deadline=deadline)


_ZEROS: dict[str, object] = dict.fromkeys(("chunks", "tokens", "embedded", "reused", "embedding_tokens"), 0) | {
    "metadata": Jsonb({})
}
_COLUMNS = (
    "version", "etag", "size", "content_type", "last_modified", "title", "pages", "fingerprint", "reason", "hint",
    "cost_usd",
)  # fmt: skip


def _copy_chunks(connection: Connection, tenant: str, key: str, chunks: Sequence[Chunk]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            """COPY bucketwise.chunks (
                   tenant, key, ordinal, text_sha256, text, tokens, start_offset, end_offset, marks, headings)
               FROM STDIN"""
        ) as copy,
    ):
        for chunk in chunks:
            copy.write_row(
                (tenant, key, chunk.ordinal, text_digest(chunk.text), chunk.text, chunk.tokens,
                 chunk.start, chunk.end, Jsonb(marks_to_json(chunk.marks)), _headings(chunk))
            )  # fmt: skip


def _headings(chunk: Chunk) -> str:
    """The headings above and in the chunk, each once: they are searched, but are not part of its text."""
    return "\n".join(dict.fromkeys(heading for mark in chunk.marks for heading in mark.place.heading))


def _one(connection: Connection, query: LiteralString, *parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row is not None else None
