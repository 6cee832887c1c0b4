"""A chat model's reply is an answer only in the form that was asked for."""

import json
from typing import Any

import httpx2
import pytest

from ask.generation import OpenAIGenerator, ReplyForm
from ask.prompt import TEXT_PROMPT_VERSION, Prompt, build_prompt
from ask.replies import GeneratedAnswer, Quotation
from bucketwise import model_calls
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from tests.unit.fakes import ScriptedServer, client_to, passage

ANSWER = {
    "answerable": True,
    "answer": "25 days [1].",
    "citations": [{"passage": 1, "quote": "25 days"}],
    "reason": "",
}
USAGE = {"prompt_tokens": 90, "completion_tokens": 12, "total_tokens": 102}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_calls, "FIRST_PAUSE_SECONDS", 0.0)


def reply(content: Any, *, finish_reason: str = "stop", **changes: Any) -> httpx2.Response:
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    return httpx2.Response(200, json=body | changes)


def prompt() -> Prompt:
    return build_prompt(question="How much?", passages=[passage("25 days")], max_context_tokens=100)


def generator(server: ScriptedServer, form: ReplyForm = "auto") -> OpenAIGenerator:
    return OpenAIGenerator(client_to(server), "gpt-4.1-mini", 321, form)


GOOD = reply(json.dumps(ANSWER))
UNUSABLE = [
    pytest.param(reply(json.dumps(ANSWER), finish_reason="length"), id="cut off"),
    pytest.param(reply(None, finish_reason="content_filter"), id="filtered"),
    pytest.param(reply("It is 25 days."), id="not JSON"),
    pytest.param(reply(""), id="empty"),
    pytest.param(reply(None), id="no content"),
    pytest.param(reply(["x"]), id="content is a list"),
    pytest.param(reply("[]"), id="not an object"),
    pytest.param(reply(json.dumps(ANSWER)[:-1]), id="JSON cut off"),
    pytest.param(reply(json.dumps(ANSWER | {"url": "http://x"})), id="a field too many"),
    pytest.param(reply(json.dumps({"answer": "25"})), id="fields missing"),
    pytest.param(
        reply(json.dumps(ANSWER | {"citations": [{"passage": "one", "quote": "x"}]})), id="a word for a number"
    ),
    pytest.param(reply(json.dumps(ANSWER | {"citations": None})), id="null for a list"),
    pytest.param(reply("", choices=[]), id="no choice"),
    pytest.param(reply("", choices=None), id="null choices"),
    pytest.param(reply("", choices=["x"]), id="a choice that is text"),
    pytest.param(reply("", choices=[{"finish_reason": "stop"}]), id="no message"),
    pytest.param(httpx2.Response(200, text="<html>", headers={"content-type": "text/html"}), id="a page of HTML"),
]


def test_a_reply_that_fits_the_schema_is_the_answer_with_its_usage() -> None:
    generation = generator(ScriptedServer([GOOD])).generate(prompt(), deadline=Deadline.after(5))
    assert generation.answer == GeneratedAnswer(
        answerable=True, answer="25 days [1].", citations=[Quotation(passage=1, quote="25 days")], reason=""
    )
    usage = generation.usage
    assert (usage.model, usage.input_tokens, usage.output_tokens) == ("gpt-4.1-mini", 90, 12)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_a_server_that_counts_no_tokens_is_believed_to_have_used_none(usage: Any) -> None:
    server = ScriptedServer([reply(json.dumps(ANSWER), usage=usage)])
    used = generator(server).generate(prompt(), deadline=Deadline.after(5)).usage
    assert (used.input_tokens, used.output_tokens) == (0, 0)


@pytest.mark.parametrize("unusable", UNUSABLE)
def test_an_unusable_reply_is_asked_for_once_more(unusable: httpx2.Response) -> None:
    server = ScriptedServer([unusable, GOOD])
    assert generator(server).generate(prompt(), deadline=Deadline.after(5)).answer.answer == "25 days [1]."
    assert len(server.requests) == 2


@pytest.mark.parametrize("unusable", [each for each in UNUSABLE if each.id != "not JSON"])
def test_two_unusable_replies_are_an_error_without_the_models_words(unusable: httpx2.Response) -> None:
    server = ScriptedServer([unusable])
    with pytest.raises(ModelReplyInvalid) as raised:
        generator(server).generate(prompt(), deadline=Deadline.after(5))
    assert len(server.requests) == 2
    assert "25" not in str(raised.value)


def test_a_busy_server_is_asked_twice_and_not_more() -> None:
    server = ScriptedServer([httpx2.Response(503)])
    with pytest.raises(ModelUnavailable):
        generator(server).generate(prompt(), deadline=Deadline.after(5))
    assert len(server.requests) == 2


def test_without_time_the_model_is_not_asked() -> None:
    server = ScriptedServer([GOOD])
    with pytest.raises(DeadlineExceeded):
        generator(server).generate(prompt(), deadline=Deadline.after(-1))
    assert server.requests == []


def test_the_request_carries_the_model_the_messages_and_the_limit() -> None:
    server = ScriptedServer([GOOD])
    generator(server).generate(prompt(), deadline=Deadline.after(5))
    [request] = server.requests
    assert (request["model"], request["max_completion_tokens"]) == ("gpt-4.1-mini", 321)
    assert [(each["role"], each["content"]) for each in request["messages"]] == list(prompt().messages())


def test_the_schema_sent_along_is_strict_as_openai_wants_it() -> None:
    server = ScriptedServer([GOOD])
    generator(server).generate(prompt(), deadline=Deadline.after(5))
    wanted = server.requests[0]["response_format"]["json_schema"]
    assert wanted["strict"] is True
    for each in (wanted["schema"], wanted["schema"]["$defs"]["Quotation"]):
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])


TEXT = reply("It is 25 days [1].\n\nQUOTES\n[1] 25 days\n")
REJECTED = [httpx2.Response(status, json={"error": {"message": "no schemas here"}}) for status in (400, 415, 422)]


@pytest.mark.parametrize("rejected", REJECTED)
def test_a_server_that_rejects_a_schema_is_asked_for_text_from_then_on(rejected: httpx2.Response) -> None:
    server = ScriptedServer([rejected, TEXT])
    asking = generator(server)
    for _ in range(2):
        generation = asking.generate(prompt(), deadline=Deadline.after(5))
        assert generation.answer.citations == [Quotation(passage=1, quote="25 days")]
        assert (generation.answer.answer, generation.prompt_version) == ("It is 25 days [1].", TEXT_PROMPT_VERSION)
    assert ["response_format" in request for request in server.requests] == [True, False, False]
    assert server.requests[1]["messages"][0]["content"] == prompt().messages(TEXT_PROMPT_VERSION)[0][1]


def test_a_server_that_rejects_every_request_is_asked_for_a_schema_the_next_time_too() -> None:
    server = ScriptedServer([REJECTED[0], REJECTED[0], GOOD])
    asking = generator(server)
    with pytest.raises(ModelRefused):
        asking.generate(prompt(), deadline=Deadline.after(5))
    assert asking.generate(prompt(), deadline=Deadline.after(5)).answer.answer == "25 days [1]."
    assert ["response_format" in request for request in server.requests] == [True, False, True]


def test_the_form_of_the_reply_can_be_set() -> None:
    server = ScriptedServer([TEXT])
    assert generator(server, "text").generate(prompt(), deadline=Deadline.after(5)).answer.answerable
    assert "response_format" not in server.requests[0]
    with pytest.raises(ModelRefused):
        generator(ScriptedServer([REJECTED[0], TEXT]), "json_schema").generate(prompt(), deadline=Deadline.after(5))


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_another_refusal_says_nothing_of_schemas(status: int) -> None:
    server = ScriptedServer([httpx2.Response(status), TEXT])
    with pytest.raises(ModelRefused):
        generator(server).generate(prompt(), deadline=Deadline.after(5))
    assert len(server.requests) == 1


PROSE = reply("It is 25 days.")


def test_a_model_that_writes_prose_all_the_same_is_asked_for_text_from_then_on() -> None:
    server = ScriptedServer([PROSE, PROSE, TEXT])
    asking = generator(server)
    for _ in range(2):
        generation = asking.generate(prompt(), deadline=Deadline.after(5))
        assert (generation.prompt_version, len(generation.answer.citations)) == (TEXT_PROMPT_VERSION, 1)
    assert ["response_format" in request for request in server.requests] == [True, True, False, False]


def test_prose_is_no_answer_where_a_schema_is_insisted_on() -> None:
    with pytest.raises(ModelReplyInvalid):
        generator(ScriptedServer([PROSE]), "json_schema").generate(prompt(), deadline=Deadline.after(5))


@pytest.mark.parametrize("form", ["auto", "text"])
def test_what_a_model_said_to_itself_is_no_part_of_its_reply(form: ReplyForm) -> None:
    thought = "<think>\nThe passage says {25}.\n</think>\n\n"
    said = json.dumps(ANSWER) if form == "auto" else "It is 25 days [1].\nQUOTES\n[1] 25 days"
    generation = generator(ScriptedServer([reply(thought + said)]), form).generate(prompt(), deadline=Deadline.after(5))
    assert generation.answer.citations == [Quotation(passage=1, quote="25 days")]
    assert "says" not in generation.answer.answer + generation.reply
