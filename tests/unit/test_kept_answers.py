"""Which answers may be kept, and whose change ends them."""

from dataclasses import replace

import pytest

from ask.asking import Asking, Reply
from ask.replies import GeneratedAnswer
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelUnavailable
from bucketwise.index_kind import IndexKind
from bucketwise.telemetry import Telemetry
from tests.unit.asking_fakes import fingerprint
from tests.unit.fakes import FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_answer_cache import MemoryAnswerCache
from tests.unit.memory_searcher import MemorySearcher
from tests.unit.test_refinement import BackwardsReranker

LEAVE = passage("Leave is 25 days a year.")
GATE = passage("The gate closes.", key="gate.md", tokens=9000)
ANSWER = said("25 days [1].", (1, "25 days"))


@pytest.fixture
def cache() -> MemoryAnswerCache:
    return MemoryAnswerCache()


def asked(
    cache: MemoryAnswerCache,
    answer: GeneratedAnswer = ANSWER,
    *,
    searcher: MemorySearcher | None = None,
    reranker: BackwardsReranker | None = None,
) -> Reply:
    pipeline = ask_pipeline(
        searcher or MemorySearcher([LEAVE, GATE]),
        FixedGenerator(answer),
        telemetry=Telemetry("ask"),
        reranker=reranker,
    )
    return Asking(pipeline, cache, fingerprint).ask(
        Query("How much leave?"), [], use_cache=True, deadline=Deadline.after(20)
    )


def test_passages_that_are_told_without_an_answer_are_sources_though_the_model_was_not_shown_them(
    cache: MemoryAnswerCache,
) -> None:
    reply = asked(cache, said("", answerable=False))
    assert reply.answer is not None
    assert [shown.key for shown in reply.answer.draft.in_prompt] == ["handbook.md"]
    assert [told.key for told in reply.told.passages] == ["handbook.md", "gate.md"]
    cache.forget("gate.md")
    assert cache.answers == {}


def test_with_an_answer_no_passages_are_told(cache: MemoryAnswerCache) -> None:
    assert (asked(cache).told.answer, asked(cache).told.passages) == ("25 days [1].", [])


def test_an_answer_from_what_could_not_be_reranked_is_not_kept(cache: MemoryAnswerCache) -> None:
    reranker = BackwardsReranker(ModelUnavailable("x"))
    short = replace(GATE, tokens=10)
    reply = asked(cache, searcher=MemorySearcher([LEAVE, short]), reranker=reranker)
    assert (reply.told.answer, reply.degraded, cache.answers) == ("25 days [1].", True, {})


def test_nothing_is_kept_that_was_found_by_another_kind_of_vectors_than_was_looked_for(
    cache: MemoryAnswerCache,
) -> None:
    """The index goes over to another kind between the look-up and the search."""
    searcher = MemorySearcher([LEAVE])
    searcher.kinds.known = IndexKind("the model before", 2)
    reply = asked(cache, searcher=searcher)
    assert (reply.told.answer, reply.degraded) == ("25 days [1].", False)
    assert (cache.answers, cache.vectors) == ({}, {})
