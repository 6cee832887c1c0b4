"""A question that was answered before is answered from the cache, as long as nothing has changed, and no other is."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ask.answering import Reason
from ask.asking import Asking, Reply
from ask.prompt import Turn
from ask.replies import GeneratedAnswer
from ask.retrieval import ObjectVersion, Query
from bucketwise.deadline import Deadline
from bucketwise.errors import (
    BucketwiseError,
    DeadlineExceeded,
    IndexBehind,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
)
from bucketwise.index_kind import IndexKind
from bucketwise.search import HeldVersion
from bucketwise.spending import usages_told
from bucketwise.telemetry import Telemetry
from tests.unit.asking_fakes import fingerprint
from tests.unit.fakes import FixedEmbedder, FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_answer_cache import MemoryAnswerCache
from tests.unit.memory_rewriter import JoiningRewriter
from tests.unit.memory_searcher import MemorySearcher

LEAVE = passage("Leave is 25 days a year.")
ANSWER = said("25 days [1].", (1, "25 days"))
QUERY = Query("How much leave?")
HISTORY = [Turn("How much leave?", "A lot")]


@dataclass
class World:
    """``used`` are the input tokens that models were sent for the last reply."""

    answer: GeneratedAnswer = ANSWER
    searcher: MemorySearcher = field(default_factory=lambda: MemorySearcher([LEAVE]))
    embedder: FixedEmbedder = field(default_factory=FixedEmbedder)
    rewriter: JoiningRewriter = field(default_factory=JoiningRewriter)
    cache: MemoryAnswerCache | None = field(default_factory=MemoryAnswerCache)

    def __post_init__(self) -> None:
        self.generator = FixedGenerator(self.answer)
        self.used: list[int] = []

    def ask(self, query: Query = QUERY, *history: Turn, use_cache: bool = True) -> Reply:
        pipeline = ask_pipeline(
            self.searcher, self.generator, self.embedder, telemetry=Telemetry("ask"), rewriter=self.rewriter
        )
        with usages_told() as told:
            asking = Asking(pipeline, self.cache, fingerprint)
            reply = asking.ask(query, history, use_cache=use_cache, deadline=Deadline.after(20))
        self.used = [usage.input_tokens for usage in told]
        return reply

    def change(self) -> None:
        """A document's, which is none of the sources."""
        assert self.cache is not None
        self.cache.corpus_version += 1
        self.searcher.corpus_version += 1


def test_the_same_question_is_answered_from_the_cache_and_costs_nothing() -> None:
    world = World()
    first, again = world.ask(), world.ask()
    assert (first.cache, again.cache) == ("miss", "hit")
    assert again.told == first.told
    assert (again.corpus_version, world.used, again.degraded) == (7, [], False)
    assert (len(world.generator.prompts), len(world.searcher.asked)) == (1, 1)
    assert list(again.timings_ms) == ["cache"]


def test_an_answer_from_the_cache_has_links_that_are_made_now() -> None:
    world = World()
    world.ask()
    made: list[tuple[str, str | None]] = []

    def link(key: str, version: str | None) -> str:
        made.append((key, version))
        return f"link {len(made)}"

    reply = world.ask().response(link, explain=None, request_id="r", total_ms=1.0)
    assert [citation.url for citation in reply.citations] == ["link 1"]
    assert made == [("handbook.md", "v1")]
    assert (reply.answered, reply.answer, reply.cache, reply.usage.prompt_tokens) == (True, "25 days [1].", "hit", 0)
    assert world.cache is not None
    assert "link" not in str(world.cache.answers)


@pytest.mark.parametrize(
    "other", [Query("How much pay?"), replace(QUERY, limit=3), replace(QUERY, filters={"key": "a"})]
)
def test_another_question_is_answered_anew(other: Query) -> None:
    world = World()
    world.ask()
    assert world.ask(other).cache == "miss"
    assert len(world.generator.prompts) == 2


def test_after_any_change_it_is_answered_anew_with_the_vector_that_was_kept() -> None:
    world = World()
    world.ask()
    assert world.used == [5, 1000]
    world.change()
    reply = world.ask()
    assert (reply.cache, reply.corpus_version) == ("miss", 8)
    assert world.used == [1000]
    assert world.searcher.asked[-1].vector == [1.0, 0.0]


def test_vectors_of_another_kind_are_not_taken_for_the_live_one() -> None:
    world = World()
    world.ask()
    world.searcher.kinds.live = IndexKind("another-model", 2)
    world.searcher.kinds.forget()
    reply = world.ask()
    assert (reply.cache, world.used) == ("miss", [5, 1000])


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_request_may_be_answered_anew_and_keeps_nothing_then(use_cache: bool) -> None:
    world = World()
    assert world.ask(use_cache=use_cache).cache == ("miss" if use_cache else "off")
    assert world.cache is not None
    assert bool(world.cache.answers) is bool(world.cache.vectors) is use_cache
    assert world.ask(use_cache=False).cache == "off"
    assert len(world.generator.prompts) == 2


def test_without_a_cache_every_question_is_answered() -> None:
    world = World(cache=None)
    assert [world.ask().cache, world.ask().cache] == ["off", "off"]
    assert len(world.generator.prompts) == 2


def test_that_the_passages_do_not_hold_the_answer_is_kept_with_its_passages() -> None:
    world = World(said("", answerable=False))
    first, again = world.ask(), world.ask()
    assert (again.cache, again.told.reason, again.told.passages) == ("hit", "not_in_passages", first.told.passages)
    assert [shown.text for shown in again.told.passages] == [LEAVE.text]


@pytest.mark.parametrize("found", [[], [passage("Bake.", cosine=0.1, coverage=0.1)]])
def test_that_nothing_was_found_is_not_kept(found: list[Any]) -> None:
    world = World(searcher=MemorySearcher(found))
    assert [world.ask().cache, world.ask().cache] == ["miss", "miss"]


def test_an_answer_that_could_not_be_checked_is_not_kept() -> None:
    world = World(said("30 days [1].", (1, "30 days")))
    assert world.ask().told.reason == Reason.NO_QUOTE_VERIFIED.value
    assert world.ask().cache == "miss"


@pytest.mark.parametrize(
    "failure", [ModelUnavailable("x"), ModelRefused("x"), ModelReplyInvalid("x"), DeadlineExceeded("x")]
)
def test_what_is_degraded_is_not_kept(failure: BucketwiseError) -> None:
    world = World()
    world.generator.failure = failure
    assert world.ask().degraded
    world.generator.failure = None
    world.embedder.failure = failure
    query = Query("How many days?")
    assert world.ask(query).degraded
    assert world.cache is not None
    assert world.cache.answers == {}
    assert (world.ask().cache, world.ask(query).cache) == ("miss", "miss")


def test_the_sources_are_all_documents_that_the_model_was_shown() -> None:
    gate = passage("The gate closes.", key="gate.md")
    world = World(searcher=MemorySearcher([LEAVE, gate]))
    world.ask()
    assert world.cache is not None
    assert [sources for _, _, sources in world.cache.answers.values()] == [{"handbook.md", "gate.md"}]
    world.cache.forget("gate.md")
    assert world.cache.answers == {}


def test_what_was_kept_in_another_form_is_answered_anew() -> None:
    world = World()
    world.ask()
    assert world.cache is not None
    [mark] = world.cache.answers
    world.cache.answers[mark] = (7, {"answer": "of an older version"}, frozenset())
    assert world.ask().told.answer == "25 days [1]."


def test_a_kept_answer_is_as_new_as_was_asked_for() -> None:
    world = World()
    world.ask()
    assert world.ask(replace(QUERY, min_version=7)).cache == "hit"
    with pytest.raises(IndexBehind):
        world.ask(replace(QUERY, min_version=8))
    assert world.cache is not None
    world.cache.held = {"a.md": HeldVersion("v2")}
    assert world.ask(replace(QUERY, min_version=ObjectVersion("a.md", "v2"))).cache == "hit"
    with pytest.raises(IndexBehind):
        world.ask(replace(QUERY, min_version=ObjectVersion("a.md", "v3")))


def test_a_follow_up_is_rewritten_and_then_searched_for_and_answered_by_itself() -> None:
    world = World()
    reply = world.ask(Query("And me?"), *HISTORY)
    assert world.searcher.asked[0].text == "How much leave? And me?"
    assert "<question>How much leave? And me?</question>" in world.generator.prompts[0].content
    assert "A lot" not in world.generator.prompts[0].content
    assert world.used == [100, 5, 1000]
    assert reply.degraded is False
    assert list(reply.timings_ms) == ["cache", "rewrite", "embed", "keywords", "search", "generate"]


def test_a_follow_up_is_kept_as_the_question_that_it_stands_for() -> None:
    world = World()
    world.ask(Query("How much leave? And me?"))
    reply = world.ask(Query("And me?"), *HISTORY)
    assert (reply.cache, world.used) == ("hit", [100])
    assert reply.response(lambda *_: None, explain=None, request_id="r", total_ms=1).usage.prompt_tokens == 100


def test_without_a_history_no_model_is_asked_to_rewrite() -> None:
    world = World()
    assert "rewrite" not in world.ask().timings_ms
    assert world.rewriter.asked == []


@pytest.mark.parametrize(
    "failure", [ModelUnavailable("x"), ModelRefused("x"), ModelReplyInvalid("x"), DeadlineExceeded("x")]
)
def test_a_follow_up_that_cannot_be_rewritten_is_read_after_the_question_before_it(failure: BucketwiseError) -> None:
    world = World(rewriter=JoiningRewriter(failure))
    reply = world.ask(Query("And me?"), *HISTORY)
    assert world.searcher.asked[0].text == "How much leave?\nAnd me?"
    assert "<question>How much leave?\nAnd me?</question>" in world.generator.prompts[0].content
    assert (reply.told.answer, reply.degraded, reply.cache) == ("25 days [1].", True, "off")


def test_the_time_to_each_reply_is_counted() -> None:
    world, telemetry = World(), Telemetry("ask")
    world.ask()
    world.ask()
    counted: dict[str, object] = dict(telemetry.metrics.serialize_metric_set())
    assert len(counted["TimeToAnswer"]) == 2  # type: ignore[arg-type]
