"""What the index says of documents."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import UnknownDocument

PAGE = 100

SELECT = """
    SELECT current_version, page.*, stored.*
    FROM bucketwise.corpus_version(%(tenant)s) AS current_version
    LEFT JOIN LATERAL bucketwise.documents_page(
        %(tenant)s, %(key)s::text, %(prefix)s, %(state)s::text, %(after)s, %(most)s, with_queued => true) AS page
        ON true
    LEFT JOIN LATERAL bucketwise.stored_for(%(tenant)s, %(key)s::text) AS stored ON true"""


class ListedState(StrEnum):
    """DocumentState, and that of a key which the index has yet to look at."""

    INDEXED = "indexed"
    FAILED = "failed"
    DELETED = "deleted"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """Rows by column, and the key to go on after, if there are more; read from one snapshot with the version."""

    documents: list[dict[str, Any]]
    following: str | None
    corpus_version: int


@dataclass(frozen=True, slots=True)
class Documents:
    """One tenant's documents, by key in the order of its bytes, as S3 lists them."""

    database: Database
    tenant: str

    def get(self, key: str, *, deadline: Deadline) -> DocumentsPage:
        """The one document, with what is stored of it counted. Raises UnknownDocument."""
        found = self._select(key=key, most=1, deadline=deadline)
        if not found.documents:
            raise UnknownDocument("no document with this key")
        return found

    def page(
        self, *, prefix: str = "", state: ListedState | None = None, after: str = "", deadline: Deadline
    ) -> DocumentsPage:
        """At most 100 documents whose keys come after ``after``."""
        found = self._select(prefix=prefix, state=state, after=after, most=PAGE + 1, deadline=deadline)
        if len(found.documents) <= PAGE:
            return found
        return DocumentsPage(found.documents[:PAGE], found.documents[PAGE - 1]["key"], found.corpus_version)

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
        state: ListedState | None = None,
        after: str = "",
    ) -> DocumentsPage:
        parameters = {
            "tenant": self.tenant,
            "key": key,
            "prefix": prefix,
            "state": state,
            "after": after,
            "most": most,
        }

        def read(connection: Connection) -> DocumentsPage:
            with connection.cursor(row_factory=dict_row) as cursor:
                rows = cursor.execute(SELECT, parameters).fetchall()
            documents = [row for row in rows if row["key"] is not None]
            return DocumentsPage(documents, None, rows[0]["current_version"])

        return self.database.run(read, deadline=deadline)
