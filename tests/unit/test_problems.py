"""Errors as problem documents."""

import json
from typing import Any

import pytest

from ask import problems
from ask.problems import PROBLEMS, Problem, invalid_parts, problem_document
from bucketwise.errors import BucketwiseError

ALL = [each for each in vars(problems).values() if isinstance(each, Problem)] + list(PROBLEMS.values())


def all_below(kind: type[BucketwiseError]) -> set[type[BucketwiseError]]:
    return {each for child in kind.__subclasses__() for each in ({child} | all_below(child))}


def test_every_error_has_a_problem() -> None:
    ours = {each for each in all_below(BucketwiseError) if each.__module__.startswith("bucketwise.")}
    assert PROBLEMS.keys() == ours


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: problem.name)
def test_who_may_come_again_is_told_when(problem: Problem) -> None:
    assert (problem.retry_after is not None) == (problem.status in {409, 429, 503})


def test_names_are_those_of_one_problem_each() -> None:
    assert len({problem.name for problem in ALL}) == len(set(ALL))


def test_a_document_has_the_form_of_rfc_9457() -> None:
    response = problem_document(Problem("busy", problems.BUSY, "Come again.", 7), request_id="r-1")
    assert json.loads(response.body or "") == {
        "type": "urn:bucketwise:problem:busy",
        "title": "Come again.",
        "status": 503,
        "request_id": "r-1",
    }
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "7"


def test_without_a_pause_to_make_there_is_no_retry_after() -> None:
    assert "Retry-After" not in problem_document(problems.NOT_FOUND, request_id="r-1").headers


def test_what_is_wrong_is_listed_without_what_was_sent() -> None:
    found: list[dict[str, Any]] = [
        {"loc": ("body", "history", 0, "question"), "msg": "too long", "type": "x", "input": "a secret", "ctx": {}}
    ]
    details = invalid_parts(found)
    assert details == {"errors": [{"where": "body/history/0/question", "what": "too long"}]}
    response = problem_document(problems.INVALID_REQUEST, request_id="r-1", members=details)
    assert json.loads(response.body or "")["errors"] == details["errors"]
