"""A follow-up question as a chat model makes it stand alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from ask.prompt import Turn
from ask.rewriting import (
    MOST_ANSWER_CHARACTERS,
    MOST_TURNS,
    ChatRewriter,
    ConversationStage,
    Rewritten,
    StandAlone,
    may_lean,
)
from bucketwise import model_calls
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelReplyInvalid
from bucketwise.prices import ModelUsage
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import ScriptedServer, client_to
from tests.unit.memory_rewriter import JoiningRewriter

HISTORY = [Turn("How much leave?", "25 days")]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_calls, "FIRST_PAUSE_SECONDS", 0.0)


def reply(content: Any) -> httpx2.Response:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return httpx2.Response(200, content=json.dumps(body), headers={"content-type": "application/json"})


def test_the_model_sees_the_conversation_and_its_question_is_taken() -> None:
    server = ScriptedServer([reply(json.dumps({"question": " How much leave\n have masters? "}))])
    rewritten = ChatRewriter(client_to(server), "small").rewrite("And masters?", HISTORY, deadline=Deadline.after(5))
    assert rewritten.question == "How much leave have masters?"
    assert (rewritten.usage.model, rewritten.usage.input_tokens, rewritten.usage.output_tokens) == ("small", 50, 7)
    [request] = server.requests
    shown = request["messages"][1]["content"]
    assert "<question>How much leave?</question>\n<answer>25 days</answer>" in shown
    assert shown.endswith("<question>And masters?</question>")
    assert request["response_format"]["json_schema"]["strict"] is True


def test_a_model_without_schemas_replies_with_the_question_alone() -> None:
    server = ScriptedServer([reply("How much leave have masters?")])
    rewriter = ChatRewriter(client_to(server), "small", structured=False)
    rewritten = rewriter.rewrite("And masters?", HISTORY, deadline=Deadline.after(5))
    assert rewritten.question == "How much leave have masters?"
    assert "response_format" not in server.requests[0]


def test_a_server_that_rejects_schemas_is_asked_for_the_question_alone() -> None:
    rejected = httpx2.Response(400, json={"error": {"message": "response_format is not supported"}})
    server = ScriptedServer([rejected, reply("How much leave have masters?")])
    rewritten = ChatRewriter(client_to(server), "m").rewrite("And masters?", HISTORY, deadline=Deadline.after(5))
    assert rewritten.question == "How much leave have masters?"
    assert ["response_format" in request for request in server.requests] == [True, False]


def test_half_a_character_of_a_reply_is_not_searched_for() -> None:
    server = ScriptedServer([reply("How much \ud83d leave?")])
    rewriter = ChatRewriter(client_to(server), "m", structured=False)
    assert rewriter.rewrite("And?", HISTORY, deadline=Deadline.after(5)).question == "How much ? leave?"


def test_a_question_in_a_fence_is_taken() -> None:
    server = ScriptedServer([reply('```json\n{"question": "How much leave?"}\n```')])
    rewritten = ChatRewriter(client_to(server), "m").rewrite("And?", HISTORY, deadline=Deadline.after(5))
    assert rewritten.question == "How much leave?"


@pytest.mark.parametrize(
    "content",
    ["", "{}", "So?", *(json.dumps({"question": question}) for question in ("", " ", "a\0", "x" * 4001))],
)
def test_a_reply_that_is_no_question_is_not_taken(content: str) -> None:
    with pytest.raises(ModelReplyInvalid):
        ChatRewriter(client_to(ScriptedServer([reply(content)])), "small").rewrite(
            "And masters?", HISTORY, deadline=Deadline.after(5)
        )


def test_a_long_history_is_cut() -> None:
    server = ScriptedServer([reply(json.dumps({"question": "q"}))])
    history = [Turn(f"number {number}", "x" * 20_000) for number in range(20)]
    ChatRewriter(client_to(server), "small").rewrite("And?", history, deadline=Deadline.after(5))
    shown = server.requests[0]["messages"][1]["content"]
    assert shown.count("<turn>") == MOST_TURNS
    assert "number 19" in shown
    assert shown.count("x") < (MOST_ANSWER_CHARACTERS + 10) * MOST_TURNS


@dataclass
class TimedRewriter:
    """Keeps the time that it was given."""

    seconds: list[float] = field(default_factory=list)

    def rewrite(self, question: str, history: Sequence[Turn], *, deadline: Deadline) -> Rewritten:
        self.seconds.append(deadline.remaining())
        return Rewritten(f"{history[-1].question} {question}", ModelUsage("m", 1))


def test_rewriting_has_six_seconds_and_leaves_most_of_less_time_to_search_and_answer() -> None:
    rewriter = TimedRewriter()
    stage = ConversationStage(rewriter, Telemetry("ask"))
    for seconds in (28.0, 10.0):
        stage.stand_alone("And masters?", HISTORY, deadline=Deadline.after(seconds))
    assert rewriter.seconds == pytest.approx([6.0, 3.0], abs=0.5)


@pytest.mark.parametrize(
    "question",
    [
        "And masters?",
        "How long is it?",
        "What did the annual report of last year say about their fuel consumption?",
        "Wie viele Tage Urlaub haben denn diese Kapitäne im Jahr davon übrig?",
        "¿Cuántos días de vacaciones tienen al año los capitanes de ese barco?",
        "岸上员工每年有多少天年假,船长又有多少天呢,请告诉我?",
        "",
    ],
)
def test_a_question_that_leans_on_another_or_may_do_so_is_rewritten(question: str) -> None:
    assert may_lean(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many days of annual leave do masters have in 2026?",
        "Wie viele Tage Urlaub haben Kapitäne der Reederei im Jahr 2026?",
        "¿Cuántos días de vacaciones tienen los capitanes del puerto de Cádiz?",
    ],
)
def test_a_question_that_stands_alone_costs_no_call(question: str) -> None:
    assert not may_lean(question)
    rewriter = JoiningRewriter()
    stage = ConversationStage(rewriter, Telemetry("ask"))
    assert stage.stand_alone(question, HISTORY, deadline=Deadline.after(5)) == StandAlone(question)
    assert rewriter.asked == []
