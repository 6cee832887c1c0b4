"""From a question to an answer with citations, or to a reason why not."""

from dataclasses import replace

import pytest

from ask.answering import Reason
from ask.explanation import became
from ask.pipeline import Answer
from ask.replies import GeneratedAnswer
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.errors import (
    BucketwiseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    IndexBehind,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
)
from bucketwise.search import Passage
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import (
    FixedEmbedder,
    FixedGenerator,
    ask_pipeline,
    passage,
    said,
)
from tests.unit.memory_searcher import MemorySearcher

LEAVE = passage("Leave is 25 days a year.")
GATE = passage("The gate closes at midnight.", key="gate.md")
UNRELATED = passage("Bake for an hour.", cosine=0.1, coverage=0.2)


def answer(
    generator: FixedGenerator,
    *,
    searcher: MemorySearcher | None = None,
    embedder: FixedEmbedder | None = None,
    query: Query | None = None,
    max_context_tokens: int = 6000,
) -> Answer:
    pipeline = ask_pipeline(
        searcher or MemorySearcher([LEAVE, GATE]),
        generator,
        embedder,
        telemetry=Telemetry("ask"),
        max_context_tokens=max_context_tokens,
    )
    return pipeline.answer(query or Query("How much leave?"), deadline=Deadline.after(5))


def test_an_answer_comes_with_the_citations_that_hold() -> None:
    given = answer(FixedGenerator(said("25 days [1].", (1, "leave is 25 days"))))
    assert (given.draft.text, given.draft.reason, given.degraded) == ("25 days [1].", None, False)
    [citation] = given.draft.citations
    assert (citation.marker, citation.passage, citation.quote) == (1, LEAVE, "Leave is 25 days")
    assert [usage.input_tokens for usage in given.chats] == [1000]
    assert len(given.draft.dropped) == 0


def test_a_citation_that_does_not_hold_is_dropped_with_its_marker() -> None:
    given = answer(FixedGenerator(said("25 days [1], till noon [2].", (1, "25 days"), (2, "till noon"))))
    assert given.draft.text == "25 days [1], till noon."
    assert [citation.marker for citation in given.draft.citations] == [1]
    assert len(given.draft.dropped) == 1


def test_a_quotation_given_twice_is_cited_once_and_not_counted_as_dropped() -> None:
    given = answer(FixedGenerator(said("25 days [1].", (1, "25 days"), (1, "25 DAYS"))))
    assert (len(given.draft.citations), len(given.draft.dropped)) == (1, 0)


def test_an_answer_none_of_whose_quotes_holds_is_not_given() -> None:
    given = answer(FixedGenerator(said("30 days [1].", (1, "30 days"))))
    assert (given.draft.text, given.draft.reason, given.draft.citations) == (None, Reason.NO_QUOTE_VERIFIED, [])
    assert (given.relevant, len(given.draft.dropped)) == ([LEAVE, GATE], 2)  # it was asked twice


def test_an_answer_without_any_quote_is_not_given() -> None:
    assert answer(FixedGenerator(said("25 days."))).draft.reason is Reason.NO_QUOTE_VERIFIED


def test_an_answer_of_nothing_but_markers_that_do_not_hold_is_not_given() -> None:
    given = answer(FixedGenerator(said("[2]", (1, "25 days"))))
    assert (given.draft.text, given.draft.reason, given.draft.citations) == (None, Reason.NO_QUOTE_VERIFIED, [])


@pytest.mark.parametrize(
    "reply",
    [said("", answerable=False), said("Yes [1]", (1, "25 days"), answerable=False), said(" \n", (1, "25 days"))],
)
def test_a_model_that_finds_no_answer_is_believed(reply: GeneratedAnswer) -> None:
    given = answer(FixedGenerator(reply))
    assert (given.draft.text, given.draft.reason, given.draft.citations) == (None, Reason.NOT_IN_PASSAGES, [])
    assert given.degraded is False


@pytest.mark.parametrize("found", [[], [UNRELATED]])
def test_without_anything_relevant_no_model_is_asked(found: list[Passage]) -> None:
    generator = FixedGenerator(said("25 days [1].", (1, "25 days")))
    given = answer(generator, searcher=MemorySearcher(found))
    assert (given.draft.text, given.draft.reason, given.chats) == (None, Reason.NOTHING_RELEVANT, [])
    assert generator.prompts == []
    assert given.relevant == []


def test_what_is_not_relevant_is_not_shown_to_the_model() -> None:
    generator = FixedGenerator(said("25 days [1].", (1, "25 days")))
    given = answer(generator, searcher=MemorySearcher([UNRELATED, LEAVE]))
    assert generator.prompts[0].passages == (LEAVE,)
    assert [citation.passage for citation in given.draft.citations] == [LEAVE]
    assert (given.relevant, given.draft.in_prompt) == ([LEAVE], (LEAVE,))


def test_no_more_is_looked_up_than_is_wanted_of_what_is_relevant() -> None:
    searcher = MemorySearcher([UNRELATED, LEAVE, GATE])
    query = Query("How much leave?", limit=1)
    given = answer(FixedGenerator(said("25 days [1].", (1, "25 days"))), searcher=searcher, query=query)
    assert (searcher.asked[0].limit, given.found.retrieval.passages) == (1, [LEAVE])


@pytest.mark.parametrize(
    ("explain", "min_fit", "near_duplicate_share", "wanted"),
    [(True, 0.0, 0.0, 50), (False, 0.5, 0.0, 50), (False, 0.0, 0.8, 100)],
)
def test_all_is_looked_up_if_more_than_the_floor_chooses_or_it_is_to_be_explained(
    explain: bool, min_fit: float, near_duplicate_share: float, wanted: int
) -> None:
    searcher = MemorySearcher([UNRELATED, LEAVE, GATE])
    pipeline = ask_pipeline(searcher, FixedGenerator(said("25 days [1].", (1, "25 days"))), telemetry=Telemetry("ask"))
    pipeline = replace(
        pipeline,
        floor=replace(pipeline.floor, min_fit=min_fit),
        refinement=replace(pipeline.refinement, near_duplicate_share=near_duplicate_share),
    )
    query = Query("How much leave?", limit=1, explain=explain)
    given = pipeline.answer(query, deadline=Deadline.after(5))
    assert (searcher.asked[0].limit, searcher.asked[0].floor) == (wanted, None)
    assert given.found.retrieval.passages == [UNRELATED, LEAVE, GATE]
    assert (given.relevant, given.below_floor) == ([LEAVE], frozenset({UNRELATED.place}))


def test_a_passage_that_was_found_but_not_shown_cannot_be_cited() -> None:
    generator = FixedGenerator(said("Midnight [2].", (2, "closes at midnight")))
    given = answer(generator, max_context_tokens=60)
    assert len(given.draft.in_prompt) == 1
    assert given.draft.reason is Reason.NO_QUOTE_VERIFIED


@pytest.mark.parametrize(
    "failure", [ModelUnavailable("x"), ModelRefused("x"), ModelReplyInvalid("x"), DeadlineExceeded("x")]
)
def test_a_model_that_fails_costs_the_answer_but_not_the_passages(failure: BucketwiseError) -> None:
    given = answer(FixedGenerator(said(""), failure))
    assert (given.draft.text, given.draft.reason, given.degraded) == (None, Reason.MODEL_FAILED, True)
    assert given.relevant == [LEAVE, GATE]


def test_a_mistake_of_ours_is_not_passed_off_as_a_failing_model() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(FixedGenerator(said(""), ZeroDivisionError()))


def test_without_an_embedding_model_an_answer_is_found_by_keywords_and_says_so() -> None:
    embedder = FixedEmbedder(ModelUnavailable("down"))
    given = answer(FixedGenerator(said("25 days [1].", (1, "25 days"))), embedder=embedder)
    assert (given.draft.text, given.degraded) == ("25 days [1].", True)


def test_an_index_that_is_behind_is_not_asked_for_an_answer() -> None:
    generator = FixedGenerator(said(""))
    with pytest.raises(IndexBehind):
        answer(generator, query=Query("How much leave?", min_version=8))
    assert generator.prompts == []


def test_without_a_database_there_is_no_answer_at_all() -> None:
    with pytest.raises(DatabaseUnavailable):
        answer(FixedGenerator(said("")), searcher=MemorySearcher(failure=DatabaseUnavailable("down")))


def test_passages_below_the_floor_take_no_place_of_those_asked_for() -> None:
    generator = FixedGenerator(said("25 days [1].", (1, "25 days")))
    searcher = MemorySearcher([UNRELATED, UNRELATED, LEAVE, GATE])
    given = answer(generator, searcher=searcher, query=Query("How much leave?", limit=1))
    assert given.draft.text == "25 days [1]."
    assert given.relevant == [LEAVE]


def test_a_passage_of_another_document_than_the_question_names_is_not_shown() -> None:
    lease = [
        replace(passage(text, key="Alder.pdf"), ordinal=ordinal)
        for ordinal, text in enumerate(("Between Alder Timber and Quill House.", "Rent is due monthly."))
    ]
    other = passage("Rent is due weekly.", key="Birch.pdf")
    pipeline = ask_pipeline(
        MemorySearcher([lease[0], other, lease[1]]),
        FixedGenerator(said("Monthly [2].", (2, "Rent is due monthly"))),
        telemetry=Telemetry("ask"),
    )
    floor = replace(pipeline.floor, min_fit=0.5)
    query = Query("When is rent due between Alder Timber and Quill House?")
    given = replace(pipeline, floor=floor).answer(query, deadline=Deadline.after(5))
    assert (given.relevant, given.below_floor, given.of_others) == (lease, frozenset(), frozenset({other.place}))
    assert became(given, other) == "other_document"
    assert given.draft.text == "Monthly [2]."
