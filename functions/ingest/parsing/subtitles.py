"""Subtitles (SubRip and WebVTT): what is said, below the time at which it is said."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile

SECONDS_PER_BLOCK = 120
"""A time is cited as exactly as this."""

_BLOCK_CHARACTERS = 1 << 13  # two minutes of speech have a fourth of it
_MAX_LINE = 1 << 16  # characters
_TIMING = re.compile(r"\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}\s*-->")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?\s+([^>]{1,100})>")
_MARK = re.compile(r"</?[a-zA-Z0-9][^<>]{0,200}>|\{\\[^{}]{0,200}\}")


@dataclass(frozen=True, slots=True)
class _Line:
    """Of what is said. ``second`` is when its cue begins; ``opens`` says that a cue's first line names a speaker."""

    second: int
    text: str
    opens: bool


def parse_subtitles(content: Readable) -> ParsedDocument:
    """A block for every two minutes, with the time it begins at as its heading.

    Lines that captions repeat while they roll are taken once. Raises ``UnreadableDocument`` (corrupt) without a cue.
    """
    text = TextFile.survey(content)
    return ParsedDocument(_blocks(text), separator="\n\n", most_tokens=text.most_tokens)


def _blocks(text: TextFile) -> Iterator[Block]:
    begin: int | None = None
    said: list[str] = []
    size = 0
    for line in _lines(text):
        is_past = begin is not None and not begin <= line.second < begin + SECONDS_PER_BLOCK
        if begin is not None and (is_past or size > _BLOCK_CHARACTERS):
            yield Block("".join(said).strip(), _place(begin))
            said, size = [], 0
        if begin is None or is_past:
            begin = line.second
        said.append(("\n" if line.opens else " ") + line.text)
        size += len(line.text)
    if begin is None:
        raise UnreadableDocument(
            FailureReason.CORRUPT, "The file holds no subtitles with times. Export it again as .srt or .vtt."
        )
    yield Block("".join(said).strip(), _place(begin))


def _lines(text: TextFile) -> Iterator[_Line]:
    second: int | None = None  # None between cues, where names, notes and styles stand
    last = ""
    for line in text.lines(most_characters=_MAX_LINE):
        if timing := _TIMING.match(line):
            hours, minutes, seconds = (int(group or 0) for group in timing.groups())
            second = hours * 3600 + minutes * 60 + seconds
        elif not line.strip():
            second = None
        elif second is not None:
            said = _plain(line)
            if said and said != last:
                yield _Line(second, said, opens=said.startswith("-") or bool(_VOICE.match(line)))
                last = said


def _plain(line: str) -> str:
    return " ".join(unescape(_MARK.sub("", _VOICE.sub(r"\1: ", line))).split())


def _place(second: int) -> Place:
    return Place(heading=(f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}",))
