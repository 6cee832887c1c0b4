"""What tests of the index do to it, and what they see in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.index import DocumentIndex
from ingest.protocol import Standing
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import VectorTable, text_digest
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON, Listed, chunks_of, document_of, facts

T = TypeVar("T")

PROBLEM = UnreadableDocument(FailureReason.CORRUPT, "The file is damaged.")


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds of one document."""

    state: str
    version: str | None
    claim: int
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's index, and a superuser's view of it."""

    index: DocumentIndex
    database: IndexDatabase

    @property
    def table(self) -> VectorTable:
        return VectorTable(self.index.database, self.index.tenant)

    def embed(self, *texts: str) -> None:
        vectors = {text_digest(text): [1.0, len(text) % 100, 0, 0, 0, 0, 0, 0] for text in texts}
        self.table.add_embeddings(vectors, deadline=SOON)

    def claim(self) -> int:
        return self.index.claim(deadline=SOON)

    def put(self, *texts: str, key: str = "a.txt", version: str | None = "v1", claim: int | None = None) -> bool:
        """Commits a document whose texts have their vectors already."""
        receipt = EmbeddingReceipt(embedded=len(texts), tokens=9, cost_usd=0.5)
        under = claim if claim is not None else self.claim()
        given = facts(key, version), document_of(*texts), Listed(chunks_of(*texts)), receipt, under
        return self.index.replace(*given, deadline=SOON) is not None

    def store(self, *texts: str, key: str = "a.txt", version: str | None = "v1", claim: int | None = None) -> bool:
        self.embed(*texts)
        return self.put(*texts, key=key, version=version, claim=claim)

    def fail(self, key: str = "a.txt", version: str | None = "v1", claim: int | None = None) -> bool:
        under = claim if claim is not None else self.claim()
        return self.index.fail(facts(key, version), PROBLEM, under, deadline=SOON) is not None

    def bury(self, key: str = "a.txt", claim: int | None = None) -> bool:
        return self.index.bury(key, claim if claim is not None else self.claim(), deadline=SOON) is not None

    def confirm(self, version: str | None = "v1", claim: int | None = None, key: str = "a.txt") -> bool:
        under = claim if claim is not None else self.claim()
        return self.index.compare(facts(key, version), under, deadline=SOON) is Standing.SAME

    def held(self, key: str = "a.txt") -> Held | None:
        with connected(self.database.superuser) as connection:
            row = connection.execute(
                """SELECT state, version, claim, ARRAY(
                       SELECT text FROM bucketwise.chunks c
                       WHERE (c.tenant, c.key) = (d.tenant, d.key) ORDER BY ordinal)
                   FROM bucketwise.documents d WHERE tenant = %s AND key = %s""",
                (self.index.tenant, key),
            ).fetchone()
        return Held(*row) if row is not None else None

    def texts(self, key: str = "a.txt") -> list[str]:
        held = self.held(key)
        return held.texts if held is not None else []

    def released(self, key: str = "a.txt") -> set[bytes]:
        """The digests of texts that the document had once."""
        return {row[0] for row in self._rows("SELECT text_sha256 FROM bucketwise.released_texts", key)}

    def attempts(self, key: str = "a.txt") -> set[int]:
        """Claims."""
        return {row[0] for row in self._rows("SELECT claim FROM bucketwise.attempts", key)}

    def waiting(self, key: str = "a.txt") -> list[tuple[int, str]]:
        """How often it was put off, and why the last time."""
        return [(tries, reason) for tries, reason in self._rows("SELECT tries, reason FROM bucketwise.waiting", key)]

    def seconds(self, key: str = "a.txt") -> float | None:
        [[seconds]] = self._rows("SELECT seconds_to_searchable FROM bucketwise.documents", key)
        return seconds  # type: ignore[no-any-return]  # a column of type double precision

    def _rows(self, query: LiteralString, key: str) -> list[tuple[Any, ...]]:
        with connected(self.database.superuser) as connection:
            return connection.execute(query + " WHERE tenant = %s AND key = %s", (self.index.tenant, key)).fetchall()

    @property
    def version(self) -> int:
        """The corpus version."""
        return self.database.count("SELECT bucketwise.corpus_version(%s)", self.index.tenant)

    @property
    def vectors(self) -> int:
        return self.database.count("SELECT count(*) FROM bucketwise.embeddings WHERE tenant = %s", self.index.tenant)


class LosesOneReply(Database):
    """Once it is ``armed``, the next work is committed, and the connection is lost before anybody hears of it."""

    armed = False

    def _run_once(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        result = super()._run_once(work, deadline)
        if self.armed:
            self.armed = False
            self.close()
            raise psycopg.OperationalError
        return result
