"""A follow-up question made into one that can be searched for and answered without what was said before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from ask.generation import complete
from ask.prompt import Turn, conversation, instructions
from ask.replies import json_in
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.model_calls import call_model
from bucketwise.prices import ModelUsage
from bucketwise.telemetry import Telemetry

PROMPT_VERSION = "rewrite-v1"
TRIES = 2
MOST_SECONDS = 10.0
LONGEST_QUESTION = 4000  # characters, as in a request
REWRITE_TOKENS = 400
# Of the history, the latest turns and the beginnings of their answers are read.
MOST_TURNS = 6
MOST_ANSWER_CHARACTERS = 1500
# A question with one of these leans on what was said before; so may a short one, and one in another script.
_REFERRING = """
it its they them their theirs this that these those he him his she her hers there then same such one ones other others
another else also too instead former latter above previous and or but so about
er ihn ihm sein seine ihr ihre ihnen es dies diese dieser dieses jener jene denen dessen deren dort dann auch und oder
aber davon damit dafür dazu darin andere anderen sonst
él ella ellos ellas su sus este esta esto estos estas ese esa eso esos esas aquel allí también y o pero otro otra
il elle ils elles son sa ses leur leurs ce cet cette ces cela ça là aussi et ou mais autre autres
"""
REFERRING = frozenset(_REFERRING.split())
FEWEST_WORDS = 8
_WORDS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[\u0000-\u024f\u2000-\u206f€]+")
# Later than this, the question is searched for as it is.
REWRITE_SECONDS = 6.0
REWRITE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Rewritten:
    question: str
    usage: ModelUsage


class Rewriter(Protocol):
    def rewrite(self, question: str, history: Sequence[Turn], *, deadline: Deadline) -> Rewritten:
        """Raises ModelUnavailable, ModelRefused, ModelReplyInvalid or DeadlineExceeded."""
        ...


class _StandAlone(BaseModel):
    """What a chat model must reply with: this model's JSON schema is sent along."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: str


@dataclass(frozen=True, slots=True)
class ChatRewriter:
    """With ``structured`` off, or if the server rejects a JSON schema, the model replies with the question alone."""

    client: openai.OpenAI
    model: str
    structured: bool = True
    circuit: Circuit | None = None

    def rewrite(self, question: str, history: Sequence[Turn], *, deadline: Deadline) -> Rewritten:
        """Raises as Rewriter says."""
        try:
            return self._rewrite(question, history, deadline, structured=self.structured)
        except ModelRefused as refusal:
            if not (refusal.malformed and self.structured):
                raise
        return self._rewrite(question, history, deadline, structured=False)

    def _rewrite(self, question: str, history: Sequence[Turn], deadline: Deadline, *, structured: bool) -> Rewritten:
        return call_model(
            lambda timeout: self._rewrite_once(question, history, timeout, structured=structured),
            deadline=deadline,
            tries=TRIES,
            most_seconds=MOST_SECONDS,
            circuit=self.circuit,
        )

    def _rewrite_once(self, question: str, history: Sequence[Turn], timeout: float, *, structured: bool) -> Rewritten:
        content, usage = complete(
            self.client,
            self.model,
            (("system", instructions(PROMPT_VERSION)), ("user", conversation(question, recent(history)))),
            form=_StandAlone if structured else None,
            name="question",
            most_tokens=REWRITE_TOKENS,
            timeout=timeout,
        )
        said = " ".join((_read(content) if structured else content).split())
        if not 0 < len(said) <= LONGEST_QUESTION or "\0" in said:
            raise ModelReplyInvalid("the rewritten question is empty or too long")
        return Rewritten(said, usage)


def recent(history: Sequence[Turn]) -> list[Turn]:
    """What is read of what was said before."""
    return [Turn(turn.question, turn.answer[:MOST_ANSWER_CHARACTERS]) for turn in history[-MOST_TURNS:]]


def _read(content: str) -> str:
    try:
        return _StandAlone.model_validate_json(json_in(content)).question
    except ValidationError:
        raise ModelReplyInvalid("the model's reply does not fit the schema") from None


def may_lean(question: str) -> bool:
    """Whether a question may be one that nobody understands without what was said before it."""
    words = _WORDS.findall(question.casefold())
    return len(words) < FEWEST_WORDS or not _LATIN.fullmatch(question) or not REFERRING.isdisjoint(words)


@dataclass(frozen=True, slots=True)
class StandAlone:
    """``context`` is the question before, if the new one could not be rewritten and is to be read together with it."""

    question: str
    context: str = ""
    usage: ModelUsage | None = None
    milliseconds: float | None = None

    @property
    def degraded(self) -> bool:
        return bool(self.context)

    @property
    def usages(self) -> list[ModelUsage]:
        return [self.usage] if self.usage else []

    @property
    def timings_ms(self) -> dict[str, float]:
        return {} if self.milliseconds is None else {"rewrite": self.milliseconds}


@dataclass(frozen=True, slots=True)
class ConversationStage:
    """Asks no model unless something was said before that the question may lean on."""

    rewriter: Rewriter
    telemetry: Telemetry

    def stand_alone(self, question: str, history: Sequence[Turn], *, deadline: Deadline) -> StandAlone:
        """A model that fails costs the rewriting: the question before is then searched for along with this one."""
        if not history or not may_lean(question):
            return StandAlone(question)
        began = perf_counter()
        share = Deadline.after(min(REWRITE_SECONDS, REWRITE_SHARE * deadline.remaining()))
        try:
            with self.telemetry.step("rewrite"):
                rewritten = self.rewriter.rewrite(question, history, deadline=share)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded) as error:
            self.telemetry.log_failure(error)
            return StandAlone(question, context=history[-1].question, milliseconds=(perf_counter() - began) * 1000)
        self.telemetry.count_usage(rewritten.usage)
        return StandAlone(rewritten.question, usage=rewritten.usage, milliseconds=(perf_counter() - began) * 1000)
