"""What the index says of documents."""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import UnknownDocument
from bucketwise.models import DocumentState

PAGE = 100

SELECT = """
    SELECT key, state, reason, hint, version, size, content_type, last_modified, metadata, title, pages,
           chunks, tokens, embedded, reused, embedding_tokens, cost_usd, updated_at
    FROM bucketwise.documents_page(
        %(tenant)s, %(key)s::text, %(prefix)s, %(state)s::text, %(after)s, %(most)s)"""


@dataclass(frozen=True, slots=True)
class Documents:
    """One tenant's documents, by key in the order of its bytes, as S3 lists them."""

    database: Database
    tenant: str

    def get(self, key: str, *, deadline: Deadline) -> dict[str, Any]:
        """Raises UnknownDocument."""
        rows = self._select(key=key, most=1, deadline=deadline)
        if not rows:
            raise UnknownDocument("no document with this key")
        return rows[0]

    def page(
        self, *, prefix: str = "", state: DocumentState | None = None, after: str = "", deadline: Deadline
    ) -> tuple[list[dict[str, Any]], str | None]:
        """At most 100 documents whose keys come after ``after``, and the key to go on after, if there are more."""
        rows = self._select(prefix=prefix, state=state, after=after, most=PAGE + 1, deadline=deadline)
        return rows[:PAGE], rows[PAGE - 1]["key"] if len(rows) > PAGE else None

    def corpus_version(self, *, deadline: Deadline) -> int:
        def read(connection: Connection) -> int:
            row = connection.execute("SELECT bucketwise.corpus_version(%s)", (self.tenant,)).fetchone()
            return int(row[0]) if row else 0

        return self.database.run(read, deadline=deadline)

    def _select(
        self,
        *,
        deadline: Deadline,
        most: int,
        key: str | None = None,
        prefix: str = "",
        state: DocumentState | None = None,
        after: str = "",
    ) -> list[dict[str, Any]]:
        parameters = {
            "tenant": self.tenant,
            "key": key,
            "prefix": prefix,
            "state": state,
            "after": after,
            "most": most,
        }

        def read(connection: Connection) -> list[dict[str, Any]]:
            with connection.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(SELECT, parameters).fetchall()

        return self.database.run(read, deadline=deadline)
