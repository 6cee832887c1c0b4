"""No request breaks the ask function, and none is repeated in a reply or a log."""

import json
from typing import Any

import pytest

from ask.asking import Reply
from ask.composition import telemetry
from bucketwise.errors import DatabaseUnavailable
from tests.unit.ask_world import QUESTION, AskWorld, sent, world
from tests.unit.fakes import http_event, log_to_current_stdout

__all__ = ["world"]
pytestmark = pytest.mark.usefixtures("world")

SECRET = "zanzibar"
DEEP = 100_000
NOT_JSON = {
    "an open brace": "{",
    "plain words": "How much leave?",
    "a form": "question=How+much",
    "a byte order mark": '\ufeff{"question": "x"}',
    "cut off": '{"question": "x',
    "two values": '{"question": "x"}{}',
    "deep lists": "[" * DEEP,
    "deep closed lists": '{"question": ' + "[" * DEEP + "]" * DEEP + "}",
    "deep objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "more digits than Python reads": '{"question": "x", "top_k": ' + "1" * 5000 + "}",
}
INVALID: dict[str, Any] = {
    "nothing": None,
    "empty": "",
    "null": "null",
    "a list": "[]",
    "a text": '"question"',
    "a number": "1",
    "no question": {},
    "a question that is null": {"question": None},
    "a question that is a number": {"question": 1},
    "a question that is a list": {"question": ["x"]},
    "an empty question": {"question": ""},
    "a blank question": {"question": " \n\t"},
    "a long question": {"question": "x" * 4001},
    "NUL": {"question": "a\0b"},
    "half a surrogate pair": '{"question": "\\ud800"}',
    "half a surrogate pair in the metadata": '{"question": "x", "filters": {"metadata": {"a": "\\udfff"}}}',
    "half a surrogate pair as a name": '{"question": "x", "filters": {"metadata": {"\\ud800": "a"}}}',
    "half a surrogate pair in the history": '{"question": "x", "history": [{"question": "x", "answer": "\\ud800"}]}',
    "NUL in the metadata": {"question": "x", "filters": {"metadata": {"a\0": "b"}}},
    "an unknown field": {"question": "x", "temperature": 1},
    "an unknown filter": {"question": "x", "filters": {"tenant": "other"}},
    "a tenant": {"question": "x", "tenant": "other"},
    "a lone surrogate as a field": '{"question": "x", "\\ud800": 1}',
    "too few": {"question": "x", "top_k": 0},
    "too many": {"question": "x", "top_k": 51},
    "not a number": '{"question": "x", "top_k": NaN}',
    "infinite": '{"question": "x", "top_k": 1e999}',
    "a negative version": {"question": "x", "min_version": -1},
    "a version without a key": {"question": "x", "min_version": {"version": "v1"}},
    "an empty version": {"question": "x", "min_version": {"key": "a", "version": ""}},
    "a version that is null": {"question": "x", "min_version": {"key": "a", "version": None}},
    "NUL in a version": {"question": "x", "min_version": {"key": "a", "version": "v\0"}},
    "a version of two objects": {"question": "x", "min_version": [{"key": "a", "version": "v1"}]},
    "a filter that is null": {"question": "x", "filters": None},
    "a date that is none": {"question": "x", "filters": {"modified_from": "yesterday"}},
    "a date out of range": {"question": "x", "filters": {"modified_before": 1e300}},
    "a date without an offset": {"question": "x", "filters": {"modified_from": "2025-01-01T00:00:00"}},
    "nested metadata": {"question": "x", "filters": {"metadata": {"a": {"b": "c"}}}},
    "much metadata": {"question": "x", "filters": {"metadata": {str(number): "x" for number in range(21)}}},
    "a long key": {"question": "x", "filters": {"key": "x" * 1025}},
    "a long history": {"question": "x", "history": [{"question": "x", "answer": "y"}] * 21},
    "a turn without an answer": {"question": "x", "history": [{"question": "x"}]},
    "a history with roles": {"question": "x", "history": [{"role": "system", "content": "x"}]},
}


@pytest.fixture
def logs(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    log_to_current_stdout(telemetry)
    return capfd


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("path", ["/ask", "/search"])
def test_a_body_that_is_not_json_is_a_400(path: str, body: str) -> None:
    reply = sent(http_event("POST", path, body))
    assert (reply.status, reply.problem, reply.content_type) == (400, "invalid-json", "application/problem+json")


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_json_that_is_no_request_is_a_422_that_says_where(body: Any, world: AskWorld) -> None:
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    reply = sent(http_event("POST", "/ask", text))
    assert (reply.status, reply.problem, reply.content_type) == (422, "invalid-request", "application/problem+json")
    assert all(each["where"].startswith("body") and each["what"] for each in reply.body["errors"])
    assert reply.body["errors"]
    assert world.searcher.asked == []


@pytest.mark.parametrize(
    "body", [{}, {"key": "a", "all_failed": True}, {"key": ""}, {"key": "a\0"}, {"all_failed": False}, {"key": 1}]
)
def test_a_retry_that_names_nothing_or_too_much_is_a_422(body: dict[str, Any], world: AskWorld) -> None:
    assert sent(http_event("POST", "/retries", json.dumps(body))).status == 422
    assert world.queue.keys == []


@pytest.mark.parametrize("body", ["!!!!", "e", "/////w==", "Lj0=", "ü", "ey", ""])
def test_base64_of_nothing_sensible_is_a_4xx(body: str) -> None:
    reply = sent(http_event("POST", "/ask", body) | {"isBase64Encoded": True})
    assert reply.status in {400, 422}
    assert reply.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/documents", {"state": "gone"}),
        ("/documents", {"state": ""}),
        ("/documents", {"key": "a\0b"}),
        ("/documents", {"prefix": "a\0b"}),
        ("/documents", {"after": "\ud800"}),
        ("/documents", {"key": "x" * 1025}),
        ("/health", {"deep": "perhaps"}),
    ],
)
def test_a_parameter_that_cannot_be_is_a_422(path: str, query: dict[str, str]) -> None:
    reply = sent(http_event("GET", path, query=query))
    assert (reply.status, reply.content_type) == (422, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/ask"),
        ("PUT", "/ask"),
        ("DELETE", "/documents"),
        ("HEAD", "/health"),
        ("OPTIONS", "/ask"),
        ("POST", "/ask/../search"),
        ("GET", "/documents/a%2Fb"),
        ("GET", "/\ud800"),
    ],
)
def test_another_route_or_method_is_a_404(method: str, path: str) -> None:
    reply = sent(http_event(method, path, json.dumps({"question": QUESTION})))
    assert (reply.status, reply.problem, reply.content_type) == (404, "not-found", "application/problem+json")


@pytest.mark.parametrize(
    "event", [{}, {"requestContext": None}, {"path": "/ask"}, {"httpMethod": "POST", "path": "/ask", "body": "{}"}]
)
def test_an_event_of_another_kind_is_a_500_and_no_crash(event: dict[str, Any]) -> None:
    reply = sent(event)
    assert (reply.status, reply.problem, reply.content_type) == (500, "internal", "application/problem+json")


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ValueError, OSError, RecursionError, UnicodeError])
def test_a_mistake_of_ours_is_a_500_without_its_text(
    kind: type[Exception], world: AskWorld, logs: pytest.CaptureFixture[str]
) -> None:
    world.searcher.failure = kind(f"at {SECRET}")
    reply = sent(http_event("POST", "/ask", json.dumps({"question": f"Where is {SECRET}?"})))
    output = logs.readouterr()
    assert (reply.status, reply.problem, reply.content_type) == (500, "internal", "application/problem+json")
    assert kind.__name__ in output.out
    assert SECRET not in output.out + output.err + json.dumps(reply.body)


def test_nothing_of_a_question_or_its_answer_is_logged(world: AskWorld, logs: pytest.CaptureFixture[str]) -> None:
    world.generator.failure = ZeroDivisionError(SECRET)
    body = json.dumps({"question": QUESTION, "history": [{"question": SECRET, "answer": SECRET}]})
    assert sent(http_event("POST", "/ask", body)).status == 500
    world.generator.failure = None
    assert sent(http_event("POST", "/ask", body)).status == 200
    output = logs.readouterr()
    assert "ZeroDivisionError" in output.out
    for private in (SECRET, QUESTION, "25 days", "handbook.md"):
        assert private not in output.out + output.err


def test_an_error_of_ours_is_logged_without_the_text_of_its_cause(
    world: AskWorld, logs: pytest.CaptureFixture[str]
) -> None:
    world.searcher.failure = DatabaseUnavailable("the database did not answer, twice")
    world.searcher.failure.__cause__ = RuntimeError(SECRET)
    assert sent(http_event("POST", "/ask", json.dumps({"question": QUESTION}))).status == 503
    output = logs.readouterr()
    assert "did not answer, twice" in output.out
    assert SECRET not in output.out + output.err


@pytest.mark.parametrize("body", [f'{{"{SECRET}": ', json.dumps({"question": SECRET, "top_k": SECRET})])
def test_nothing_of_a_bad_request_is_logged_or_repeated(body: str, logs: pytest.CaptureFixture[str]) -> None:
    reply = sent(http_event("POST", "/ask", body))
    output = logs.readouterr()
    assert reply.status in {400, 422}
    assert SECRET not in output.out + output.err + json.dumps(reply.body)


def test_a_failed_request_is_counted_with_its_reason(logs: pytest.CaptureFixture[str]) -> None:
    sent(http_event("GET", "/nothing"))
    [line] = [json.loads(line) for line in logs.readouterr().out.splitlines() if "FailedRequests" in line]
    assert (line["reason"], line["service"], line["FailedRequests"]) == ("not-found", "ask", [1.0])


def test_an_answer_of_ours_that_breaks_the_contract_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reply, "response", lambda *_, **__: {"answered": SECRET})
    reply = sent(http_event("POST", "/ask", json.dumps({"question": QUESTION})))
    assert (reply.status, reply.problem) == (500, "internal")
    assert SECRET not in json.dumps(reply.body)
