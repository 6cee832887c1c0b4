"""Where a text can be cut: gaps between sections, paragraphs, lines and sentences, and what stands around them."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """What begins behind a gap."""

    WORD = 0
    SENTENCE = 1
    LINE = 2
    PARAGRAPH = 3
    SECTION = 4
    DOCUMENT = 5


class Gap(NamedTuple):
    """White space, or nothing, from ``start`` to ``end``."""

    start: int
    end: int
    level: Level


_CLOSING = "[\"'”’»)\\]」』）]*"
_GAPS = re.compile(
    rf"(?P<lines>\n\s*)"
    rf"|[.!?…؟।]{_CLOSING}(?P<space>[^\S\n]+)(?![a-z\n])"  # behind an abbreviation a sentence goes on in lower case
    rf"|[。！？]{_CLOSING}(?P<nothing>)(?!\s)"
)
_ENDS_LINE = tuple(".!?:;…|。！？：；")


def find_gaps(text: str, sections: Sequence[int]) -> list[Gap]:
    """The gaps in order, none at the beginning or the end of the text. A section begins in the gap before it."""
    gaps: list[Gap] = []
    behind = len(text) - len(text.lstrip())
    for match in _GAPS.finditer(text, behind):
        start, end = match.span(match.lastgroup or 0)
        if end == len(text):
            break
        if match.lastgroup == "lines":
            start = behind + len(text[behind:start].rstrip())
            level = _level_of_lines(text, start, end)
        else:
            level = Level.SENTENCE
        if sections and bisect_right(sections, start) < bisect_right(sections, end):
            level = Level.SECTION
        if level:
            gaps.append(Gap(start, end, level))
        behind = end
    return gaps


def _level_of_lines(text: str, start: int, end: int) -> Level:
    if text.count("\n", start, end) > 1:
        return Level.PARAGRAPH
    wrapped = text[end].islower() and not text.startswith(_ENDS_LINE, start - 1)
    return Level.WORD if wrapped else Level.LINE
