"""What models used is told by whoever calls them, as soon as a reply is here and whether it is of use or not."""

import threading
from typing import Any

import httpx2
import pytest

from ask.generation import OpenAIGenerator
from ask.prompt import Turn, build_prompt
from ask.rerank import ChatReranker, EndpointReranker
from ask.rewriting import ChatRewriter
from bucketwise import model_calls
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import ModelReplyInvalid, ModelUnavailable
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage, usages_told
from tests.unit.fakes import ScriptedServer, client_to, passage

PROMPT = build_prompt(question="How much?", passages=[passage("25 days")], max_context_tokens=100)
PASSAGES = [passage("25 days", tokens=7), passage("30 days", tokens=8)]
DOWN = httpx2.Response(503)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_calls, "FIRST_PAUSE_SECONDS", 0.0)


def completion(content: str, *, finish_reason: str = "stop", usage: Any = None) -> httpx2.Response:
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}
    used = {"prompt_tokens": 90, "completion_tokens": 12, "total_tokens": 102} if usage is None else usage
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": used}
    return httpx2.Response(200, json=body)


CUT_OFF = completion('{"answ', finish_reason="length")


def soon() -> Deadline:
    return Deadline.after(5)


def generate(*replies: httpx2.Response) -> None:
    OpenAIGenerator(client_to(ScriptedServer(list(replies))), "m", 300, "json_schema").generate(PROMPT, deadline=soon())


def test_replies_that_are_cut_off_are_told_each_time_they_are_tried() -> None:
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        generate(CUT_OFF)
    assert told == [ModelUsage("m", 90, 12)] * 2


def test_a_call_without_a_reply_tells_nothing_and_the_next_one_its_own() -> None:
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        generate(DOWN, CUT_OFF)
    assert told == [ModelUsage("m", 90, 12)]
    with usages_told() as told, pytest.raises(ModelUnavailable):
        generate(DOWN)
    assert told == []


def test_a_rewriting_and_a_ranking_of_no_use_are_told() -> None:
    client = client_to(ScriptedServer([CUT_OFF]))
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        ChatRewriter(client, "rewriter").rewrite("And?", [Turn("x", "y")], deadline=soon())
    assert told == [ModelUsage("rewriter", 90, 12)] * 2
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        ChatReranker(client, "ranker").rank("x", PASSAGES, deadline=soon())
    assert told == [ModelUsage("ranker", 90, 12)] * 2


@pytest.mark.parametrize(("usage", "tokens"), [({"total_tokens": 9}, 9), (None, 15)])
@pytest.mark.parametrize("index", [5, "x"])
def test_a_ranking_of_other_passages_is_told(usage: Any, tokens: int, index: object) -> None:
    body = {"results": [{"index": index, "relevance_score": 1}], "usage": usage}
    client = client_to(ScriptedServer([httpx2.Response(200, json=body)]))
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        EndpointReranker(lambda: client, "ranker").rank("x", PASSAGES, deadline=soon())
    assert told == [ModelUsage("ranker", tokens)] * 2


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [1.0]], ids=["of use", "of no use"])
def test_vectors_are_told_whether_they_fit_or_not(numbers: list[float]) -> None:
    item = {"object": "embedding", "index": 0, "embedding": numbers}
    body = {"object": "list", "model": "m", "data": [item], "usage": {"prompt_tokens": 6, "total_tokens": 6}}
    embedder = OpenAIEmbedder(client_to(ScriptedServer([httpx2.Response(200, json=body)])), "embedder", 2)
    with usages_told() as told:
        try:
            embedder.embed(["x"], deadline=soon())
        except ModelReplyInvalid:
            assert len(numbers) == 1
    assert told == [ModelUsage("embedder", 6)]


@pytest.mark.parametrize("nonsense", ["many", -5, 1.5, [1], {"a": 1}])
def test_numbers_of_tokens_that_are_none_count_nothing(nonsense: Any) -> None:
    usage = {"prompt_tokens": nonsense, "completion_tokens": 3}
    with usages_told() as told, pytest.raises(ModelReplyInvalid):
        generate(completion("", usage=usage))
    assert told == [ModelUsage("m", 0, 3)] * 2


def test_what_is_told_goes_to_the_work_that_it_is_told_in() -> None:
    tell_usage(ModelUsage("nobody", 1))
    with usages_told() as outer:
        tell_usage(ModelUsage("outer", 1))
        with usages_told() as inner:
            tell_usage(ModelUsage("inner", 1))
        other = threading.Thread(target=tell_usage, args=[ModelUsage("other", 1)])
        other.start()
        other.join()
        tell_usage(ModelUsage("outer", 2))
    tell_usage(ModelUsage("nobody", 2))
    assert outer == [ModelUsage("outer", 1), ModelUsage("outer", 2)]
    assert inner == [ModelUsage("inner", 1)]
