"""An answer from a chat model, in a form that code can check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol

import openai
from pydantic import BaseModel

from ask.prompt import PROMPT_VERSION, TEXT_PROMPT_VERSION, Messages, Prompt
from ask.replies import GeneratedAnswer, read_json, read_text
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelRefused, ModelReplyInvalid
from bucketwise.model_calls import call_model, posted
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage, tokens_said

TRIES = 2
_JSON = re.compile(r"\A\s*\[|\{")
# Some servers leave in a reply what a model said to itself before.
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)

ReplyForm = Literal["auto", "json_schema", "text"]


@dataclass(frozen=True, slots=True)
class Generation:
    """``reply`` is what the model said, word for word; ``prompt_version`` which instructions it had."""

    answer: GeneratedAnswer
    usage: ModelUsage
    reply: str = ""
    prompt_version: str = PROMPT_VERSION


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[object] | None = None


class Generator(Protocol):
    def generate(self, prompt: Prompt, *, deadline: Deadline) -> Generation: ...


@dataclass(slots=True)
class OpenAIGenerator:
    """``form``: with "auto", a server that rejects a request with a JSON schema, or whose model replies with prose all
    the same, is asked for text from then on.
    """

    client: openai.OpenAI
    model: str
    answer_tokens: int
    form: ReplyForm = "auto"
    circuit: Circuit | None = None
    _knows_no_schemas: bool = field(default=False, init=False)
    _wrote_prose: bool = field(default=False, init=False)

    def generate(self, prompt: Prompt, *, deadline: Deadline) -> Generation:
        """Raises ModelUnavailable, ModelRefused, ModelReplyInvalid or DeadlineExceeded."""
        if self.form != "text" and not self._knows_no_schemas:
            try:
                return self._generate(prompt, deadline, PROMPT_VERSION)
            except ModelRefused as refusal:
                if not refusal.malformed or self.form == "json_schema":
                    raise
            except ModelReplyInvalid:
                if not self._wrote_prose or self.form == "json_schema":
                    raise
        generation = self._generate(prompt, deadline, TEXT_PROMPT_VERSION)
        self._knows_no_schemas = True  # now that text was replied: it may have been the prompt that was rejected
        return generation

    def _generate(self, prompt: Prompt, deadline: Deadline, version: str) -> Generation:
        return call_model(
            lambda timeout: self._generate_once(prompt, version, timeout),
            deadline=deadline,
            tries=TRIES,
            most_seconds=max(deadline.remaining(), 0),
            circuit=self.circuit,
        )

    def _generate_once(self, prompt: Prompt, version: str, timeout: float) -> Generation:
        form = GeneratedAnswer if version == PROMPT_VERSION else None
        content, usage = complete(
            self.client,
            self.model,
            prompt.messages(version),
            form=form,
            name="answer",
            most_tokens=self.answer_tokens,
            timeout=timeout,
        )
        self._wrote_prose = form is not None and not _JSON.search(content) and content.strip() != ""
        answer = read_json(content) if form else read_text(content)
        return Generation(answer, usage, content, version)


def complete(
    client: openai.OpenAI,
    model: str,
    messages: Messages | Sequence[tuple[str, str]],
    *,
    form: type[BaseModel] | None,
    name: str,
    most_tokens: int,
    timeout: float,
) -> tuple[str, ModelUsage]:
    """One completion of ``messages`` (role, content): its text, which was asked to fit the JSON schema of ``form``.

    Raises ModelReplyInvalid for a reply without text or that was cut off, and the SDK's errors.
    """
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": role, "content": content} for role, content in messages],
        "max_completion_tokens": most_tokens,
    }
    if form is not None:
        wanted = {"name": name, "strict": True, "schema": _schema(form)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    # Not `chat.completions.create`: what that knows of types takes longer than all else that is done to a call.
    reply = posted(client, "/chat/completions", body, timeout=timeout)
    usage = ModelUsage(model, tokens_said(reply, "prompt_tokens"), tokens_said(reply, "completion_tokens"))
    tell_usage(usage)
    choices = _Completion.model_validate(reply).choices
    if not choices:
        raise ModelReplyInvalid("the model's reply holds no choice")
    choice = _Choice.model_validate(choices[0])
    if choice.finish_reason != "stop":
        raise ModelReplyInvalid(f"the model stopped early ({choice.finish_reason})")
    content = _THOUGHTS.sub("", choice.message.content or "")
    # A server may cut a character that needs two halves; such text can be neither stored nor sent on.
    return content.encode(errors="replace").decode(), usage


@cache
def _schema(form: type[BaseModel]) -> dict[str, Any]:
    """Its JSON schema, which takes a millisecond to make."""
    return form.model_json_schema()
