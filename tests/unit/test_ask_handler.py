"""HTTP requests as API Gateway hands them to the ask function."""

import base64
import json
import time
from typing import Any

import pytest

from ask import routes
from ask.problems import PROBLEMS
from bucketwise.errors import BucketwiseError
from bucketwise.ingest_queue import Errand
from bucketwise.search import Floor, HeldVersion
from tests.unit.ask_world import QUESTION, AskWorld, failure, sent, world
from tests.unit.fakes import http_event, sample_event

__all__ = ["world"]

BODY = json.dumps({"question": QUESTION})


def test_a_question_is_answered_with_its_citations(world: AskWorld) -> None:
    reply = sent(http_event("POST", "/ask", BODY))
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert (reply.body["answered"], reply.body["answer"]) == (True, "25 days [1].")
    [citation] = reply.body["citations"]
    assert citation["quote"] == "Leave is 25 days"
    assert citation["url"] == "https://link.test/handbook.md"
    assert (citation["page"], citation["heading"]) == (1, ["Leave"])
    assert reply.body["request_id"] == sample_event("ask")["requestContext"]["requestId"]
    assert reply.body["usage"]["prompt_tokens"] == 1000
    [asked] = world.searcher.asked
    assert (asked.limit, asked.floor) == (3, Floor(50, 0.3, 0.6))  # it chooses before the cut to top_k


def test_search_gives_passages_without_asking_a_model(world: AskWorld) -> None:
    reply = sent(http_event("POST", "/search", json.dumps({"question": QUESTION, "top_k": 2})))
    assert reply.status == 200
    assert [passage["text"] for passage in reply.body["passages"]] == ["Leave is 25 days a year."]
    assert world.searcher.asked[0].limit == 2
    assert world.generator.prompts == []


def test_explain_tells_how_the_answer_came_about(world: AskWorld) -> None:
    reply = sent(http_event("POST", "/ask", json.dumps({"question": QUESTION, "explain": True})))
    explained = reply.body["explain"]
    assert (len(explained["candidates"]), explained["relevant"], explained["in_prompt"]) == (1, 1, 1)
    assert reply.body["cache"] == "off"  # what was kept would not tell it
    assert (world.searcher.asked[0].limit, world.searcher.asked[0].floor) == (50, None)
    assert sent(http_event("POST", "/ask", BODY)).body["explain"] is None


def test_filters_and_history_reach_the_search(world: AskWorld) -> None:
    filters = {"prefix": "hr/", "modified_from": "2025-01-02T03:04:05Z"}
    history = [{"question": "How much leave?", "answer": "25 days"}]
    body = {"question": "And part time?", "filters": filters, "history": history}
    assert sent(http_event("POST", "/ask", json.dumps(body))).status == 200
    [asked] = world.searcher.asked
    assert asked.filters == filters
    assert asked.text == "How much leave? And part time?"  # as the world's model rewrites it


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", ""]
)
def test_a_body_is_json_whatever_the_client_calls_it(content_type: str) -> None:
    assert sent(http_event("POST", "/ask", BODY, content_type=content_type)).status == 200


@pytest.mark.usefixtures("world")
def test_a_body_in_base64_is_read() -> None:
    encoded = base64.b64encode(json.dumps({"question": "Wie viel Urlaub für Köche?"}, ensure_ascii=False).encode())
    assert sent(http_event("POST", "/ask", encoded.decode()) | {"isBase64Encoded": True}).status == 200


@pytest.mark.usefixtures("world")
def test_a_request_without_headers_is_answered() -> None:
    assert sent(http_event("POST", "/ask", BODY) | {"headers": None, "multiValueHeaders": None}).status == 200


def test_a_question_may_have_four_thousand_characters_of_any_script(world: AskWorld) -> None:
    question = "漢😀" * 2000
    assert sent(http_event("POST", "/ask", json.dumps({"question": question}))).status == 200
    assert world.searcher.asked[0].text == question


@pytest.mark.parametrize("deep", [None, {"deep": "0"}])
def test_health_needs_no_settings_and_no_database(deep: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(routes, "documents")
    monkeypatch.delattr(routes, "settings")
    reply = sent(http_event("GET", "/health", query=deep))
    assert (reply.status, reply.body) == (200, {"status": "ok", "corpus_version": None})


@pytest.mark.usefixtures("world")
def test_deep_health_asks_the_database() -> None:
    assert sent(http_event("GET", "/health", query={"deep": "1"})).body["corpus_version"] == 7


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("name", "status"), [("ask", 200), ("search", 200), ("documents", 200), ("health", 200), ("ask-bad-request", 400)]
)
def test_sample_events_end_as_their_names_say(name: str, status: int) -> None:
    assert sent(sample_event(name)).status == status


def test_documents_are_listed_by_page(world: AskWorld) -> None:
    reply = sent(http_event("GET", "/documents", query={"prefix": "hand", "state": "indexed", "after": "a"}))
    assert [document["key"] for document in reply.body["documents"]] == ["handbook.md", "new.md"]
    assert (reply.body["next"], reply.body["corpus_version"]) == (None, 7)
    assert world.documents.asked == [("hand", "indexed", "a")]


@pytest.mark.usefixtures("world")
def test_an_object_that_was_not_looked_at_yet_is_listed_with_its_next_try() -> None:
    [_, document] = sent(http_event("GET", "/documents", query={"state": "queued"})).body["documents"]
    assert (document["state"], document["version"], document["updated_at"]) == ("queued", None, None)
    assert (document["waiting"]["tries"], document["waiting"]["reason"]) == (2, "model_unavailable")


@pytest.mark.usefixtures("world")
def test_one_document_is_looked_up_by_its_key() -> None:
    reply = sent(http_event("GET", "/documents", query={"key": "handbook.md"}))
    [document] = reply.body["documents"]
    assert (document["key"], document["chunks_stored"], document["vectors_stored"]) == ("handbook.md", 1, 1)
    assert reply.body["corpus_version"] == 7


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("key", ["nothing.md", "", "a/../b", "x" * 1024])
def test_an_unknown_document_is_a_404(key: str) -> None:
    reply = sent(http_event("GET", "/documents", query={"key": key}))
    assert (reply.status, reply.problem) == (404, "unknown-document")


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"key": "handbook.md"}, ["handbook.md"]),
        ({"key": "new.md"}, ["new.md"]),
        ({"all_failed": True}, ["bad-", "bad-bad-"]),
    ],
)
def test_documents_are_put_back_into_the_queue(body: dict[str, Any], keys: list[str], world: AskWorld) -> None:
    reply = sent(http_event("POST", "/retries", json.dumps(body)))
    assert (reply.status, reply.body) == (202, {"queued": len(keys)})
    assert world.queue.sent == [(key, Errand(again=True)) for key in keys]


def test_an_unknown_document_is_not_queued(world: AskWorld) -> None:
    assert sent(http_event("POST", "/retries", json.dumps({"key": "nothing.md"}))).status == 404
    assert world.queue.keys == []


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.__name__)
def test_each_error_is_answered_with_its_problem(kind: type[BucketwiseError], world: AskWorld) -> None:
    world.searcher.failure = failure(kind, "its text")
    reply = sent(http_event("POST", "/ask", BODY))
    problem = PROBLEMS[kind]
    assert (reply.status, reply.problem) == (problem.status, problem.name)
    assert reply.content_type == "application/problem+json"
    assert reply.headers.get("Retry-After") == (str(problem.retry_after) if problem.retry_after else None)
    assert "its text" not in json.dumps(reply.body)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("min_version", [8, {"key": "handbook.md", "version": "v2"}, {"key": "no.md", "version": "v1"}])
def test_a_version_that_is_not_there_yet_is_a_409_with_a_pause(min_version: object) -> None:
    reply = sent(http_event("POST", "/ask", json.dumps({"question": QUESTION, "min_version": min_version})))
    assert (reply.status, reply.problem, reply.headers["Retry-After"]) == (409, "index-behind", "2")


@pytest.mark.parametrize("path", ["/ask", "/search"])
def test_a_version_that_is_there_is_answered_from(path: str, world: AskWorld) -> None:
    world.searcher.held = {"handbook.md": HeldVersion("v2")}
    body = {"question": QUESTION, "min_version": {"key": "handbook.md", "version": "v2"}}
    assert sent(http_event("POST", path, json.dumps(body))).status == 200


def test_a_version_that_cannot_be_indexed_is_a_422_that_says_why(world: AskWorld) -> None:
    world.searcher.held = {"scan.pdf": HeldVersion("v1", "needs_ocr", "Add a text layer.")}
    body = {"question": QUESTION, "min_version": {"key": "scan.pdf", "version": "v1"}}
    reply = sent(http_event("POST", "/ask", json.dumps(body)))
    assert (reply.status, reply.problem) == (422, "unreadable-document")
    assert (reply.body["reason"], reply.body["hint"]) == ("needs_ocr", "Add a text layer.")


@pytest.mark.usefixtures("world")
def test_a_request_that_waited_too_long_before_it_came_is_a_503() -> None:
    event = http_event("POST", "/ask", BODY)
    event["requestContext"]["requestTimeEpoch"] = int(time.time() - 600) * 1000
    reply = sent(event)
    assert (reply.status, reply.problem, reply.headers["Retry-After"]) == (503, "too-slow", "5")


@pytest.mark.usefixtures("world")
def test_an_invocation_about_to_end_is_a_503() -> None:
    reply = sent(http_event("POST", "/ask", BODY), seconds=0.4)
    assert (reply.status, reply.problem) == (503, "too-slow")


@pytest.mark.parametrize(("waited", "of_lambda", "left"), [(0, 29, 28), (0, 20, 19.5), (10, 29, 18), (-60, 29, 28.5)])
def test_the_deadline_is_the_earlier_of_lambdas_and_the_gateways(
    waited: float, of_lambda: float, left: float, world: AskWorld
) -> None:
    event = http_event("POST", "/ask", BODY)
    event["requestContext"]["requestTimeEpoch"] = (time.time() - waited) * 1000
    assert sent(event, seconds=of_lambda).status == 200
    assert world.searcher.seconds_left == [pytest.approx(left, abs=0.5)]


@pytest.mark.usefixtures("world")
def test_when_sam_local_was_started_does_not_end_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    event = http_event("POST", "/ask", BODY)
    event["requestContext"]["requestTimeEpoch"] = int(time.time() - 600) * 1000
    assert sent(event).status == 200


@pytest.mark.usefixtures("world")
def test_a_time_in_seconds_as_sam_local_tells_it_does_not_end_the_request() -> None:
    event = sample_event("search")
    event["requestContext"]["requestTimeEpoch"] = int(time.time()) - 600
    assert sent(event).status == 200
