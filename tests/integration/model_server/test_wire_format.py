"""What the model server says, in the words of OpenAI's API."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import openai
import pytest

from tests.integration.model_server.conftest import SCHEMA, ask, dot, embed


def test_all_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["wordllama-256", "extractive", "wordllama-rerank"]


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
