"""A tenant whose documents ingest changes, and whose answers ask keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

from psycopg import sql

from ask.answer_cache import AnswerCache, CacheEntry, KeptAnswer
from bucketwise.database import Database
from bucketwise.index_kind import IndexKind
from bucketwise.telemetry import Telemetry
from ingest.index import DocumentIndex
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON, facts

KIND = IndexKind(MODEL, DIMENSIONS)
QUESTION = "How much leave do I get?"
ANSWER: dict[str, Any] = {"text": "25 days [1].", "score": 0.1, "citations": [{"quote": "leave is 25 days"}]}


def mark(text: str) -> bytes:
    """A fingerprint."""
    return sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class CachedTenant:
    tenant: Tenant
    cache: AnswerCache

    @property
    def name(self) -> str:
        return self.cache.tenant

    def look_up(self, fingerprint: str = "f", question: str = QUESTION, **changes: Any) -> CacheEntry:
        given: dict[str, Any] = {"kind": KIND, "deadline": SOON} | changes
        return self.cache.look_up(mark(fingerprint), question, **given)

    def answer(self, fingerprint: str = "f") -> dict[str, Any] | None:
        return self.look_up(fingerprint).answer

    def keep(
        self,
        *sources: str | tuple[str, str | None],
        fingerprint: str = "f",
        answer: dict[str, Any] = ANSWER,
        found_in: int | None = None,
    ) -> None:
        """Keeps an answer that was found now, or in the corpus version ``found_in``; a key alone is of version v1."""
        version = found_in if found_in is not None else self.tenant.version
        named = [(source, "v1") if isinstance(source, str) else source for source in sources]
        self.cache.keep(KeptAnswer(mark(fingerprint), version, answer, named), None, deadline=SOON)

    def describe(self, key: str = "a.txt", version: str | None = "v1", sidecar: str = "other") -> bool:
        given = facts(key, version, sidecar=sidecar, metadata={"changed": sidecar})
        return self.tenant.index.describe(given, self.tenant.claim(), deadline=SOON)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All answers that are stored, whether they can be found or not."""
        with connected(self.tenant.database.superuser) as superuser:
            rows = superuser.execute("SELECT answer FROM bucketwise.cached_answers WHERE tenant = %s", (self.name,))
            return [answer for (answer,) in rows]

    @property
    def sources(self) -> set[str]:
        query = "SELECT key FROM bucketwise.cached_answer_sources WHERE tenant = %s"
        with connected(self.tenant.database.superuser) as superuser:
            return {key for (key,) in superuser.execute(query, (self.name,))}

    def grow_old(self, table: str, seconds: float) -> None:
        with connected(self.tenant.database.superuser) as superuser:
            superuser.execute(
                sql.SQL("UPDATE {} SET created_at = created_at - make_interval(secs => %s) WHERE tenant = %s").format(
                    sql.Identifier("bucketwise", table)
                ),
                (seconds, self.name),
            )

    def another(self) -> "CachedTenant":
        """Another tenant on the same connections."""
        name = uuid4().hex
        tenant = replace(self.tenant, index=replace(self.tenant.index, tenant=name))
        return CachedTenant(tenant, replace(self.cache, tenant=name))

    def on(self, *, ingest: Database | None = None, ask: Database | None = None) -> "CachedTenant":
        """The same tenant on other connections."""
        index = replace(self.tenant.index, database=ingest or self.tenant.index.database)
        cache = replace(self.cache, database=ask or self.cache.database)
        return CachedTenant(replace(self.tenant, index=index), cache)


@contextmanager
def cached_tenant(database: IndexDatabase, seconds: int = 3600) -> Iterator[CachedTenant]:
    """One without documents, on one connection of each role."""
    telemetry = Telemetry("ask")
    telemetry.metrics.clear_metrics()
    name = uuid4().hex
    with opened(database.ingest) as writer, opened(database.ask) as asked:
        tenant = Tenant(DocumentIndex(writer, name, "code 1"), database)
        yield CachedTenant(tenant, AnswerCache(asked, name, seconds, telemetry))
    telemetry.metrics.clear_metrics()
