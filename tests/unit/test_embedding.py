"""Vectors from a model's server are believed only when they fit the request."""

import json
import math
from array import array
from base64 import encodebytes
from typing import Any

import httpx2
import pytest

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings, OpenAIEmbedder
from bucketwise.errors import ModelReplyInvalid
from tests.unit.fakes import ScriptedServer, client_to


def item(index: Any, *numbers: float) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": list(numbers)}


def embed(
    *data: Any, count: int = 1, usage: Any = None, model: str = "m", dimensions: int = 2
) -> tuple[Embeddings, dict[str, Any]]:
    body = {"object": "list", "model": model, "data": list(data), "usage": usage}
    server = ScriptedServer([httpx2.Response(200, text=json.dumps(body), headers={"content-type": "application/json"})])
    embedder = OpenAIEmbedder(client_to(server), model, dimensions)
    found = embedder.embed([f"text {number}" for number in range(count)], deadline=Deadline.after(5))
    return found, server.requests[0]


def test_vectors_are_put_into_the_order_of_the_texts() -> None:
    found, _ = embed(item(2, 3, 3), item(0, 1, 1), item(1, 2, 2), count=3)
    assert found.vectors == [[1, 1], [2, 2], [3, 3]]


@pytest.mark.parametrize(
    "data",
    [
        [],
        [item(0, 1, 1)],
        [item(0, 1, 1), item(1, 1, 1), item(2, 1, 1)],
        [item(0, 1, 1), item(0, 1, 1)],
        [item(1, 1, 1), item(2, 1, 1)],
        [item(-1, 1, 1), item(0, 1, 1)],
        [item(None, 1, 1), item(1, 1, 1)],
    ],
)
def test_another_number_of_vectors_or_other_indexes_are_refused(data: list[Any]) -> None:
    with pytest.raises(ModelReplyInvalid):
        embed(*data, count=2)


@pytest.mark.parametrize(
    "numbers",
    [(), (1,), (1, 2, 3), (math.nan, 1), (1, math.inf), (-math.inf, 1), (0, 0), (1e-8, 0), (1e6, 1), (1e300, -1e300)],
)
def test_a_vector_of_another_size_or_that_no_halfvec_can_hold_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(ModelReplyInvalid):
        embed(item(0, *numbers))


@pytest.mark.parametrize(
    "data",
    ["x", 5, {}, {"index": 0}, {"index": 0, "embedding": None}, {"index": 0, "embedding": ["a", "b"]}],
)
def test_an_item_of_another_form_is_refused(data: Any) -> None:
    with pytest.raises(ModelReplyInvalid):
        embed(data)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [({"prompt_tokens": 11, "total_tokens": 11}, 11), (None, 0), ({}, 0), ({"prompt_tokens": None}, 0)],
)
def test_the_servers_count_of_tokens_is_kept_if_there_is_one(usage: Any, tokens: int) -> None:
    found, _ = embed(item(0, 1, 1), usage=usage)
    assert found.tokens == tokens


@pytest.mark.parametrize("model", ["text-embedding-3-small", "text-embedding-3-large"])
def test_openais_third_generation_is_told_the_dimensions(model: str) -> None:
    _, request = embed(item(0, 1, 1), model=model)
    assert request["dimensions"] == 2


@pytest.mark.parametrize("model", ["text-embedding-ada-002", "nomic-embed-text", "my-text-embedding-3"])
def test_other_models_are_not_told_a_parameter_they_may_refuse(model: str) -> None:
    _, request = embed(item(0, 1, 1), model=model)
    assert "dimensions" not in request


def test_the_request_holds_the_model_and_every_text_in_order() -> None:
    _, request = embed(item(0, 1, 1), item(1, 1, 1), count=2)
    assert (request["model"], request["input"]) == ("m", ["text 0", "text 1"])


@pytest.mark.parametrize("kind", [None, "text/plain", "Application/JSON", "application/json ; charset=utf-8"])
def test_json_is_read_whatever_a_server_calls_it(kind: str | None) -> None:
    body = json.dumps({"data": [item(0, 1, 1)], "usage": {"prompt_tokens": 7}}).encode()
    server = ScriptedServer([httpx2.Response(200, content=body, headers={"content-type": kind} if kind else {})])
    found = OpenAIEmbedder(client_to(server), "m", 2).embed(["text"], deadline=Deadline.after(5))
    assert (found.vectors, found.tokens) == ([[1, 1]], 7)


def test_vectors_come_as_base64_if_the_server_knows_it() -> None:
    floats = encodebytes(array("f", [0.5, -1.5]).tobytes()).decode()  # with a line's end, as some write it
    found, request = embed({"index": 0, "embedding": floats})
    assert (found.vectors, request["encoding_format"]) == ([[0.5, -1.5]], "base64")


@pytest.mark.parametrize(
    "data", [item("0", 1, 1), {"index": 0, "embedding": ["1", "2"]}, {"index": 0, "embedding": [True, 2]}]
)
def test_what_is_no_number_is_not_taken_for_one(data: dict[str, Any]) -> None:
    with pytest.raises(ModelReplyInvalid):
        embed(data)
