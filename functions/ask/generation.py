"""An answer from a chat model, in a form that code can check."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from ask.prompt import Prompt
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelReplyInvalid
from bucketwise.model_calls import call_model
from bucketwise.prices import ModelUsage

T = TypeVar("T", bound=BaseModel)

TRIES = 2


class Quotation(BaseModel):
    """The model's word that passage number ``passage`` holds ``quote``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    passage: int
    quote: str


class GeneratedAnswer(BaseModel):
    """What the model must reply with: this model's JSON schema is sent along."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    answerable: bool
    answer: str
    citations: list[Quotation]
    reason: str


@dataclass(frozen=True, slots=True)
class Generation:
    answer: GeneratedAnswer
    usage: ModelUsage


class Generator(Protocol):
    def generate(self, prompt: Prompt, *, deadline: Deadline) -> Generation: ...


@dataclass(frozen=True, slots=True)
class OpenAIGenerator:
    client: openai.OpenAI
    model: str
    answer_tokens: int
    circuit: Circuit | None = None

    def generate(self, prompt: Prompt, *, deadline: Deadline) -> Generation:
        """Raises ModelUnavailable, ModelRefused, ModelReplyInvalid or DeadlineExceeded."""
        return call_model(
            lambda timeout: self._generate_once(prompt, timeout),
            deadline=deadline,
            tries=TRIES,
            most_seconds=max(deadline.remaining(), 0),
            circuit=self.circuit,
        )

    def _generate_once(self, prompt: Prompt, timeout: float) -> Generation:
        answer, usage = structured_reply(
            self.client,
            self.model,
            prompt.messages,
            form=GeneratedAnswer,
            name="answer",
            most_tokens=self.answer_tokens,
            timeout=timeout,
        )
        return Generation(answer, usage)


def structured_reply(
    client: openai.OpenAI,
    model: str,
    messages: Sequence[tuple[str, str]],
    *,
    form: type[T],
    name: str,
    most_tokens: int,
    timeout: float,
) -> tuple[T, ModelUsage]:
    """One completion of ``messages`` (role, content), which must fit the JSON schema of ``form``.

    Raises ModelReplyInvalid, and the SDK's errors.
    """
    said: Any = [{"role": role, "content": content} for role, content in messages]
    reply = client.chat.completions.create(
        model=model,
        messages=said,
        max_completion_tokens=most_tokens,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": form.model_json_schema()},
        },
        timeout=timeout,
    )
    if not reply.choices:
        raise ModelReplyInvalid("the model's reply holds no choice")
    choice = reply.choices[0]
    if choice.finish_reason != "stop":
        raise ModelReplyInvalid(f"the model stopped early ({choice.finish_reason})")
    usage = ModelUsage(
        model,
        (reply.usage.prompt_tokens or 0) if reply.usage else 0,
        (reply.usage.completion_tokens or 0) if reply.usage else 0,
    )
    return _parsed(form, choice.message.content or ""), usage


def _parsed(form: type[T], content: str) -> T:
    try:
        return form.model_validate_json(content)
    except ValidationError:
        raise ModelReplyInvalid("the model's reply does not fit the schema") from None
