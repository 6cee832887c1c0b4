"""What a wrong request makes the ask function do and say is bounded, however large the request is."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ask.filters import MOST_CHOICES, MOST_CONDITIONS, MOST_DEPTH
from ask.problems import LONGEST_WHERE, MOST_PARTS
from ask.schemas import AskRequest
from tests.unit.ask_world import Reply, sent, world
from tests.unit.fakes import http_event

__all__ = ["world"]
pytestmark = pytest.mark.usefixtures("world")

MANY = 20_000
MOST_ERRORS = 5_000  # made of one request: some 10 ms
NAMES = {f"name{number}": 1 for number in range(MANY)}
WRONG_CHOICES: dict[str, Any] = {"in": [[]] * MOST_CHOICES}
TESTS = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "exists", "else", "also", "or", "nor", "xor")


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"all": [inner], "any": [inner], "not": inner}
    return inner


WRONG: dict[str, dict[str, Any]] = {
    "choices in conditions in filters": {
        "filters": {"all": [{"metadata": {f"k{number}": WRONG_CHOICES for number in range(20)}}] * 100}
    },
    "choices in as many conditions as there may be": {
        "filters": {"all": [{"metadata": {f"k{number}": WRONG_CHOICES for number in range(18)}}] * 5}
    },
    "choices": {"filters": {"metadata": {"k": {"in": [[]] * MANY}}}},
    "metadata": {"filters": {"metadata": {f"k{number}": [] for number in range(MANY)}}},
    "wrong tests in conditions": {"filters": {"metadata": {key: {test: [] for test in TESTS} for key in "abcdefgh"}}},
    "lists of filters": {"filters": {"all": [[]] * MANY}},
    "filters": {"filters": {"any": [{"key": 1}] * MANY}},
    "empty filters": {"filters": {"any": [{}] * MANY}},
    "nested filters": {"filters": nested(MOST_DEPTH + 1, {"metadata": {"a": []}})},
    "filters nested out of sight": {"filters": {"not": nested(MOST_DEPTH, {"key": []})}},
    "unknown fields": dict(NAMES),
    "unknown filters": {"filters": NAMES},
    "unknown conditions": {"filters": {"metadata": {"k": NAMES}}},
    "unknown parts of a version": {"min_version": NAMES},
    "turns": {"history": [[]] * MANY},
    "turns with unknown fields": {"history": [NAMES]},
}  # fmt: skip


def asked(**request: Any) -> Reply:
    return sent(http_event("POST", "/ask", json.dumps({"question": "x"} | request)))


@pytest.mark.parametrize("request_", WRONG.values(), ids=WRONG)
def test_a_request_in_which_everything_is_wrong_makes_few_errors_and_a_short_reply(request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        AskRequest.model_validate({"question": "x"} | request_)
    assert refused.value.error_count() <= MOST_ERRORS
    reply = asked(**request_)
    assert (reply.status, reply.problem) == (422, "invalid-request")
    assert 0 < len(reply.body["errors"]) <= MOST_PARTS
    assert len(json.dumps(reply.body)) < 20_000


def test_of_many_wrong_parts_the_first_are_told_and_how_many_more_there_are() -> None:
    wrong: dict[str, Any] = {f"k{number}": {"eq": []} for number in range(20)}
    body = asked(filters={"metadata": wrong}).body
    assert len(body["errors"]) == MOST_PARTS
    assert body["further_errors"] > 0
    few = asked(filters={"key": 1}).body
    assert ("further_errors" in few, [each["where"] for each in few["errors"]]) == (False, ["body/filters/key"])


def test_a_long_name_is_told_by_its_beginning() -> None:
    [wrong] = asked(**{"x" * 1_000_000: 1}).body["errors"]
    assert wrong["where"] == ("body/" + "x" * 1_000_000)[:LONGEST_WHERE]


def test_as_many_conditions_and_choices_as_there_may_be_are_taken() -> None:
    choices = {"metadata": {"k": {"in": ["v" * 50] * MOST_CHOICES}}}
    most = {"all": [choices] * ((MOST_CONDITIONS - 1) // 2)}
    history = [{"question": "x" * 4000, "answer": "y" * 20_000}] * 20
    assert asked(filters=most, history=history).status == 200
    assert asked(filters={"all": [choices] * (MOST_CONDITIONS // 2)}).status == 422
