"""A chat model's reply read as an answer: JSON that fits the schema, or text with markers and quotes.

Text is what models write that know no schema:

    Shore staff have 27 days [1].

    QUOTES
    [1] 27 days of annual leave
"""

import re

from pydantic import BaseModel, ConfigDict, ValidationError

from bucketwise.errors import ModelReplyInvalid

NO_ANSWER = "NO ANSWER:"
QUOTES = "QUOTES"

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_HEAD = re.compile(rf"^\W*{QUOTES}\W*$", re.MULTILINE)
_QUOTE = re.compile(r"^\s*(?:[-*•]\s*)?\[(\d{1,6})\]:?[ \t]*(\S.*)$", re.MULTILINE)
_SIGNS_AROUND = "\"'“”„‘’«»` "


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


def read_json(content: str) -> GeneratedAnswer:
    """Of a reply to a request with a schema. Raises ModelReplyInvalid."""
    try:
        return GeneratedAnswer.model_validate_json(content)
    except ValidationError:
        raise ModelReplyInvalid("the model's reply does not fit the schema") from None


def read_text(content: str) -> GeneratedAnswer:
    """Of a reply to a request without a schema. Raises ModelReplyInvalid for an empty one."""
    if fenced := _FENCE.match(content):
        content = fenced[1]
    content = content.strip()
    if content.startswith("{"):  # it was told of JSON elsewhere, as by a server's own template
        return read_json(content)
    if not content:
        raise ModelReplyInvalid("the model's reply is empty")
    if content.startswith(NO_ANSWER):
        return GeneratedAnswer(answerable=False, answer="", citations=[], reason=content[len(NO_ANSWER) :].strip())
    heads = list(_HEAD.finditer(content))
    if not heads:
        return GeneratedAnswer(answerable=True, answer=content, citations=[], reason="")
    answer, listed = content[: heads[-1].start()], content[heads[-1].end() :]
    return GeneratedAnswer(
        answerable=True,
        answer=answer.strip(),
        citations=[
            Quotation(passage=int(found[1]), quote=found[2].strip(_SIGNS_AROUND)) for found in _QUOTE.finditer(listed)
        ],
        reason="",
    )
