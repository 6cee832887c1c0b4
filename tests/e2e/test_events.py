"""Every sample event of ``events/`` through the real handlers, as `sam local invoke` would send them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.environment import FunctionError
from tests.e2e.conftest import System

EVENTS = Path(__file__).resolve().parents[2] / "events"
ALL_WELL: dict[str, Any] = {"batchItemFailures": []}


def outcomes(result: Any) -> list[str]:
    return [receipt["outcome"] for receipt in result["receipts"]]


def body(result: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(result["body"])
    return content


# What each event is for: a deletion is a hint like any other, so an object that is there stays indexed.
EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "s3-put": ("ingest", lambda result: outcomes(result) == ["unchanged"]),
    "eventbridge-put": ("ingest", lambda result: outcomes(result) == ["unchanged"]),
    "eventbridge-delete": ("ingest", lambda result: outcomes(result)[0] in {"deleted", "unchanged"}),
    "sqs-put": ("ingest", lambda result: result == ALL_WELL),
    "sqs-put-spaces-and-plus": ("ingest", lambda result: result == ALL_WELL),
    "sqs-delete": ("ingest", lambda result: result == ALL_WELL),
    "sqs-delete-marker": ("ingest", lambda result: result == ALL_WELL),
    "sqs-lifecycle-expiration": ("ingest", lambda result: result == ALL_WELL),
    "sqs-batch": ("ingest", lambda result: result == ALL_WELL),
    "sqs-test-event": ("ingest", lambda result: result == ALL_WELL),
    "sqs-eventbridge-put": ("ingest", lambda result: result == ALL_WELL),
    "sqs-batch-one-bad": ("ingest", lambda result: len(result["batchItemFailures"]) == 1),
    "reconcile": ("reconciler", lambda result: result["finished"]),
    "ask": ("ask", lambda result: result["statusCode"] == 200 and body(result)["answered"]),
    "ask-by-role": ("ask", lambda result: result["statusCode"] == 200 and body(result)["answered"]),
    "ask-by-token": ("ask", lambda result: result["statusCode"] == 200 and body(result)["answered"]),
    "ask-nothing-relevant": ("ask", lambda result: body(result)["reason"] == "nothing_relevant"),
    "ask-bad-request": ("ask", lambda result: result["statusCode"] == 400),
    "search": ("ask", lambda result: len(body(result)["passages"]) == 3),
    "documents": ("ask", lambda result: len(body(result)["documents"]) > 0),
    "health": ("ask", lambda result: body(result)["status"] == "ok"),
}


def test_every_event_is_tried() -> None:
    # The twin has no authorizer: the event for it is tried in tests/integration/test_authorizer.py.
    assert {path.stem for path in EVENTS.glob("*.json")} == EXPECTED.keys() | {"authorize"}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_event_has_the_result_it_is_made_for(system: System, name: str) -> None:
    function, as_expected = EXPECTED[name]
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    result = getattr(system.twin, function).invoke(event)
    assert as_expected(result), result


def test_a_bare_event_that_fails_is_an_error_so_that_lambda_tries_again(system: System) -> None:
    event = json.loads((EVENTS / "s3-put.json").read_text(encoding="utf-8"))
    event["Records"][0]["s3"]["bucket"]["name"] = "somebody-elses-bucket"
    with pytest.raises(FunctionError) as raised:
        system.twin.ingest.invoke(event)
    assert raised.value.error_type == "MalformedEvent"
