"""What models used for a request is spent, however the request ends."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from ask import estimate, routes
from ask.budgets import Limits
from ask.retrieval import Query
from bucketwise.errors import DeadlineExceeded, IndexChanged, ModelReplyInvalid
from bucketwise.models import FailureReason
from bucketwise.search import HeldVersion
from bucketwise.settings import Settings
from tests.integration.index_database import IndexDatabase
from tests.integration.purse import Purse, purse_of
from tests.unit.ask_world import QUESTION, AskWorld, Reply, sent, world
from tests.unit.fakes import http_event, said

__all__ = ["world"]

REWRITTEN, EMBEDDED, ANSWERED = 110, 5, 1100  # tokens, as the models of the fakes say
HISTORY = [{"question": "How much leave?", "answer": "A lot"}]
LATER = {"min_version": 10**9}
UNREADABLE = {"min_version": {"key": "a.md", "version": "v1"}}


@pytest.fixture(autouse=True)
def purse(shared_index: IndexDatabase, world: AskWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Purse]:
    with purse_of(shared_index, Limits(caller_tokens=20_000), uuid4().hex) as purse:
        monkeypatch.setattr(routes, "budgets", lambda _: purse.budgets)
        world.searcher.held = {"a.md": HeldVersion("v1", FailureReason.CORRUPT.value, "hint")}
        yield purse


def asked(path: str, **body: Any) -> Reply:
    return sent(http_event("POST", path, json.dumps({"question": QUESTION} | body)))


@pytest.mark.parametrize(("wanted", "status"), [(LATER, 409), (UNREADABLE, 422)])
def test_a_request_for_a_version_that_is_not_there_spends_what_it_used(
    wanted: dict[str, Any], status: int, purse: Purse
) -> None:
    assert [asked("/search", **wanted).status for _ in range(3)] == [status] * 3
    assert purse.spent == 3 * EMBEDDED
    assert asked("/ask", history=HISTORY, **wanted).status == status
    assert purse.spent == 4 * EMBEDDED + REWRITTEN


def test_requests_that_fail_end_with_the_budget(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    [reserved] = estimate.of_search(Settings.from_environment({"DATABASE_URL": "postgresql://x"}), Query(QUESTION))
    enough_for_three = purse.limited(Limits(caller_tokens=2 * EMBEDDED + reserved.input_tokens))
    monkeypatch.setattr(routes, "budgets", lambda _: enough_for_three.budgets)
    assert [asked("/search", **LATER).status for _ in range(5)] == [409, 409, 409, 429, 429]


@pytest.mark.parametrize(
    ("failure", "status", "embedded"),
    [(DeadlineExceeded("x"), 503, 1), (IndexChanged("x"), 503, 2), (ZeroDivisionError("x"), 500, 1)],
)
def test_an_embedding_is_spent_also_if_the_search_fails(
    failure: Exception, status: int, embedded: int, world: AskWorld, purse: Purse
) -> None:
    world.searcher.failure = failure
    assert asked("/search").status == status
    assert purse.spent == embedded * EMBEDDED


def test_all_calls_before_a_mistake_of_ours_are_spent(world: AskWorld, purse: Purse) -> None:
    world.generator.answer = said("30 [1].", (1, "30 days"))  # is asked once more, as no quote holds
    world.generator.later = [ZeroDivisionError("x")]
    assert asked("/ask", history=HISTORY).status == 500
    assert purse.spent == REWRITTEN + EMBEDDED + ANSWERED


def test_an_answer_that_is_not_repaired_is_spent_with_its_first_call(world: AskWorld, purse: Purse) -> None:
    world.generator.answer = said("30 [1].", (1, "30 days"))
    world.generator.later = [ModelReplyInvalid("x")]
    assert asked("/ask", cache=False).status == 200
    assert purse.spent == EMBEDDED + ANSWERED
