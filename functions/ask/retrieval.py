"""The retrieval half: embed the question, search."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from ask.searching import Searcher
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embedder
from bucketwise.errors import (
    DeadlineExceeded,
    IndexBehind,
    IndexChanged,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
    UnreadableDocument,
)
from bucketwise.index_kind import IndexKind
from bucketwise.models import FailureReason
from bucketwise.prices import ModelUsage
from bucketwise.search import K1, B, Floor, HeldVersion, KeywordLeg, Passage, SearchQuery
from bucketwise.snapstart import kept
from bucketwise.telemetry import Metric, Telemetry

EMBEDDING_TRIES = 2
# A question is embedded in a fraction of a second; later than this, keywords alone are the better answer.
# With little time left, half of it stays for the search.
EMBEDDING_SECONDS = 8.0
EMBEDDING_SHARE = 0.5


@kept
def _meanwhile() -> ThreadPoolExecutor:
    """Made anew after a snapshot, in which its threads may be none that run.

    An environment answers one question at a time, a benchmark's process several.
    """
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="meanwhile")


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """A version of an object by the id that S3 gave it when it was stored."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text's vector of one kind; ``tokens`` were paid for it now."""

    kind: IndexKind
    vector: list[float]
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """``context`` is what was said before the question, to be searched along with it; it may be empty.

    ``min_version`` is a corpus version, or a version of one object. ``embedded`` is the vector of ``text``, if that is
    known: it is taken if its kind is the live one. ``floor`` is what passages must pass to be found at all.
    ``explain``: what became of each passage will be told.
    """

    question: str
    context: str = ""
    filters: Mapping[str, Any] | None = None
    limit: int = 8
    min_version: int | ObjectVersion | None = None
    embedded: Embedded | None = None
    floor: Floor | None = None
    explain: bool = False

    @property
    def held_key(self) -> str | None:
        """The object whose version is to be told with what is found."""
        return self.min_version.key if isinstance(self.min_version, ObjectVersion) else None

    @property
    def text(self) -> str:
        """What is searched for."""
        return f"{self.context}\n{self.question}".strip()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """``embedded`` is None if the question could not be embedded, and keywords alone were searched."""

    passages: list[Passage]
    corpus_version: int
    usage: ModelUsage
    embedded: Embedded | None
    timings_ms: dict[str, float]

    @property
    def degraded(self) -> bool:
        return self.embedded is None


class Kinds(Protocol):
    def get(self, *, deadline: Deadline) -> IndexKind: ...
    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The keyword leg, and how long it took."""

    leg: KeywordLeg
    milliseconds: float


@dataclass(frozen=True, slots=True)
class RetrievalStage:
    """``kinds`` tells which kind of vectors is live, and ``embedder_for`` makes questions' vectors of that kind."""

    searcher: Searcher
    kinds: Kinds
    embedder_for: Callable[[IndexKind], Embedder]
    telemetry: Telemetry
    tenant: str
    depth: int
    keyword_weight: float
    keyword_normalisation: str = "max"
    bm25_k1: float = K1
    bm25_b: float = B

    def retrieve(self, query: Query, *, deadline: Deadline) -> Retrieval:
        """Passages, best first. A failing embedding model costs the vector leg, not the answer.

        Raises DatabaseUnavailable, DeadlineExceeded, IndexMismatch, IndexBehind if the index has not reached
        ``min_version``, and UnreadableDocument if that is a version which cannot be indexed.
        """
        try:
            return self._retrieve(query, deadline)
        except IndexChanged:  # the index went over to another embedding model
            self.kinds.forget()
            return self._retrieve(query, deadline)

    def _retrieve(self, query: Query, deadline: Deadline) -> Retrieval:
        kind = self.kinds.get(deadline=deadline)
        began = perf_counter()
        known = query.embedded if query.embedded and query.embedded.kind == kind else None
        embedded, ahead = (known, None) if known else self._embed_meanwhile(query, kind, deadline)
        keywords = {} if ahead is None else {"keywords": ahead.milliseconds}
        searching = perf_counter()
        with self.telemetry.step("search", Metric.RETRIEVAL_LATENCY):
            leg = ahead.leg if ahead else None
            result = self.searcher.search(self._search_query(query, embedded), leg, deadline=deadline)
        check_version(query.min_version, result.corpus_version, result.held)
        return Retrieval(
            passages=result.passages,
            corpus_version=result.corpus_version,
            usage=ModelUsage(kind.embedding_model, embedded.tokens if embedded else 0),
            embedded=embedded,
            timings_ms={"embed": (searching - began) * 1000}
            | keywords
            | {"search": (perf_counter() - searching) * 1000},
        )

    def _embed_meanwhile(
        self, query: Query, kind: IndexKind, deadline: Deadline
    ) -> tuple[Embedded | None, _Ahead | None]:
        """The question's vector, and what was found of its words while that was waited for."""
        if query.filters:
            return self._embed(query.text, kind, deadline), None
        words = _meanwhile().submit(self._look_ahead, self._search_query(query, None), deadline)
        try:
            embedded = self._embed(query.text, kind, deadline)
        finally:
            wait([words])  # whatever happens, nothing of this question goes on in the next one's time
        ahead = words.result()
        self.telemetry.count(Metric.KEYWORD_LATENCY, ahead.milliseconds)
        return embedded, ahead

    def _look_ahead(self, words: SearchQuery, deadline: Deadline) -> _Ahead:
        began = perf_counter()
        return _Ahead(self.searcher.ahead(words, deadline=deadline), (perf_counter() - began) * 1000)

    def _embed(self, text: str, kind: IndexKind, deadline: Deadline) -> Embedded | None:
        try:
            with self.telemetry.step("embed", Metric.EMBEDDING_LATENCY):
                share = Deadline.after(min(EMBEDDING_SECONDS, EMBEDDING_SHARE * deadline.remaining()))
                embeddings = self.embedder_for(kind).embed([text], deadline=share, tries=EMBEDDING_TRIES)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded) as error:
            self.telemetry.log_failure(error)
            return None
        self.telemetry.count(Metric.EMBEDDING_TOKENS, embeddings.tokens)
        cost = ModelUsage(kind.embedding_model, embeddings.tokens).usd
        if cost is not None:
            self.telemetry.count(Metric.COST_USD, cost)
        return Embedded(kind, embeddings.vectors[0], embeddings.tokens)

    def _search_query(self, query: Query, embedded: Embedded | None) -> SearchQuery:
        return SearchQuery(
            tenant=self.tenant,
            text=query.text,
            vector=embedded.vector if embedded else None,
            filters=dict(query.filters or {}),
            limit=query.limit,
            depth=self.depth,
            keyword_weight=self.keyword_weight,
            floor=query.floor,
            keyword_normalisation=self.keyword_normalisation,
            k1=self.bm25_k1,
            b=self.bm25_b,
            kind=embedded.kind if embedded else None,
            held_key=query.held_key,
        )


def check_version(wanted: int | ObjectVersion | None, corpus_version: int, held: HeldVersion | None) -> None:
    """Raises IndexBehind, or UnreadableDocument, if what was found is not of an index as new as that."""
    if isinstance(wanted, int) and corpus_version < wanted:
        raise IndexBehind(f"the index is at version {corpus_version}")
    if isinstance(wanted, ObjectVersion):
        _check_held(wanted, held)


def _check_held(wanted: ObjectVersion, held: HeldVersion | None) -> None:
    # S3's version ids have no order: of another version nobody can tell whether it is newer.
    if held is None or held.version != wanted.version:
        raise IndexBehind("the index does not hold that version of the object")
    if held.reason is not None:
        raise UnreadableDocument(FailureReason(held.reason), held.hint or "")
