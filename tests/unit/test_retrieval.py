"""The retrieval half of a question."""

from dataclasses import replace

import pytest

from ask.retrieval import ObjectVersion, Query
from bucketwise.deadline import Deadline
from bucketwise.errors import (
    BucketwiseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    IndexBehind,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
    UnreadableDocument,
)
from bucketwise.index_kind import IndexKind
from bucketwise.models import FailureReason
from bucketwise.search import HeldVersion
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedEmbedder, passage, retrieval_stage
from tests.unit.memory_kinds import EMBEDDING_MODEL, MemoryKinds
from tests.unit.memory_searcher import MemorySearcher

FOUND = passage("Leave is 25 days.")
OF_ONE_OBJECT = Query("Leave?", min_version=ObjectVersion("a.md", "v2"))


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("ask")


def test_passages_come_back_in_order_with_version_usage_and_timings(telemetry: Telemetry) -> None:
    other = passage("The gate closes.")
    found = retrieval_stage(MemorySearcher([FOUND, other], 42), telemetry=telemetry).retrieve(
        Query("How much leave?"), deadline=Deadline.after(5)
    )
    assert (found.passages, found.corpus_version, found.degraded) == ([FOUND, other], 42, False)
    assert found.usage.input_tokens == 5
    assert found.timings_ms.keys() == {"embed", "keywords", "search"}


def test_the_search_is_asked_with_what_was_set_and_what_was_sent(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    query = Query("And part time?", context="How much leave?", filters={"prefix": "hr/"}, limit=3)
    retrieval_stage(searcher, telemetry=telemetry).retrieve(query, deadline=Deadline.after(5))
    [asked] = searcher.asked
    assert asked.text == "How much leave?\nAnd part time?"
    assert (asked.tenant, asked.vector, asked.filters) == ("default", [1.0, 0.0], {"prefix": "hr/"})
    assert (asked.limit, asked.depth, asked.keyword_weight) == (3, 100, 0.6)
    assert (asked.keyword_normalisation, asked.k1, asked.b) == ("max", 0.9, 0.4)


def test_normalisation_and_the_constants_of_bm25_are_settings(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    stage = retrieval_stage(searcher, telemetry=telemetry)
    changed = replace(stage, keyword_normalisation="min_max", bm25_k1=1.2, bm25_b=0.75)
    changed.retrieve(Query("Leave?"), deadline=Deadline.after(5))
    [asked] = searcher.asked
    assert (asked.keyword_normalisation, asked.k1, asked.b) == ("min_max", 1.2, 0.75)


def test_a_question_without_context_is_searched_as_it_is(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    retrieval_stage(searcher, telemetry=telemetry).retrieve(Query("Leave?"), deadline=Deadline.after(5))
    assert searcher.asked[0].text == "Leave?"
    assert searcher.asked[0].filters == {}


@pytest.mark.parametrize("failure", [ModelUnavailable("x"), ModelRefused("x"), ModelReplyInvalid("x")])
def test_without_an_embedding_keywords_alone_are_searched(failure: BucketwiseError, telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    stage = retrieval_stage(searcher, FixedEmbedder(failure), telemetry=telemetry)
    found = stage.retrieve(Query("Leave?"), deadline=Deadline.after(5))
    assert (found.degraded, found.passages, found.usage.input_tokens) == (True, [FOUND], 0)
    assert searcher.asked[0].vector is None


@pytest.mark.parametrize("failure", [DatabaseUnavailable("x"), DeadlineExceeded("x")])
def test_without_an_index_there_is_nothing_to_fall_back_on(failure: BucketwiseError, telemetry: Telemetry) -> None:
    stage = retrieval_stage(MemorySearcher(failure=failure), telemetry=telemetry)
    with pytest.raises(type(failure)):
        stage.retrieve(Query("Leave?"), deadline=Deadline.after(5))


def test_a_request_whose_time_is_over_is_not_searched(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    with pytest.raises(DeadlineExceeded):
        retrieval_stage(searcher, telemetry=telemetry).retrieve(Query("Leave?"), deadline=Deadline.after(-1))
    assert searcher.asked == []


@pytest.mark.parametrize("wanted", [None, 0, 6, 7])
def test_an_index_that_is_far_enough_answers(wanted: int | None, telemetry: Telemetry) -> None:
    stage = retrieval_stage(MemorySearcher([FOUND], 7), telemetry=telemetry)
    assert stage.retrieve(Query("Leave?", min_version=wanted), deadline=Deadline.after(5)).corpus_version == 7


def test_an_index_that_is_behind_says_so(telemetry: Telemetry) -> None:
    stage = retrieval_stage(MemorySearcher([FOUND], 7), telemetry=telemetry)
    with pytest.raises(IndexBehind):
        stage.retrieve(Query("Leave?", min_version=8), deadline=Deadline.after(5))


@pytest.mark.parametrize(
    "held",
    [
        None,
        HeldVersion("older or newer"),
        HeldVersion("older or newer", "corrupt", "hint"),
    ],
)
def test_an_index_that_holds_another_version_of_the_object_is_behind(
    held: HeldVersion | None, telemetry: Telemetry
) -> None:
    searcher = MemorySearcher([FOUND], held={"a.md": held} if held else {})
    with pytest.raises(IndexBehind):
        retrieval_stage(searcher, telemetry=telemetry).retrieve(OF_ONE_OBJECT, deadline=Deadline.after(5))


def test_an_index_that_holds_the_version_of_the_object_answers(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND], held={"a.md": HeldVersion("v2")})
    found = retrieval_stage(searcher, telemetry=telemetry).retrieve(OF_ONE_OBJECT, deadline=Deadline.after(5))
    assert found.passages == [FOUND]
    assert searcher.asked[0].held_key == "a.md"


def test_a_version_that_will_never_be_searchable_says_why(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND], held={"a.md": HeldVersion("v2", "corrupt", "hint")})
    with pytest.raises(UnreadableDocument) as caught:
        retrieval_stage(searcher, telemetry=telemetry).retrieve(OF_ONE_OBJECT, deadline=Deadline.after(5))
    assert (caught.value.reason, caught.value.hint) == (FailureReason.CORRUPT, "hint")


def test_what_embedding_a_question_costs_is_counted_also_when_nothing_is_found(telemetry: Telemetry) -> None:
    telemetry.metrics.clear_metrics()
    retrieval_stage(MemorySearcher(), telemetry=telemetry).retrieve(
        Query("How much leave?"), deadline=Deadline.after(5)
    )
    counted: dict[str, object] = dict(telemetry.metrics.serialize_metric_set())
    telemetry.metrics.clear_metrics()
    assert counted["EmbeddingTokens"] == [5.0]
    assert counted["CostUSD"] == [pytest.approx(5 * 0.02 / 1_000_000)]


def test_a_question_is_embedded_anew_when_the_index_went_over_to_another_model(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    stage = retrieval_stage(searcher, telemetry=telemetry)
    stage.retrieve(Query("Leave?"), deadline=Deadline.after(5))
    searcher.kinds.live = IndexKind("another-model", 2)
    found = stage.retrieve(Query("Leave?"), deadline=Deadline.after(5))
    assert [asked.kind.embedding_model for asked in searcher.asked if asked.kind] == [
        EMBEDDING_MODEL,
        EMBEDDING_MODEL,
        "another-model",
    ]
    assert (found.usage.model, found.degraded) == ("another-model", False)


def test_keywords_need_no_kind(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND], kinds=MemoryKinds(known=IndexKind("gone", 3)))
    stage = retrieval_stage(searcher, FixedEmbedder(ModelUnavailable("x")), telemetry=telemetry)
    assert stage.retrieve(Query("Leave?"), deadline=Deadline.after(5)).passages == [FOUND]
