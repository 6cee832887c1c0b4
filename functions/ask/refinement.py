"""From the passages that were found to those that are shown: copies dropped, ranked anew, chosen, neighbours joined."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from time import perf_counter

from ask.neighbours import Neighbourhood, join_neighbours, windows_around
from ask.rerank import Reranker, in_order_of
from ask.selection import at_most_per_document, without_near_duplicates
from bucketwise.deadline import Deadline
from bucketwise.errors import (
    DeadlineExceeded,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
    SecretUnavailable,
)
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.telemetry import Metric, Telemetry

# Later than this, the order of the search is the better answer; and half of what is left is the answering model's.
RERANK_SECONDS = 6.0
RERANK_SHARE = 0.5
# Asked of the search where some may be left out: twice as many as a request may ask for.
CANDIDATES_TO_DROP_FROM = 100


@dataclass(frozen=True, slots=True)
class Refined:
    """``passages`` are those to show, best first, and ``reranked`` those that a reranker put in this order.

    ``near_duplicates`` and ``crowded_out`` are those that others were preferred to, for what they say or for the
    documents they are of. ``degraded``: the reranker failed, and the order is that of the search.
    """

    passages: list[Passage]
    reranked: list[Passage] = field(default_factory=list)
    near_duplicates: list[Passage] = field(default_factory=list)
    crowded_out: list[Passage] = field(default_factory=list)
    usage: ModelUsage | None = None
    degraded: bool = False
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reranking:
    """The first passages, in their new order unless it ``failed`` or was not needed."""

    passages: list[Passage]
    usage: ModelUsage | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Refinement:
    """Each step may be off: without a reranker, and with the numbers 0.

    ``reach`` chunks before and after a passage are joined to it, where ``max_context_tokens`` leave room for them.
    """

    neighbourhood: Neighbourhood
    telemetry: Telemetry
    reranker: Reranker | None = None
    rerank_candidates: int = 50
    near_duplicate_share: float = 0.0
    max_per_document: int = 0
    reach: int = 0
    max_context_tokens: int = 6000

    @property
    def candidates(self) -> int:
        """How many passages there should be to choose from, however few are asked for."""
        drops = CANDIDATES_TO_DROP_FROM if self.near_duplicate_share or self.max_per_document else 0
        return max(drops, self.rerank_candidates if self.reranker else 0)

    def refine(
        self, question: str, found: Sequence[Passage], *, limit: int, deadline: Deadline, joined: bool = True
    ) -> Refined:
        """At most ``limit`` passages; ``joined`` to their neighbours fewer, where those of several are one stretch.

        A failing reranker costs its order. Raises DatabaseUnavailable or DeadlineExceeded where neighbours are read.
        """
        # Copies go first: no reranker is paid for the same text twice.
        copies: list[Passage] = []
        distinct = without_near_duplicates(found, share=self.near_duplicate_share, left_out=copies)
        began = perf_counter()
        reranking = self._rerank(question, distinct, deadline)
        ended = perf_counter()
        crowd: list[Passage] = []
        allowed = at_most_per_document(chain(reranking.passages, distinct), most=self.max_per_document, left_out=crowd)
        shown = list(islice(allowed, limit))
        if joined:
            shown = self._with_neighbours(shown, deadline)
        timings = {"rerank": (ended - began) * 1000} if self.reranker else {}
        if self.reach and joined:
            timings["neighbours"] = (perf_counter() - ended) * 1000
        self._count(Metric.NEAR_DUPLICATES, len(copies))
        self._count(Metric.CROWDED_OUT, len(crowd))
        return Refined(
            passages=shown,
            reranked=reranking.passages if reranking.usage else [],
            near_duplicates=copies,
            crowded_out=crowd,
            usage=reranking.usage,
            degraded=reranking.failed,
            timings_ms=timings,
        )

    def _rerank(self, question: str, passages: Iterator[Passage], deadline: Deadline) -> _Reranking:
        if self.reranker is None:
            return _Reranking([])
        seen = list(islice(passages, self.rerank_candidates))
        if len(seen) < 2:
            return _Reranking(seen)
        share = Deadline.after(min(RERANK_SECONDS, RERANK_SHARE * deadline.remaining()))
        try:
            with self.telemetry.step("rerank", Metric.RERANK_LATENCY):
                ranking = self.reranker.rank(question, seen, deadline=share)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded, SecretUnavailable) as error:
            self.telemetry.log_failure(error)
            self.telemetry.count(Metric.RERANKS_FAILED, 1)
            return _Reranking(seen, failed=True)
        self.telemetry.count(Metric.RERANK_TOKENS, ranking.usage.input_tokens)
        if ranking.usage.usd is not None:
            self.telemetry.count(Metric.COST_USD, ranking.usage.usd)
        return _Reranking(in_order_of(ranking, seen), ranking.usage)

    def _with_neighbours(self, passages: list[Passage], deadline: Deadline) -> list[Passage]:
        if not self.reach or not passages:
            return passages
        with self.telemetry.step("neighbours"):
            chunks = self.neighbourhood.chunks(windows_around(passages, self.reach), deadline=deadline)
        return join_neighbours(passages, chunks, reach=self.reach, most_tokens=self.max_context_tokens)

    def _count(self, metric: Metric, number: int) -> None:
        if number:
            self.telemetry.count(metric, number)
