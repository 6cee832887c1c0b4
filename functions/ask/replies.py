"""A chat model's reply read as an answer: JSON that fits the schema, or text with markers and quotes.

Text is what models write that know no schema:

    Shore staff have 27 days [1].

    QUOTES
    [1] 27 days of annual leave
"""

import re

from pydantic import BaseModel, ConfigDict, ValidationError

from bucketwise.errors import ModelReplyInvalid

QUOTES = "QUOTES"

_FENCE = "```"
_REFUSAL = re.compile(r"\W{0,9}NO ANSWER\b\W*")
_HEAD = re.compile(rf"^[^\w\n]*{QUOTES}[^\w\n]*$", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]*(?:[-*•][ \t]*)?[\[［【](\d{1,6})[\]］】]:?[ \t]*(\S.*)$", re.MULTILINE)
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
        return GeneratedAnswer.model_validate_json(json_in(content))
    except ValidationError:
        raise ModelReplyInvalid("the model's reply does not fit the schema") from None


def json_in(content: str) -> str:
    """The object in a reply: a server that only promises a schema may put it into a fence, or words around it."""
    return content[max(content.find("{"), 0) : content.rfind("}") + 1]


def read_text(content: str) -> GeneratedAnswer:
    """Of a reply to a request without a schema. Raises ModelReplyInvalid for an empty one."""
    content = _unfenced(content.strip())
    if content.startswith("{"):  # it was told of JSON elsewhere, as by a server's own template
        return read_json(content)
    if not content:
        raise ModelReplyInvalid("the model's reply is empty")
    if refusal := _REFUSAL.match(content):
        return GeneratedAnswer(answerable=False, answer="", citations=[], reason=content[refusal.end() :].strip())
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


def _unfenced(content: str) -> str:
    opening, _, inside = content.partition("\n")
    if not opening.startswith(_FENCE) or not inside.endswith(_FENCE):
        return content
    return inside.removesuffix(_FENCE).strip()
