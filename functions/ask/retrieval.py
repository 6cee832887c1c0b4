"""The retrieval half: embed the question, search, keep what is relevant."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embedder
from bucketwise.errors import DeadlineExceeded, IndexBehind, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage, SearchQuery, SearchResult, search
from bucketwise.telemetry import Metric, Telemetry

EMBEDDING_TRIES = 2
# A question is embedded in a fraction of a second; later than this, keywords alone are the better answer.
EMBEDDING_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Query:
    """``context`` is what was said before the question, to be searched along with it; it may be empty."""

    question: str
    context: str = ""
    filters: Mapping[str, Any] | None = None
    limit: int = 8
    min_version: int | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """``degraded``: the question could not be embedded, and keywords alone were searched."""

    passages: list[Passage]
    corpus_version: int
    usage: ModelUsage
    degraded: bool
    timings_ms: dict[str, float]


class Searcher(Protocol):
    def search(self, query: SearchQuery, *, deadline: Deadline) -> SearchResult: ...


@dataclass(frozen=True, slots=True)
class DatabaseSearcher:
    database: Database

    def search(self, query: SearchQuery, *, deadline: Deadline) -> SearchResult:
        return self.database.run(lambda connection: search(connection, query), deadline=deadline)


@dataclass(frozen=True, slots=True)
class RelevanceFloor:
    """On absolute values: normalised scores always have a best one, however bad it is."""

    min_cosine: float
    min_coverage: float

    def passes(self, passage: Passage) -> bool:
        """A passage is relevant if it is close in meaning or holds enough of the question's words."""
        close = passage.cosine is not None and passage.cosine >= self.min_cosine
        return close or passage.coverage >= self.min_coverage


@dataclass(frozen=True, slots=True)
class RetrievalStage:
    searcher: Searcher
    embedder: Embedder
    telemetry: Telemetry
    embedding_model: str
    tenant: str
    depth: int
    keyword_weight: float

    def retrieve(self, query: Query, *, deadline: Deadline) -> Retrieval:
        """Passages, best first. A failing embedding model costs the vector leg, not the answer.

        Raises DatabaseUnavailable, DeadlineExceeded, IndexMismatch, and IndexBehind if the index has not
        reached ``min_version``.
        """
        text = f"{query.context}\n{query.question}".strip()
        began = perf_counter()
        vector, tokens = self._embed(text, deadline)
        embedded = perf_counter()
        with self.telemetry.step("search", Metric.RETRIEVAL_LATENCY):
            result = self.searcher.search(self._search_query(query, text, vector), deadline=deadline)
        if query.min_version is not None and result.corpus_version < query.min_version:
            raise IndexBehind(f"the index is at version {result.corpus_version}")
        return Retrieval(
            passages=result.passages,
            corpus_version=result.corpus_version,
            usage=ModelUsage(self.embedding_model, tokens),
            degraded=vector is None,
            timings_ms={"embed": (embedded - began) * 1000, "search": (perf_counter() - embedded) * 1000},
        )

    def _embed(self, text: str, deadline: Deadline) -> tuple[list[float] | None, int]:
        try:
            with self.telemetry.step("embed", Metric.EMBEDDING_LATENCY):
                share = Deadline.after(min(EMBEDDING_SECONDS, deadline.remaining()))
                embeddings = self.embedder.embed([text], deadline=share, tries=EMBEDDING_TRIES)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded) as error:
            self.telemetry.log_failure(error)
            return None, 0
        self.telemetry.count(Metric.EMBEDDING_TOKENS, embeddings.tokens)
        cost = ModelUsage(self.embedding_model, embeddings.tokens).usd
        if cost is not None:
            self.telemetry.count(Metric.COST_USD, cost)
        return embeddings.vectors[0], embeddings.tokens

    def _search_query(self, query: Query, text: str, vector: list[float] | None) -> SearchQuery:
        return SearchQuery(
            tenant=self.tenant,
            text=text,
            vector=vector,
            filters=dict(query.filters or {}),
            limit=query.limit,
            depth=self.depth,
            keyword_weight=self.keyword_weight,
        )
