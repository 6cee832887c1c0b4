"""Reranking as Cohere's API has it, and by a chat model that is asked for a ranking."""

import json
import math
from typing import Any

import httpx2 as httpx
import openai
import pytest

from tests.integration.model_server.conftest import add_fault

DOCUMENTS = ["The gate closes at midnight.", "Leave is 25 days a year.", "How the gate is painted."]
QUESTION = "How many days of leave?"
RANKING: dict[str, Any] = {
    "type": "object",
    "properties": {"ranking": {"type": "array", "items": {"type": "integer"}}},
    "required": ["ranking"],
    "additionalProperties": False,
}


def rerank(client: openai.OpenAI, **changed: object) -> Any:
    body = {"model": "wordllama-rerank", "query": QUESTION, "documents": DOCUMENTS}
    return client.post("/rerank", cast_to=object, body=body | changed)


def indexes(reply: Any) -> list[int]:
    return [result["index"] for result in reply["results"]]


def test_the_document_that_fits_the_question_comes_first_with_the_best_score(client: openai.OpenAI) -> None:
    reply = rerank(client)
    scores = [result["relevance_score"] for result in reply["results"]]
    assert indexes(reply)[0] == 1
    assert sorted(indexes(reply)) == [0, 1, 2]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1
    assert reply["usage"]["total_tokens"] > 20


def test_only_the_best_come_when_so_many_are_asked_for(client: openai.OpenAI) -> None:
    assert indexes(rerank(client, top_n=1)) == [1]


@pytest.mark.parametrize(
    "wrong",
    [{"query": ""}, {"documents": []}, {"documents": [{"text": "a"}]}, {"top_n": 0}, {"model": "other"}],
    ids=str,
)
def test_a_request_that_does_not_fit_is_refused(client: openai.OpenAI, wrong: dict[str, object]) -> None:
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
        rerank(client, **wrong)


def test_results_can_be_spoiled_in_count_order_indexes_and_scores(client: openai.OpenAI) -> None:
    sound = rerank(client)
    for kind in ("count", "order", "indexes", "unknown", "nan"):
        add_fault(client, kind=kind, route="rerank")
    assert indexes(rerank(client)) == indexes(sound)[:-1]
    assert indexes(rerank(client)) == indexes(sound)[::-1]
    assert indexes(rerank(client)) == [0, 0, 0]
    assert indexes(rerank(client))[0] == 3
    assert math.isnan(rerank(client)["results"][0]["relevance_score"])
    assert rerank(client) == sound


def test_a_fault_of_another_route_leaves_reranking_alone(client: openai.OpenAI) -> None:
    add_fault(client, status=503, route="chat")
    assert rerank(client)
    add_fault(client, status=503, route="rerank")
    with pytest.raises(openai.InternalServerError):
        client.post("/rerank", cast_to=httpx.Response, body={})


def test_a_chat_model_names_the_passages_that_fit_best_first(client: openai.OpenAI) -> None:
    passages = "".join(f'<passage id="{n}">{text}</passage>' for n, text in enumerate(DOCUMENTS, start=1))
    said: Any = {"role": "user", "content": f"{passages}<question>{QUESTION}</question>"}
    form: Any = {"type": "json_schema", "json_schema": {"name": "ranking", "strict": True, "schema": RANKING}}
    reply = client.chat.completions.create(model="extractive", messages=[said], response_format=form)
    ranking = json.loads(reply.choices[0].message.content or "")["ranking"]
    assert ranking[0] == 2
    assert set(ranking) <= {1, 2, 3}
