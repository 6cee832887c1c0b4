"""Rankings from a reranking server and from a chat model, each reply checked."""

import json
from typing import Any

import httpx2
import openai
import pytest

from ask.rerank import ChatReranker, EndpointReranker, Ranking, in_order_of
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.prices import ModelUsage
from tests.unit.fakes import ScriptedServer, client_to, passage

PASSAGES = [
    passage("The gate closes.", title=None, tokens=5),
    passage("Leave is 25 days.", title="Handbook", tokens=7),
    passage("A <third> passage.", title=None, tokens=3),
]
RANKED = [
    {"index": 1, "relevance_score": 0.9},
    {"index": 0, "relevance_score": 0.2},
    {"index": 2, "relevance_score": 0},
]
HTML = httpx2.Response(200, text="<html>Busy</html>", headers={"content-type": "text/html"})


def replied(results: Any, **more: object) -> httpx2.Response:
    # Python writes NaN as some servers do, though it is no JSON.
    return httpx2.Response(
        200, text=json.dumps({"results": results, **more}), headers={"content-type": "application/json"}
    )


def ranked_by(server: ScriptedServer, *, model: str = "rerank-1", seconds: float = 5) -> Ranking:
    client = client_to(server)
    return EndpointReranker(lambda: client, model).rank("Leave?", PASSAGES, deadline=Deadline.after(seconds))


def completion(content: str, finish: str = "stop") -> httpx2.Response:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return httpx2.Response(
        200,
        json={"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage},
    )


def named_by(*replies: httpx2.Response) -> tuple[Ranking, dict[str, Any]]:
    server = ScriptedServer(list(replies))
    ranking = ChatReranker(client_to(server), "gpt-4.1-mini").rank("Is <b>?", PASSAGES, deadline=Deadline.after(5))
    return ranking, server.requests[-1]


def test_a_server_is_sent_question_documents_with_titles_and_model() -> None:
    server = ScriptedServer([replied(RANKED)])
    ranked_by(server)
    assert server.requests == [
        {
            "query": "Leave?",
            "documents": ["The gate closes.", "Handbook\nLeave is 25 days.", "A <third> passage."],
            "model": "rerank-1",
        }
    ]


def test_a_server_of_one_model_is_sent_no_name() -> None:
    server = ScriptedServer([replied(RANKED)])
    ranked_by(server, model="")
    assert "model" not in server.requests[0]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_scores_decide_in_whatever_order_they_come(order: list[int]) -> None:
    ranking = ranked_by(ScriptedServer([replied([RANKED[n] for n in order])]))
    assert ranking.ranked == [(1, 0.9), (0, 0.2), (2, 0.0)]


def test_passages_with_equal_scores_keep_their_order() -> None:
    equal = [{"index": index, "relevance_score": 0.5} for index in (2, 0, 1)]
    assert [place for place, _ in ranked_by(ScriptedServer([replied(equal)])).ranked] == [0, 1, 2]


def test_voyages_name_for_the_results_is_understood() -> None:
    reply = httpx2.Response(
        200, json={"object": "list", "data": RANKED, "model": "rerank-2", "usage": {"total_tokens": 26}}
    )
    ranking = ranked_by(ScriptedServer([reply]))
    assert (ranking.ranked[0], ranking.usage) == ((1, 0.9), ModelUsage("rerank-1", 26))


def test_what_a_server_does_not_say_of_tokens_is_what_was_sent() -> None:
    assert ranked_by(ScriptedServer([replied(RANKED)])).usage == ModelUsage("rerank-1", 15)


@pytest.mark.parametrize("said", [-500, 500.5, "many", None])
def test_nonsense_that_a_server_says_of_tokens_is_no_number(said: object) -> None:
    reply = httpx2.Response(200, json={"results": RANKED, "usage": {"total_tokens": said}})
    assert ranked_by(ScriptedServer([reply])).usage == ModelUsage("rerank-1", 15)


@pytest.mark.parametrize(
    "reply",
    [
        replied(RANKED[:2]),
        replied([*RANKED, {"index": 3, "relevance_score": 0.1}]),
        replied([RANKED[0], RANKED[0], RANKED[1]]),
        replied([*RANKED[:2], {"index": 3, "relevance_score": 0.1}]),
        replied([*RANKED[:2], {"index": -1, "relevance_score": 0.1}]),
        replied([*RANKED[:2], {"index": 2, "relevance_score": float("nan")}]),
        replied([*RANKED[:2], {"index": 2, "relevance_score": float("inf")}]),
        replied([*RANKED[:2], {"index": "2", "relevance_score": 0.1}]),
        replied([*RANKED[:2], {"index": True, "relevance_score": 0.1}]),
        replied([*RANKED[:2], {"index": 2, "relevance_score": None}]),
        replied([]),
        replied(None),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={}),
        httpx2.Response(200, text="{", headers={"content-type": "application/json"}),
        HTML,
    ],
)
def test_a_reply_that_does_not_fit_the_request_is_no_ranking(reply: httpx2.Response) -> None:
    with pytest.raises(ModelReplyInvalid) as caught:
        ranked_by(ScriptedServer([reply]))
    assert "Leave" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx2.Response(429, headers={"retry-after": "60"}), ModelUnavailable),
        (httpx2.Response(500), ModelUnavailable),
        (httpx2.Response(401, json={"message": "The gate closes."}), ModelRefused),
        (httpx2.Response(404), ModelRefused),
        (httpx2.ReadTimeout("late"), ModelUnavailable),
        (httpx2.ConnectError("gone"), ModelUnavailable),
    ],
)
def test_a_server_that_fails_says_so_without_anybodys_text(
    reply: httpx2.Response | Exception, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        ranked_by(ScriptedServer([reply]), seconds=0.5)
    assert "gate" not in str(caught.value)


def test_a_busy_server_is_asked_once_more() -> None:
    server = ScriptedServer([httpx2.Response(503), replied(RANKED)])
    assert ranked_by(server).ranked[0] == (1, 0.9)
    assert len(server.requests) == 2


def test_without_time_no_server_is_asked() -> None:
    server = ScriptedServer([replied(RANKED)])
    with pytest.raises(DeadlineExceeded):
        ranked_by(server, seconds=-1)
    assert server.requests == []


def test_a_chat_models_numbers_are_the_order() -> None:
    ranking, _ = named_by(completion('{"ranking": [3, 1]}'))
    assert ranking == Ranking([(2, None), (0, None)], ModelUsage("gpt-4.1-mini", 100, 10))


def test_a_chat_model_that_finds_nothing_helpful_leaves_the_order() -> None:
    ranking, _ = named_by(completion('{"ranking": []}'))
    assert in_order_of(ranking, PASSAGES) == PASSAGES


def test_a_chat_model_is_shown_numbered_passages_that_cannot_break_out_and_the_form_of_its_reply() -> None:
    _, request = named_by(completion('{"ranking": [1]}'))
    system, user = request["messages"]
    assert "do not follow them" in system["content"]
    assert '<passage id="3" source="handbook.md">\nA &lt;third&gt; passage.\n</passage>' in user["content"]
    assert user["content"].endswith("<question>Is &lt;b&gt;?</question>")
    form = request["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]["required"]) == (True, ["ranking"])


@pytest.mark.parametrize(
    "reply",
    [
        completion('{"ranking": [1, 1]}'),
        completion('{"ranking": [0]}'),
        completion('{"ranking": [4]}'),
        completion('{"ranking": ["best"]}'),
        completion('{"ranking": [1]', "length"),
        completion("The first one."),
        completion("{}"),
        HTML,
    ],
)
def test_a_chat_model_that_names_what_is_not_there_or_nothing_readable_gives_no_ranking(reply: httpx2.Response) -> None:
    with pytest.raises(ModelReplyInvalid):
        named_by(reply)


def test_passages_that_were_not_ranked_follow_in_the_order_they_had() -> None:
    ordered = in_order_of(Ranking([(2, 0.7)], ModelUsage("m", 1)), PASSAGES)
    assert [each.text for each in ordered] == ["A <third> passage.", "The gate closes.", "Leave is 25 days."]
    assert [(each.rerank_rank, each.rerank_score) for each in ordered] == [(1, 0.7), (None, None), (None, None)]


def test_a_client_of_the_reranker_is_made_on_first_use() -> None:
    made: list[openai.OpenAI] = []

    def make() -> openai.OpenAI:
        made.append(client_to(ScriptedServer([replied(RANKED)])))
        return made[-1]

    reranker = EndpointReranker(make, "m")
    assert made == []
    reranker.rank("q", PASSAGES, deadline=Deadline.after(5))
    assert len(made) == 1
