"""A child's messages as the function takes them: of the types they should have, and fit for the database."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from bucketwise.models import FailureReason
from ingest.parsing.document import Block
from ingest.sandbox.wire import Garbled

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # no column of the database takes it


def _in_utc(text: str) -> str:
    """Python reads more forms of ISO 8601, and greater offsets, than the database does."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("is not in the years 1 to 9999") from None


Text = Annotated[str, Field(max_length=2000)]
Moment = Annotated[str, AfterValidator(_in_utc)]


@dataclass(frozen=True, slots=True)
class Head:
    separator: Text
    markdown: bool
    most_tokens: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """``path`` holds the number of the part, after those of the parts that it is in."""

    path: Annotated[tuple[int, ...], Field(min_length=1, max_length=10)]
    name: Text


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a document at its end, as ``ParsedDocument`` names it."""

    title: Text | None
    pages: int | None
    author: Text | None
    created: Moment | None
    modified: Moment | None
    skipped: Annotated[list[Text], Field(max_length=1000)]
    read_as: Text | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    reason: FailureReason
    hint: Text


@dataclass(frozen=True, slots=True)
class Begun:
    head: Head


@dataclass(frozen=True, slots=True)
class Entered:
    part: Part


@dataclass(frozen=True, slots=True)
class Left:
    """A part, and those within it; ``left`` is how many it is in itself."""

    left: int


@dataclass(frozen=True, slots=True)
class Parsed:
    block: Block


@dataclass(frozen=True, slots=True)
class Ended:
    end: Facts


@dataclass(frozen=True, slots=True)
class Refused:
    problem: Problem


@dataclass(frozen=True, slots=True)
class Failed:
    """By an exception of this name."""

    lost: Text


@dataclass(frozen=True, slots=True)
class Unconfined:
    """For an error of this name."""

    unconfined: Text


LastWords = Ended | Refused | Failed | Unconfined
Message = Begun | Entered | Left | Parsed | LastWords

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def message(frame: bytes) -> Message:
    """Raises Garbled."""
    if b"\\u0000" in frame and _NUL.search(frame):
        raise Garbled
    try:
        return _MESSAGES.validate_json(frame, strict=True)
    except ValidationError:
        raise Garbled from None
