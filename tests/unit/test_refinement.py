"""From passages that were found to those that are shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ask.answering import Reason
from ask.asking import Reply
from ask.explanation import explained
from ask.neighbours import NeighbourChunk
from ask.refinement import CANDIDATES_TO_DROP_FROM, RERANK_SECONDS, Refined, Refinement
from ask.rerank import Ranking
from ask.responses import answer_out, search_response
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.errors import (
    BucketwiseError,
    DeadlineExceeded,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
    SecretUnavailable,
)
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.spending import tell_usage
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_neighbours import MemoryNeighbourhood
from tests.unit.memory_searcher import MemorySearcher

A, B, C = (passage(f"Passage {name} speaks of {what}.", key=f"{name}.md") for name, what in
           (("a", "leave and holidays"), ("b", "gates that close"), ("c", "ferries and their times")))  # fmt: skip
UNRELATED = passage("Bake for an hour.", key="cake.md", cosine=0.1, coverage=0.2)
COPY = replace(A, key="copy.md")


@dataclass
class BackwardsReranker:
    """Turns the order around; the last one scores best. Keeps what it was asked and the time it was given."""

    failure: Exception | None = None
    questions: list[str] = field(default_factory=list)
    shown: list[list[Passage]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def rank(self, question: str, passages: Sequence[Passage], *, deadline: Deadline) -> Ranking:
        self.questions.append(question)
        self.shown.append(list(passages))
        self.seconds.append(deadline.remaining())
        if self.failure is not None:
            raise self.failure
        ranked: list[tuple[int, float | None]] = [(place, float(place)) for place in reversed(range(len(passages)))]
        usage = ModelUsage("gpt-4.1-mini", 100, 10)
        tell_usage(usage)
        return Ranking(ranked, usage)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry("ask")
    telemetry.metrics.clear_metrics()
    yield telemetry
    telemetry.metrics.clear_metrics()


def refine(step: Refinement, *found: Passage, limit: int = 8, seconds: float = 5) -> Refined:
    return step.refine("Leave?", found, limit=limit, deadline=Deadline.after(seconds))


def test_with_everything_off_the_first_passages_are_shown_as_they_are(telemetry: Telemetry) -> None:
    step = Refinement(MemoryNeighbourhood(), telemetry)
    assert refine(step, A, COPY, B, limit=2) == Refined(passages=[A, COPY])
    assert step.candidates == 0
    assert telemetry.metrics.metric_set == {}


def test_a_reranker_decides_what_is_cut(telemetry: Telemetry) -> None:
    refined = refine(Refinement(MemoryNeighbourhood(), telemetry, BackwardsReranker()), A, B, C, limit=2)
    assert [(each.key, each.rerank_rank, each.rerank_score) for each in refined.passages] == [
        ("c.md", 1, 2.0),
        ("b.md", 2, 1.0),
    ]
    assert (refined.degraded, refined.usage) == (False, ModelUsage("gpt-4.1-mini", 100, 10))
    counted: dict[str, object] = dict(telemetry.metrics.serialize_metric_set())
    assert counted["RerankTokens"] == [100.0]
    assert counted["CostUSD"] == [pytest.approx((100 * 0.4 + 10 * 1.6) / 1_000_000)]
    assert "RerankLatency" in counted
    assert "RerankFailures" not in counted


def test_passages_beyond_those_that_are_reranked_stay_behind_in_their_order(telemetry: Telemetry) -> None:
    reranker = BackwardsReranker()
    refined = refine(Refinement(MemoryNeighbourhood(), telemetry, reranker, rerank_candidates=2), A, B, C, UNRELATED)
    assert [each.key for each in refined.passages] == ["b.md", "a.md", "c.md", "cake.md"]
    assert reranker.shown == [[A, B]]


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnavailable("x"),
        ModelRefused("x"),
        ModelReplyInvalid("x"),
        DeadlineExceeded("x"),
        SecretUnavailable("x"),
    ],
)
def test_a_failing_reranker_costs_its_order_is_counted_and_told(
    failure: BucketwiseError, telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    refined = refine(Refinement(MemoryNeighbourhood(), telemetry, BackwardsReranker(failure)), A, B, C, limit=2)
    assert (refined.passages, refined.degraded, refined.usage) == ([A, B], True, None)
    counted: dict[str, object] = dict(telemetry.metrics.serialize_metric_set())
    assert counted["RerankFailures"] == [1.0]
    assert "speaks of" not in capsys.readouterr().out


def test_a_mistake_of_ours_is_not_passed_off_as_a_failing_reranker(telemetry: Telemetry) -> None:
    with pytest.raises(ZeroDivisionError):
        refine(Refinement(MemoryNeighbourhood(), telemetry, BackwardsReranker(ZeroDivisionError())), A, B)


@pytest.mark.parametrize(("left", "most"), [(100.0, RERANK_SECONDS), (4.0, 2.0)])
def test_a_reranker_has_a_share_of_the_time_that_is_left(left: float, most: float, telemetry: Telemetry) -> None:
    reranker = BackwardsReranker()
    refine(Refinement(MemoryNeighbourhood(), telemetry, reranker), A, B, seconds=left)
    assert most - 1 < reranker.seconds[0] <= most


@pytest.mark.parametrize("found", [[], [A]])
def test_nothing_to_rank_costs_no_call(found: list[Passage], telemetry: Telemetry) -> None:
    reranker = BackwardsReranker()
    assert refine(Refinement(MemoryNeighbourhood(), telemetry, reranker), *found).passages == found
    assert reranker.shown == []


def test_copies_are_dropped_before_the_rerank_and_the_maximum_comes_after_it(telemetry: Telemetry) -> None:
    reranker = BackwardsReranker()
    other = replace(passage("Another word about sick leave and doctors.", key="a.md"), ordinal=1)
    step = Refinement(MemoryNeighbourhood(), telemetry, reranker, near_duplicate_share=0.8, max_per_document=1)
    refined = refine(step, A, COPY, B, other)
    assert reranker.shown == [[A, B, other]]
    assert [(each.key, each.ordinal) for each in refined.passages] == [("a.md", 1), ("b.md", 0)]
    assert (len(refined.near_duplicates), len(refined.crowded_out)) == (1, 1)
    counted: dict[str, object] = dict(telemetry.metrics.serialize_metric_set())
    assert (counted["NearDuplicates"], counted["CrowdedOut"]) == ([1.0], [1.0])


def test_what_is_left_out_gives_its_place_to_the_next(telemetry: Telemetry) -> None:
    step = Refinement(MemoryNeighbourhood(), telemetry, near_duplicate_share=0.8)
    assert refine(step, A, COPY, B, C, limit=3).passages == [A, B, C]


def test_more_is_searched_for_where_some_may_be_left_out_or_behind(telemetry: Telemetry) -> None:
    def candidates(**options: float) -> int:
        return Refinement(MemoryNeighbourhood(), telemetry, **options).candidates  # type: ignore[arg-type]

    assert candidates(max_per_document=1) == candidates(near_duplicate_share=0.9) == CANDIDATES_TO_DROP_FROM
    assert Refinement(MemoryNeighbourhood(), telemetry, BackwardsReranker(), 70).candidates == 70


def test_neighbours_are_joined_to_what_is_shown(telemetry: Telemetry) -> None:
    text = f"{A.text}\nAnd more."
    stored = [
        NeighbourChunk("a.md", 0, A.text, 10, 0, A.marks, "v1"),
        NeighbourChunk("a.md", 1, "And more.", 3, len(A.text) + 1, (), "v1"),
    ]
    refined = refine(Refinement(MemoryNeighbourhood(stored), telemetry, reach=1), A, B, limit=1)
    assert [(each.text, each.tokens) for each in refined.passages] == [(text, 13)]
    assert refined.timings_ms.keys() == {"neighbours"}


def test_a_passage_below_the_relevance_floor_is_not_reranked_into_an_answer(telemetry: Telemetry) -> None:
    reranker, generator = BackwardsReranker(), FixedGenerator(said("Leave [1].", (1, "leave and holidays")))
    pipeline = ask_pipeline(MemorySearcher([A, B, UNRELATED]), generator, telemetry=telemetry, reranker=reranker)
    given = pipeline.answer(Query("Leave?"), deadline=Deadline.after(5))
    assert (reranker.questions, reranker.shown) == (["Leave?"], [[A, B]])
    assert [each.key for each in generator.prompts[0].passages] == ["b.md", "a.md"]
    assert given.draft.reason is Reason.NO_QUOTE_VERIFIED  # its passage 1 is the other one now


def test_without_anything_relevant_no_reranker_is_asked(telemetry: Telemetry) -> None:
    reranker = BackwardsReranker()
    pipeline = ask_pipeline(
        MemorySearcher([UNRELATED, UNRELATED]), FixedGenerator(said("")), telemetry=telemetry, reranker=reranker
    )
    assert pipeline.answer(Query("Leave?"), deadline=Deadline.after(5)).draft.reason is Reason.NOTHING_RELEVANT
    assert reranker.shown == []


def test_a_search_shows_ranks_of_the_rerank_whether_relevant_or_not(telemetry: Telemetry) -> None:
    pipeline = ask_pipeline(
        MemorySearcher([A, UNRELATED]), FixedGenerator(said("")), telemetry=telemetry, reranker=BackwardsReranker()
    )
    found = pipeline.search(Query("Leave?", limit=2), deadline=Deadline.after(5))
    shown = search_response(found, request_id="r", total_ms=1)
    assert [(each.key, each.rerank_rank, each.rerank_score) for each in shown.passages] == [
        ("cake.md", 1, 1.0),
        ("a.md", 2, 0.0),
    ]
    assert (shown.degraded, shown.usage.rerank_tokens) == (False, 110)
    assert shown.timings_ms.keys() == {"embed", "keywords", "search", "rerank", "total"}


@pytest.mark.parametrize(("failure", "degraded"), [(None, False), (ModelUnavailable("down"), True)])
def test_an_answer_explains_what_the_rerank_did(
    failure: Exception | None, degraded: bool, telemetry: Telemetry
) -> None:
    pipeline = ask_pipeline(
        MemorySearcher([A, UNRELATED, B]),
        FixedGenerator(said("Closed [1].", (1, "Passage"))),
        telemetry=telemetry,
        reranker=BackwardsReranker(failure),
    )
    given = pipeline.answer(Query("Gates?"), deadline=Deadline.after(5))
    explanation = explained(given, filters={}, trace_id=None)
    reply = Reply(answer_out(given), 7, "off", given.asked, given)
    shown = reply.response(lambda _key, _version: None, explain=explanation, request_id="r", total_ms=1)
    assert (shown.answered, shown.degraded) == (True, degraded)
    assert shown.citations[0].key == ("a.md" if degraded else "b.md")
    assert shown.explain is not None
    ranks = [(each.key, each.rerank_rank) for each in shown.explain.candidates]
    assert ranks == [("a.md", None if degraded else 2), ("cake.md", None), ("b.md", None if degraded else 1)]
