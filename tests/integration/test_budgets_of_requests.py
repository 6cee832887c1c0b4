"""Requests to the ask function whose callers have budgets in a real database."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ask import estimate, routes
from ask.budgets import Limits
from ask.retrieval import Query
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DatabaseUnavailable, IndexChanged
from bucketwise.settings import Settings
from tests.integration.index_database import IndexDatabase
from tests.integration.purse import Purse, purse_of
from tests.unit.ask_world import QUESTION, AskWorld, Reply, sent, world
from tests.unit.fakes import http_event

__all__ = ["world"]
pytestmark = pytest.mark.usefixtures("world")

BODY = json.dumps({"question": QUESTION})
USED_BY_AN_ANSWER, USED_BY_A_SEARCH = 1105, 5  # as the models of the fakes say
ROLE = "arn:aws:sts::123456789012:assumed-role"


def reserved(path: str) -> int:
    given, query = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"}), Query(QUESTION)
    usages = estimate.of_answer(given, query, []) if path == "/ask" else estimate.of_search(given, query)
    return sum(usage.input_tokens + usage.output_tokens for usage in usages)


@pytest.fixture
def purse(shared_index: IndexDatabase) -> Iterator[Purse]:
    with purse_of(shared_index, Limits(), uuid4().hex) as purse:
        yield purse


@pytest.fixture
def limited(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> Callable[[Limits], None]:
    """Sets the limits of the requests that follow."""

    def limit(limits: Limits) -> None:
        monkeypatch.setattr(routes, "budgets", lambda _: purse.limited(limits).budgets)

    return limit


NEW: dict[str, dict[str, bool]] = {"/ask": {"cache": False}, "/search": {}}


def asked(path: str = "/ask", *, arn: str = f"{ROLE}/reader/one", **changes: Any) -> Reply:
    event = http_event("POST", path, json.dumps(json.loads(BODY) | NEW[path])) | changes
    return sent(event | {"requestContext": event["requestContext"] | {"identity": {"userArn": arn}}})


@pytest.mark.parametrize(("path", "used"), [("/ask", USED_BY_AN_ANSWER), ("/search", USED_BY_A_SEARCH)])
def test_what_a_request_did_not_use_is_there_for_the_next_until_all_is_used(
    path: str, used: int, purse: Purse, limited: Callable[[Limits], None]
) -> None:
    limited(Limits(caller_tokens=reserved(path) + used))
    assert [asked(path).status for _ in range(3)] == [200, 200, 429]
    assert purse.spent == 2 * used


def test_a_spent_budget_is_a_problem_that_says_whose_limit_of_what_and_until_when(
    purse: Purse, limited: Callable[[Limits], None]
) -> None:
    for limits, scope, unit in [
        (Limits(caller_tokens=10), "caller", "tokens"),
        (Limits(caller_usd=0.00001), "caller", "usd"),
        (Limits(tenant_tokens=10), "tenant", "tokens"),
        (Limits(tenant_usd=0.00001), "tenant", "usd"),
    ]:
        limited(limits)
        reply = asked()
        assert (reply.status, reply.content_type) == (429, "application/problem+json")
        assert (reply.problem, reply.body["scope"], reply.body["limit"]) == ("budget-exceeded", scope, unit)
        assert 0 < int(reply.headers["Retry-After"]) <= 86_400
    assert purse.parts == []


def test_no_model_is_called_for_a_refused_request(world: AskWorld, limited: Callable[[Limits], None]) -> None:
    limited(Limits(tenant_tokens=10))
    assert (asked().status, asked("/search").status) == (429, 429)
    assert (world.generator.prompts, world.searcher.asked) == ([], [])


def test_a_role_has_one_budget_whatever_its_sessions_or_headers_say(limited: Callable[[Limits], None]) -> None:
    limited(Limits(caller_tokens=reserved("/ask")))
    assert asked().status == 200
    assert asked(arn=f"{ROLE}/reader/two").status == 429
    assert asked(headers={"X-Caller": "other"}).status == 429
    assert asked(arn=f"{ROLE}/writer/one").status == 200


@pytest.mark.usefixtures("purse")
def test_what_calls_no_model_has_no_budget(limited: Callable[[Limits], None]) -> None:
    limited(Limits(caller_tokens=1, tenant_tokens=1))
    assert [sent(http_event("GET", path)).status for path in ("/documents", "/health")] == [200, 200]


@pytest.mark.parametrize(("failure", "is_settled"), [(IndexChanged("x"), True), (DatabaseUnavailable("x"), False)])
def test_a_request_that_fails_gives_back_what_it_did_not_use_unless_the_database_is_gone(
    failure: BucketwiseError,
    is_settled: bool,
    world: AskWorld,
    purse: Purse,
    limited: Callable[[Limits], None],
) -> None:
    limited(Limits(caller_tokens=100_000))
    world.searcher.failure = failure
    assert asked().status == 503
    # When the index changes, the question is embedded once more.
    assert purse.spent == (2 * USED_BY_A_SEARCH if is_settled else reserved("/ask"))


def test_without_limits_the_database_is_not_asked_and_nothing_is_kept(
    purse: Purse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Deadline) -> BoundedConnection:
        raise AssertionError("the database was asked")

    unlimited = replace(purse.budgets, database=Database(refuse))
    monkeypatch.setattr(routes, "budgets", lambda _: unlimited)
    assert (asked().status, asked("/search").status) == (200, 200)
    assert purse.parts == []
    unlimited_but_one = replace(unlimited, limits=Limits(tenant_usd=1))
    monkeypatch.setattr(routes, "budgets", lambda _: unlimited_but_one)
    assert asked().status == 500


def test_a_refusal_is_counted_and_the_caller_is_named_nowhere(
    limited: Callable[[Limits], None], capsys: pytest.CaptureFixture[str]
) -> None:
    limited(Limits(caller_tokens=10))
    asked(arn="arn:aws:iam::123456789012:user/mary")
    said = capsys.readouterr().out
    assert '"Name":"BudgetExceeded"' in said
    assert '"reason":"budget-exceeded"' in said
    assert "mary" not in said
