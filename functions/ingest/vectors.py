"""The content-addressed table of vectors: one for each text of a tenant, whichever documents hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import LiteralString

from pgvector import HalfVector
from psycopg import Connection, sql

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import IndexChanged
from bucketwise.index_kind import IndexKind, live_kind

KNOWN = "SELECT text_sha256 FROM {table} WHERE tenant = %s AND text_sha256 = ANY(%b)"

# All of a request's vectors in one statement, as two arrays in binary form: as quick as COPY, which knows no conflicts.
ADD = """
    INSERT INTO {table} (tenant, text_sha256, embedding)
    SELECT %s, * FROM unnest(%b::bytea[], %b::halfvec[]) ON CONFLICT DO NOTHING"""


def text_digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class VectorTable:
    """One tenant's vectors, live or in a table that is being filled. Methods may raise what Database.run raises.

    ``kind`` is what the vectors that are added were made with; it must be the live one. None takes any.
    """

    database: Database
    tenant: str
    table: str = "embeddings"
    kind: IndexKind | None = None

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        """Those of the texts' digests that have a vector already."""

        def read(connection: Connection) -> set[bytes]:
            return {row[0] for row in connection.execute(self._with_table(KNOWN), (self.tenant, list(digests)))}

        return self.database.run(read, deadline=deadline)

    def add_embeddings(self, vectors: Mapping[bytes, list[float]], *, deadline: Deadline) -> None:
        """Keeps vectors by their text's digest, at once: whatever happens later, they are paid for only once.

        A vector that is there already stays. Rows go in by order of digest: two workers with the same texts would
        deadlock otherwise. Raises IndexChanged if vectors of another kind are live by now.
        """
        digests = sorted(vectors)
        halves = [HalfVector(vectors[digest]) for digest in digests]

        def add(connection: Connection) -> None:
            if self.kind is not None:
                # What a switch to another kind waits for, and an insert takes anyway: from here on, this one is live.
                connection.execute(self._with_table("LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
                if live_kind(connection) != self.kind:
                    raise IndexChanged("vectors of another model went live while these were made")
            connection.execute(self._with_table(ADD), (self.tenant, digests, halves))

        self.database.run(add, deadline=deadline)

    def _with_table(self, query: LiteralString) -> sql.Composed:
        return sql.SQL(query).format(table=sql.Identifier("bucketwise", self.table))
