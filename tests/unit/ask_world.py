"""The ask function around fakes, and its replies as a client sees them."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from ask import routes
from ask.asking import Asking
from ask.budgets import Budgets, Limits
from ask.composition import telemetry
from ask.documents import DocumentsPage, ListedState
from ask.handler import lambda_handler
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, BudgetExceeded, UnknownDocument, UnreadableDocument
from bucketwise.ingest_queue import Errand
from bucketwise.models import FailureReason
from bucketwise.settings import Settings
from tests.unit.asking_fakes import fingerprint
from tests.unit.fakes import FixedGenerator, LambdaContext, ask_pipeline, passage, said
from tests.unit.memory_answer_cache import MemoryAnswerCache
from tests.unit.memory_searcher import MemorySearcher

T = TypeVar("T")

QUESTION = "How much leave do I get?"
DOCUMENT: dict[str, Any] = {
    "key": "handbook.md",
    "state": "indexed",
    "reason": None,
    "hint": None,
    "version": "v1",
    "size": 10,
    "content_type": "text/markdown",
    "last_modified": "2025-01-02T03:04:05Z",
    "metadata": {},
    "title": "Handbook",
    "author": None,
    "created": None,
    "modified": None,
    "read_as": "Markdown",
    "pages": None,
    "skipped": [],
    "chunks": 1,
    "tokens": 10,
    "embedded": 1,
    "reused": 0,
    "embedding_tokens": 10,
    "cost_usd": 0.1,
    "seconds_to_searchable": 1.0,
    "updated_at": "2025-01-02T03:04:06Z",
    "waiting": None,
    "chunks_stored": None,
    "vectors_stored": None,
}
QUEUED: dict[str, Any] = DOCUMENT | {
    "key": "new.md",
    "state": "queued",
    "version": None,
    "last_modified": None,
    "seconds_to_searchable": None,
    "updated_at": None,
    "waiting": {
        "since": "2025-01-02T03:04:05Z",
        "tries": 2,
        "reason": "model_unavailable",
        "next_try": "2025-01-02T03:04:25Z",
    },
}
VERSION = 7


@dataclass
class MemoryDocuments:
    """One document that is indexed, one that waits to be looked at, and two pages of one that failed each."""

    asked: list[tuple[str, str | None, str]] = field(default_factory=list)

    def get(self, key: str, *, deadline: Deadline) -> DocumentsPage:
        deadline.allow(1)
        found = [row | {"chunks_stored": 1, "vectors_stored": 1} for row in (DOCUMENT, QUEUED) if row["key"] == key]
        if not found:
            raise UnknownDocument("no document with this key")
        return DocumentsPage(found, None, VERSION)

    def page(
        self, *, deadline: Deadline, prefix: str = "", state: ListedState | None = None, after: str = ""
    ) -> DocumentsPage:
        deadline.allow(1)
        self.asked.append((prefix, state, after))
        if state is ListedState.FAILED:
            return DocumentsPage([DOCUMENT | {"key": f"bad-{after}"}], None if after else "bad-", VERSION)
        return DocumentsPage([DOCUMENT, QUEUED], None, VERSION)

    def corpus_version(self, *, deadline: Deadline) -> int:
        deadline.allow(1)
        return VERSION


@dataclass
class MemoryQueue:
    sent: list[tuple[str, Errand]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.sent]

    def send(self, keys: Iterable[str], errand: Errand = Errand()) -> int:  # noqa: B008  # it is frozen
        self.sent += [(key, errand) for key in keys]
        return len(self.sent)


@dataclass
class AskWorld:
    """``callers`` are those of CALLERS; ``served`` tells the tenant of each part that a route took."""

    searcher: MemorySearcher = field(default_factory=lambda: MemorySearcher([passage("Leave is 25 days a year.")]))
    generator: FixedGenerator = field(
        default_factory=lambda: FixedGenerator(said("25 days [1].", (1, "leave is 25 days")))
    )
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    cache: MemoryAnswerCache = field(default_factory=MemoryAnswerCache)
    callers: dict[str, str] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)

    def of_tenant(self, part: T) -> Callable[[str], T]:
        """The part, for whichever tenant it is taken."""

        def take(tenant: str) -> T:
            self.served.append(tenant)
            return part

        return take


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> AskWorld:
    """What the routes get from the composition, replaced."""
    world = AskWorld()
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test", "TOP_K": "3"})
    pipeline = ask_pipeline(world.searcher, world.generator, telemetry=telemetry)
    monkeypatch.setattr(routes, "settings", lambda: settings)
    monkeypatch.setattr(routes, "tenants_of_callers", lambda: world.callers)
    monkeypatch.setattr(routes, "ask_pipeline", world.of_tenant(pipeline))
    monkeypatch.setattr(routes, "asking", world.of_tenant(Asking(pipeline, world.cache, fingerprint)))
    without_limits = Budgets(Database(lambda deadline: connect(settings, deadline)), telemetry, "default", Limits())
    monkeypatch.setattr(routes, "budgets", world.of_tenant(without_limits))
    monkeypatch.setattr(routes, "documents", world.of_tenant(world.documents))
    monkeypatch.setattr(routes, "ingest_queue", lambda: world.queue)
    monkeypatch.setattr(routes, "link_maker", lambda: lambda key, _version: f"https://link.test/{key}")
    return world


def failure(kind: type[BucketwiseError], text: str) -> BucketwiseError:
    """One of the kind, with ``text`` as its own if it takes any."""
    if kind is UnreadableDocument:
        return UnreadableDocument(FailureReason.CORRUPT, "hint")
    return BudgetExceeded("tenant", "usd", 86_400) if kind is BudgetExceeded else kind(text)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def content_type(self) -> str:
        return self.headers["Content-Type"]

    @property
    def problem(self) -> str:
        kind: str = self.body["type"]
        return kind.removeprefix("urn:bucketwise:problem:")


def sent(event: Any, *, seconds: float = 29) -> Reply:
    """The reply to ``event`` of an invocation that has ``seconds`` left."""
    result = lambda_handler(event, LambdaContext(ends_at=time.monotonic() + seconds))
    many = {name: ", ".join(values) for name, values in (result.get("multiValueHeaders") or {}).items()}
    return Reply(result["statusCode"], many | (result.get("headers") or {}), json.loads(result["body"]))
