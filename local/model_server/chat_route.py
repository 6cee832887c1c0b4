"""``POST /v1/chat/completions``, whole or as a stream."""

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from local.model_server.completions import complete
from local.model_server.embeddings import Embedder
from local.model_server.json_schema import Schema, require_strict
from local.model_server.prompt import message_text
from local.model_server.wire import JsonObject, Reply, RequestRefused, require_model

CHAT_MODEL = "extractive"

_TOKENS_AROUND_A_MESSAGE = 3


def chat(body: Mapping[str, Any], embedder: Embedder, *, cut_short: bool = False) -> Reply:
    """Complete a chat. ``cut_short`` ends the text in the middle, as a model that ran out of tokens does."""
    require_model(body, CHAT_MODEL)
    messages = _messages(body.get("messages"))
    if body.get("n", 1) != 1:
        raise RequestRefused("only n=1 is supported", param="n")
    limit = _limit(body)
    whole = complete(messages, embedder, schema=_schema(body.get("response_format")))
    text = whole[: len(whole) // 2] if cut_short else whole
    text = embedder.first_tokens(text, limit) if limit else text
    finish = "stop" if text == whole else "length"
    asked = sum(embedder.count_tokens(message_text(one)) + _TOKENS_AROUND_A_MESSAGE for one in messages)
    usage = _usage(asked, embedder.count_tokens(text))
    if body.get("stream"):
        return Reply({}, events=tuple(_chunks(text, finish, usage if _wants_usage(body) else None)))
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return Reply({**_frame("chat.completion"), "choices": [choice], "usage": usage})


def _frame(kind: str) -> JsonObject:
    name = f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": CHAT_MODEL}


def _usage(prompt: int, completion: int) -> JsonObject:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _chunks(text: str, finish: str, usage: JsonObject | None) -> Iterator[JsonObject]:
    """A chunk with the role, one for each word, one with the reason for the end, one with the usage."""
    frame = _frame("chat.completion.chunk")
    if usage:
        frame["usage"] = None
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in re.findall(r"\S+\s*|\s+", text))]
    for delta in deltas:
        yield {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if usage:
        yield {**frame, "choices": [], "usage": usage}


def _messages(given: object) -> list[Mapping[str, Any]]:
    if not isinstance(given, list) or not given:
        raise RequestRefused("'messages' must be a list that is not empty", param="messages")
    messages: list[Mapping[str, Any]] = [
        one for one in given if isinstance(one, dict) and isinstance(one.get("role"), str)
    ]
    if len(messages) < len(given):
        raise RequestRefused("each of 'messages' must be an object with a role", param="messages")
    return messages


def _limit(body: Mapping[str, Any]) -> int | None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise RequestRefused("'max_completion_tokens' must be 1 or more", param="max_completion_tokens")
    return limit


def _schema(given: object) -> Schema | None:
    """The schema of the format that is asked for: None for plain text, empty for any JSON object."""
    wanted = given if isinstance(given, dict) else {"type": "text"}
    if wanted.get("type") == "text":
        return None
    if wanted.get("type") == "json_object":
        return {}
    described = wanted.get("json_schema")
    if wanted.get("type") != "json_schema" or not isinstance(described, dict):
        raise RequestRefused("'response_format' must be text, json_object or json_schema", param="response_format")
    schema = described.get("schema")
    if not isinstance(schema, dict) or not described.get("name"):
        raise RequestRefused("'json_schema' must have a name and a schema", param="response_format")
    if described.get("strict"):
        require_strict(schema)
    return schema


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))
