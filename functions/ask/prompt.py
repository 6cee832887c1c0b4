"""Passages and question to the messages that a chat model is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from xml.sax.saxutils import escape, quoteattr

from bucketwise.search import Passage

PROMPT_VERSION = "answer-v1"
# The element around a passage, its title included, in tokens: an upper estimate.
TOKENS_AROUND_A_PASSAGE = 40


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question and the answer it got."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is sent. Passage ``n`` of the prompt is ``passages[n - 1]``."""

    messages: tuple[tuple[str, str], ...]  # (role, content)
    passages: tuple[Passage, ...]


def build_prompt(
    *, question: str, passages: Sequence[Passage], history: Sequence[Turn], max_context_tokens: int
) -> Prompt:
    """The best passages that fit into ``max_context_tokens``, numbered from 1, at least one."""
    chosen = fitting(passages, max_context_tokens=max_context_tokens)
    turns = [message for turn in history for message in (("user", turn.question), ("assistant", turn.answer))]
    return Prompt(
        messages=(
            ("system", instructions(PROMPT_VERSION)),
            *turns,
            ("user", about(question, chosen)),
        ),
        passages=tuple(chosen),
    )


def fitting(passages: Sequence[Passage], *, max_context_tokens: int) -> list[Passage]:
    """The first passages, best first, whose tokens together stay within the budget; always the first one."""
    chosen: list[Passage] = []
    left = max_context_tokens
    for passage in passages:
        left -= passage.tokens + TOKENS_AROUND_A_PASSAGE
        if left < 0 and chosen:
            break
        chosen.append(passage)
    return chosen


def about(question: str, passages: Sequence[Passage]) -> str:
    """The passages, numbered from 1, and the question below them."""
    numbered = "\n".join(_element(number, passage) for number, passage in enumerate(passages, start=1))
    return f"<passages>\n{numbered}\n</passages>\n<question>{escape(question)}</question>"


def _element(number: int, passage: Passage) -> str:
    # A passage must not be able to close its own element.
    title = f" title={quoteattr(passage.title)}" if passage.title else ""
    return f'<passage id="{number}"{title}>\n{escape(passage.text)}\n</passage>'


@cache
def instructions(version: str) -> str:
    """A prompt's text by its name with version."""
    return (files(__package__) / "prompts" / f"{version}.txt").read_text(encoding="utf-8")
