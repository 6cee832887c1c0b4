"""The model server as a process of its own, through the real openai SDK."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openai
import pytest

ROOT = Path(__file__).parents[2]
PROMPT = '<passage id="3">Leave is 25 days a year. The office opens at nine.</passage>\n<question>{}</question>'
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answerable": {"type": "boolean"}, "answer": {"type": "string"}},
    "required": ["answerable", "answer"],
    "additionalProperties": False,
}


@contextmanager
def running(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "local.model_server", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--faults") as (address, _):
        yield address


@pytest.fixture(scope="module")
def shared(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="x", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def client(shared: openai.OpenAI) -> Iterator[openai.OpenAI]:
    yield shared
    shared.delete("/../faults", cast_to=httpx.Response)


def add_fault(client: openai.OpenAI, **fault: object) -> None:
    client.post("/../faults", cast_to=httpx.Response, body=fault)


def embed(client: openai.OpenAI, *texts: str, **options: Any) -> list[list[float]]:
    reply = client.embeddings.create(model="wordllama-256", input=list(texts), **options)
    return [one.embedding for one in reply.data]


def ask(client: openai.OpenAI, question: str, **options: Any) -> Any:
    user: Any = {"role": "user", "content": PROMPT.format(question)}
    return client.chat.completions.create(model="extractive", messages=[user], **options)


def dot(left: list[float], right: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def test_both_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["wordllama-256", "extractive"]


def test_both_encodings_carry_the_same_unit_vectors(client: openai.OpenAI) -> None:
    base64, floats = embed(client, "paid leave"), embed(client, "paid leave", encoding_format="float")
    assert base64[0] == pytest.approx(floats[0], abs=1e-7)
    assert len(base64[0]) == 256
    assert dot(base64[0], base64[0]) == pytest.approx(1, abs=1e-5)


def test_vectors_come_in_the_order_of_their_texts(client: openai.OpenAI) -> None:
    texts = [f"text number {number} " * (1 + number % 7) for number in range(100)]
    batch = embed(client, *texts)
    assert batch[63] == pytest.approx(embed(client, texts[63])[0], abs=1e-6)
    assert batch[63] != batch[62]


def test_related_texts_are_closer_than_unrelated_ones(client: openai.OpenAI) -> None:
    query, related, unrelated = embed(
        client, "How much holiday do I get?", "Annual vacation allowance", "Steam engines burn coal"
    )
    assert dot(query, related) > dot(query, unrelated) + 0.1


def test_fewer_dimensions_are_the_first_ones_at_length_one(client: openai.OpenAI) -> None:
    short, full = embed(client, "leave", dimensions=64)[0], embed(client, "leave")[0]
    scale = math.sqrt(dot(full[:64], full[:64]))
    assert short == pytest.approx([number / scale for number in full[:64]], abs=1e-6)


def test_usage_counts_the_tokens_of_all_texts(client: openai.OpenAI) -> None:
    usage = client.embeddings.create(model="wordllama-256", input=["hello world", "hello"]).usage
    assert (usage.prompt_tokens, usage.total_tokens) == (3, 3)


@pytest.mark.parametrize(
    "wrong",
    [{"input": ""}, {"input": []}, {"input": ["a", ""]}, {"input": [[1, 2]]}, {"input": ["a"] * 2049}]
    + [{"input": "a", "dimensions": number} for number in (0, 257)],
    ids=["empty text", "no text", "one empty", "tokens", "2049 texts", "0 dimensions", "257 dimensions"],
)
def test_a_bad_embedding_request_is_refused_in_the_shape_of_openai(
    client: openai.OpenAI, wrong: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="wordllama-256", **wrong)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.param in ("input", "dimensions")


def test_2048_texts_are_embedded(client: openai.OpenAI) -> None:
    assert len(embed(client, *["a"] * 2048)) == 2048


def test_unknown_models_and_routes_are_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="gpt", input="a")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.post("/responses", cast_to=httpx.Response, body={})


def test_broken_json_is_refused_and_the_connection_stays_usable(url: str) -> None:
    with httpx.Client() as http:
        for raw in (b"", b"{", b"[]", b"\xff", rb'{"model": "wordllama-256", "input": "\ud800"}'):
            broken = http.post(f"{url}/embeddings", content=raw)
            assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")
        assert http.get(f"{url}/models").status_code == 200


def test_a_question_is_answered_with_its_usage(client: openai.OpenAI) -> None:
    reply = ask(client, "How many days of leave?")
    assert reply.choices[0].message.content == "Leave is 25 days a year [3]."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.prompt_tokens > reply.usage.completion_tokens > 5
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream_adds_up_to_the_same_answer_and_ends_with_the_usage(client: openai.OpenAI) -> None:
    question = "How many days of leave?"
    chunks = list(ask(client, question, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ask(client, question).choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 5


def test_a_schema_is_filled(client: openai.OpenAI) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
    reply = ask(client, "How many days of leave?", response_format=wanted)
    assert json.loads(reply.choices[0].message.content) == {
        "answerable": True,
        "answer": "Leave is 25 days a year [3].",
    }


def test_an_open_schema_is_refused_when_it_says_strict(client: openai.OpenAI) -> None:
    loose = {**SCHEMA, "additionalProperties": True}
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": loose}}
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        ask(client, "How many days of leave?", response_format=wanted)


def test_an_answer_longer_than_allowed_is_cut_and_says_so(client: openai.OpenAI) -> None:
    choice = ask(client, "How many days of leave?", max_completion_tokens=4).choices[0]
    assert choice.finish_reason == "length"
    assert "Leave is 25 days a year [3].".startswith(choice.message.content)


def test_eight_threads_get_each_their_own_answer(client: openai.OpenAI) -> None:
    texts = [f"subject {number}" for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: embed(client, text)[0], texts))
    assert together == embed(client, *texts)


def test_a_kept_connection_does_not_stall(url: str) -> None:
    body = {"model": "wordllama-256", "input": "paid leave", "encoding_format": "base64"}
    with httpx.Client() as http:
        calls = [http.post(f"{url}/embeddings", json=body).elapsed.total_seconds() for _ in range(21)]
    assert sorted(calls)[10] < 0.03  # a delayed acknowledgement costs 0.04 s on each call


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
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 2
        pending.exception(5)


def test_faults_do_not_exist_unless_asked_for_and_latency_is_added_to_model_calls_only() -> None:
    with running("--latency-ms", "300") as (address, _), httpx.Client() as http:
        assert http.post(f"{address}/../faults", json={"status": 500}).status_code == 404
        assert http.get(f"{address}/models").elapsed.total_seconds() < 0.25
        slow = http.post(f"{address}/embeddings", json={"model": "wordllama-256", "input": "a"})
        assert slow.elapsed.total_seconds() >= 0.3
