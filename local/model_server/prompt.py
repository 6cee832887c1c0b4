"""What a prompt asks: the numbered passages, the question, or a follow-up question to rewrite."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ATTRIBUTES = r"""((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*"""
_PASSAGE = re.compile(rf"<passage{_ATTRIBUTES}>(.*?)</passage\s*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NUMBERED = re.compile(r"^\s*\[(\d+)\]:?\s", re.MULTILINE)
_QUESTION = re.compile(r"<question(?:\s[^>]*)?>(.*?)</question\s*>", re.DOTALL)
_LABELLED = re.compile(r"^\s*(?:question|query|user question)\s*:\s*(?=\S)", re.MULTILINE | re.IGNORECASE)
_CONTEXT_ATTRIBUTES = ("title", "heading", "section", "key", "source")


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the prompt shows it, unescaped. ``context`` is its title or heading, if any."""

    number: int
    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question about passages, or (``rewrite``) a follow-up question that has none yet.

    ``before`` is the question before a follow-up. ``wants_quotes``: a reply in text is to end with its quotes.
    """

    question: str
    passages: tuple[Passage, ...] = ()
    rewrite: bool = False
    before: str = ""
    wants_quotes: bool = False


def read_prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    """Read the chat messages of a request. The last user message with a question counts, else the last one; passages
    may be in the system's.

    Accepted are ``<passage id="1">`` elements with XML escapes and plain blocks that begin with ``[1]``.
    """
    said = [message_text(message) for message in messages if message.get("role") == "user"]
    told = [message_text(message) for message in messages if message.get("role") in ("system", "developer")]
    asking = [text for text in said if _QUESTION.search(text)]
    last = (asking or said or [""])[-1]
    question, rest = _split_question(last)
    passages = _elements(last) or _numbered(rest)
    if not passages and "<history" in last:
        return Prompt(question, rewrite=True, before=_question_before(last))
    instructions = "\n".join(told)
    return Prompt(question, tuple(passages or _elements(instructions)), wants_quotes="QUOTES" in instructions)


def message_text(message: Mapping[str, Any]) -> str:
    """The text of a message whose content is a string or a list of typed parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _split_question(text: str) -> tuple[str, str]:
    if elements := list(_QUESTION.finditer(text)):
        last = elements[-1]
        return html.unescape(last[1]).strip(), text[: last.start()] + text[last.end() :]
    if labels := list(_LABELLED.finditer(text)):
        question, _, _ = text[labels[-1].end() :].partition("\n")
        return question.strip(), text[: labels[-1].start()]
    above, _, line = text.rstrip().rpartition("\n")
    return line.strip(), above


def _question_before(text: str) -> str:
    """The last but one, of a conversation in elements."""
    asked = _QUESTION.findall(text)
    return html.unescape(asked[-2]).strip() if len(asked) > 1 else ""


def _elements(text: str) -> list[Passage]:
    return [_passage(found, place) for place, found in enumerate(_PASSAGE.finditer(text), start=1)]


def _passage(found: re.Match[str], place: int) -> Passage:
    attributes = {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(found[1])}
    number = attributes.get("id", attributes.get("n", ""))
    context = " ".join(attributes[name] for name in _CONTEXT_ATTRIBUTES if name in attributes)
    return Passage(int(number) if number.isdecimal() else place, html.unescape(found[2]).strip(), context)


def _numbered(text: str) -> list[Passage]:
    starts = list(_NUMBERED.finditer(text))
    ends = [*(start.start() for start in starts), len(text)][1:]
    return [Passage(int(start[1]), text[start.end() : end].strip()) for start, end in zip(starts, ends, strict=True)]
