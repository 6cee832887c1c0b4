"""How the model server fails when it is told to, and how it stops."""

import base64
import math
import signal
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import openai
import pytest

from tests.integration.model_server.conftest import add_fault, ask, embed, running

REQUESTS: dict[str, Any] = {
    "/embeddings": {"model": "wordllama-256", "input": "a"},
    "/chat/completions": {"model": "extractive", "messages": [{"role": "user", "content": "How many days?"}]},
}


def test_a_status_fault_happens_as_often_as_asked_on_its_route_only(client: openai.OpenAI) -> None:
    add_fault(client, status=429, times=2, retry_after=1, route="embeddings")
    ask(client, "How many days of leave?")
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as caught:
            embed(client, "a")
        assert caught.value.response.headers["Retry-After"] == "1"
    assert embed(client, "a")


def test_a_hanging_call_runs_into_the_clients_timeout(client: openai.OpenAI) -> None:
    add_fault(client, kind="hang", seconds=0.6)
    with pytest.raises(openai.APITimeoutError):
        embed(client.with_options(timeout=0.2), "a")
    assert embed(client, "a")


def test_a_cut_connection_is_an_error_whole_or_streamed(client: openai.OpenAI) -> None:
    add_fault(client, kind="cut", times=2)
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        embed(client, "a")
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        list(ask(client, "How many days of leave?", stream=True))


def test_garbage_is_a_page_of_html_with_status_200_on_every_route(client: openai.OpenAI) -> None:
    add_fault(client, kind="garbage", times=2)
    for path in ("/embeddings", "/chat/completions"):
        reply = httpx.post(f"{str(client.base_url).rstrip('/')}{path}", json=REQUESTS[path])
        assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html")
        assert reply.text.startswith("<!doctype html>")
    assert embed(client, "a")


def test_embeddings_can_be_spoiled_in_count_order_and_numbers(client: openai.OpenAI) -> None:
    add_fault(client, kind="count")
    assert len(embed(client, "a", "b", "c")) == 2
    add_fault(client, kind="order")
    reply = client.embeddings.create(model="wordllama-256", input=["a", "b", "c"])
    assert [one.index for one in reply.data] == [2, 1, 0]
    add_fault(client, kind="nan")
    spoilt, sound = embed(client, "a", "b", dimensions=64)
    assert [math.isnan(number) for number in spoilt] == [True] * 64
    assert not any(map(math.isnan, sound))


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_can_be_zero_too_short_or_claim_each_others_place(client: openai.OpenAI, encoding: Any) -> None:
    ask_for: dict[str, Any] = {"model": "wordllama-256", "input": ["a", "b"], "encoding_format": encoding}
    sound = client.embeddings.create(**ask_for).data
    add_fault(client, kind="zero")
    spoiled = client.embeddings.create(**ask_for).data
    assert numbers(spoiled[0].embedding) == [0.0] * 256
    assert spoiled[1] == sound[1]
    add_fault(client, kind="size")
    spoiled = client.embeddings.create(**ask_for).data
    assert numbers(spoiled[0].embedding) == numbers(sound[0].embedding)[:-1]
    add_fault(client, kind="indexes")
    assert [item.index for item in client.embeddings.create(**ask_for).data] == [0, 0]


def numbers(embedding: Any) -> list[float]:
    """From either encoding: the SDK leaves base64 as it is when it was asked for by name."""
    if isinstance(embedding, list):
        return embedding
    raw = base64.b64decode(embedding)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def test_a_reply_can_be_an_object_without_anything_in_it(client: openai.OpenAI) -> None:
    add_fault(client, kind="empty", times=2)
    body = {"model": "wordllama-256", "input": ["a"]}
    assert client.post("/embeddings", cast_to=httpx.Response, body=body).json() == {}
    assert ask(client, "How many days of leave?").choices is None


def test_a_completion_can_be_made_to_run_out_of_tokens(client: openai.OpenAI) -> None:
    add_fault(client, kind="length")
    choice = ask(client, "How many days of leave?").choices[0]
    assert choice.finish_reason == "length"
    assert choice.message.content == "Leave is 25 da"


@pytest.mark.parametrize("wrong", [{"kind": "x"}, {"kind": "nan", "route": "chat"}, {"times": 0}, {"status": "a"}])
def test_a_fault_that_is_none_is_refused(client: openai.OpenAI, wrong: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError):
        add_fault(client, **wrong)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_at_once_even_in_the_middle_of_a_call(number: signal.Signals) -> None:
    with running("--latency-ms", "30000") as (address, process), ThreadPoolExecutor(1) as pool:
        body = {"model": "wordllama-256", "input": "a"}
        pending = pool.submit(httpx.post, f"{address}/embeddings", json=body, timeout=20)
        time.sleep(0.2)
        assert not pending.done()
        process.send_signal(number)
        assert process.wait(10) == 0  # the call under way would take 30 s
        pending.exception(5)


def test_faults_do_not_exist_unless_asked_for_and_latency_is_added_to_model_calls() -> None:
    with running("--latency-ms", "300") as (address, _), httpx.Client() as http:
        assert http.post(f"{address}/../faults", json={"status": 500}).status_code == 404
        slow = http.post(f"{address}/embeddings", json={"model": "wordllama-256", "input": "a"})
        assert slow.elapsed.total_seconds() >= 0.3
