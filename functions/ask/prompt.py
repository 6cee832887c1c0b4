"""Passages and question to the messages that a chat model is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import ceil
from xml.sax.saxutils import escape, quoteattr

from bucketwise.search import Passage

PROMPT_VERSION = "answer-v3"
# For models that know no JSON schema: the same rules, another form.
TEXT_PROMPT_VERSION = "answer-text-v3"
REPAIR_VERSION = "repair-v1"
# The element around a passage, with a source and a title of usual length, in tokens: an upper estimate.
TOKENS_AROUND_A_PASSAGE = 56
NAME_BYTES = 60  # of such a source and title with their attributes; the bytes of longer ones count
TOKENS_PER_BYTE = 1.05  # of names of rare characters; of hexadecimal digits .8, of words a third as many

Messages = tuple[tuple[str, str], ...]
"""(role, content) of each."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question and the answer it got."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is sent. Passage ``n`` of the prompt is ``passages[n - 1]``.

    ``content`` is the user's message, and ``after`` what was said since.
    """

    content: str
    passages: tuple[Passage, ...]
    after: Messages = ()

    def messages(self, version: str = PROMPT_VERSION) -> Messages:
        """The instructions come first and are the same for every question, as providers' prefix caches want it."""
        return (("system", instructions(version)), ("user", self.content), *self.after)

    def asked_again(self, reply: str) -> "Prompt":
        """The same after a reply none of whose quotes was found."""
        return replace(self, after=(*self.after, ("assistant", reply), ("user", instructions(REPAIR_VERSION))))


def build_prompt(*, question: str, passages: Sequence[Passage], max_context_tokens: int) -> Prompt:
    """The best passages that fit into ``max_context_tokens``, at least one, numbered from 1 as they are shown."""
    shown = best_at_both_ends(fitting(passages, max_context_tokens=max_context_tokens))
    return Prompt(content=about(question, shown), passages=tuple(shown))


def fitting(passages: Sequence[Passage], *, max_context_tokens: int) -> list[Passage]:
    """Of passages, best first, each that fits into what the better ones left of the budget; always the first one."""
    chosen: list[Passage] = []
    left = max_context_tokens
    for passage in passages:
        tokens = tokens_shown(passage)
        if tokens <= left or not chosen:
            chosen.append(passage)
            left -= tokens
    return chosen


def tokens_shown(passage: Passage) -> int:
    """What a passage takes of a prompt: an upper estimate."""
    return passage.tokens + tokens_around(passage)


def tokens_around(passage: Passage) -> int:
    """What is shown around a passage, or around a stretch of its document, takes of a prompt."""
    longer = max(0, len(_names(passage).encode()) - NAME_BYTES)
    return TOKENS_AROUND_A_PASSAGE + ceil(TOKENS_PER_BYTE * longer)


def best_at_both_ends(passages: Sequence[Passage]) -> list[Passage]:
    """Of passages, best first, the best one first, the second last, and so on: the worst are in the middle.

    Models use least what stands in the middle of a long prompt (Liu et al., "Lost in the Middle", 2023).
    """
    return [*passages[::2], *reversed(passages[1::2])]


def about(question: str, passages: Sequence[Passage]) -> str:
    """The passages, numbered from 1, and the question below them."""
    numbered = "\n".join(_element(number, passage) for number, passage in enumerate(passages, start=1))
    return f"<passages>\n{numbered}\n</passages>\n{_question(question)}"


def conversation(question: str, history: Sequence[Turn]) -> str:
    """Earlier questions with their answers, and the question below them."""
    turns = "\n".join(
        f"<turn>\n{_question(turn.question)}\n<answer>{escape(turn.answer)}</answer>\n</turn>" for turn in history
    )
    return f"<history>\n{turns}\n</history>\n{_question(question)}"


def _question(text: str) -> str:
    return f"<question>{escape(text)}</question>"


def _element(number: int, passage: Passage) -> str:
    # A passage must not be able to close its own element.
    return f'<passage id="{number}"{_names(passage)}>\n{escape(passage.text)}\n</passage>'


def _names(passage: Passage) -> str:
    """What tells which document it is of: many files have no title, and of those that have, many have the same."""
    title = f" title={quoteattr(passage.title)}" if passage.title else ""
    return f" source={quoteattr(passage.key)}{title}"


@cache
def instructions(version: str) -> str:
    """A prompt's text by its name with version."""
    return (files(__package__) / "prompts" / f"{version}.txt").read_text(encoding="utf-8")
