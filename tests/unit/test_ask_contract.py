"""The contract that the ask function gives of itself."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from ask.document_schemas import DocumentOut
from ask.documents import ListedState
from ask.problems import PROBLEMS
from ask.schemas import ProblemOut
from bucketwise.errors import BucketwiseError
from bucketwise.models import DocumentState
from tests.unit.ask_world import DOCUMENT, QUESTION, AskWorld, failure, sent, world
from tests.unit.fakes import http_event

__all__ = ["world"]

BODY = f'{{"question": "{QUESTION}"}}'


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    reply = sent(http_event("GET", "/openapi.json"))
    assert (reply.status, reply.content_type) == (200, "application/json")
    body: dict[str, Any] = reply.body
    return body


def operations(contract: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): one for path, methods in contract["paths"].items() for method, one in methods.items()}


def test_it_is_valid_openapi_and_lists_every_route(contract: dict[str, Any]) -> None:
    validate(contract)
    assert operations(contract).keys() == {
        ("post", "/ask"),
        ("post", "/search"),
        ("get", "/documents"),
        ("post", "/retries"),
        ("get", "/health"),
    }
    limits = contract["components"]["schemas"]["AskRequest"]["properties"]["question"]
    assert (limits["minLength"], limits["maxLength"]) == (1, 4000)


def test_every_route_says_what_it_does_and_with_what_it_answers(contract: dict[str, Any]) -> None:
    for (method, path), operation in operations(contract).items():
        assert operation["summary"] != f"{method.upper()} {path}"
        successes = {status: reply for status, reply in operation["responses"].items() if status.startswith("2")}
        assert successes.keys() == {"202" if path == "/retries" else "200"}
        assert all("application/json" in reply["content"] for reply in successes.values())


def test_every_other_reply_is_a_problem(contract: dict[str, Any]) -> None:
    for operation in operations(contract).values():
        problems = {status: reply for status, reply in operation["responses"].items() if status >= "400"}
        assert problems.keys() >= {"422", "500", "503"}
        for reply in problems.values():
            schema = {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
            assert reply["content"] == {"application/problem+json": schema}


def test_who_may_come_again_finds_when_in_a_header(contract: dict[str, Any]) -> None:
    for operation in operations(contract).values():
        with_pause = {
            status for status, reply in operation["responses"].items() if "Retry-After" in reply.get("headers", {})
        }
        assert with_pause == operation["responses"].keys() & {"409", "429", "503"}


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.__name__)
def test_a_problem_has_the_members_that_are_listed(kind: type[BucketwiseError], world: AskWorld) -> None:
    world.searcher.failure = failure(kind, "x")
    reply = sent(http_event("POST", "/ask", BODY))
    assert reply.body.keys() <= ProblemOut.model_fields.keys()
    assert ProblemOut.model_validate(reply.body).status == reply.status


def test_a_wrong_part_of_a_request_is_listed_as_the_contract_says() -> None:
    problem = ProblemOut.model_validate(sent(http_event("POST", "/ask", "{}")).body)
    assert [part.where for part in problem.errors] == ["body/question"]


def test_a_document_is_in_a_state_of_the_index_or_queued() -> None:
    assert {state.value for state in ListedState} == {state.value for state in DocumentState} | {"queued"}


def test_a_row_of_the_index_has_all_that_is_listed_of_a_document() -> None:
    assert DOCUMENT.keys() == DocumentOut.model_fields.keys()
