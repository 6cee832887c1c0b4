"""Which sentences of an answer no citation supports."""

import re
from collections.abc import Iterator

_MARKERS = r"(?:\s*\[\d+(?:\s*,\s*\d+)*\])+"
_MARKER = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")
# After a stop, the markers that belong to it, and white space or the end; scripts without spaces need none.
_END = re.compile(rf"[.!?…]+[\"'”’)]*(?:{_MARKERS})?(?=\s|$)|[。！？｡]+[」』”’]*(?:{_MARKERS})?|(?:{_MARKERS})?\n+")
_WORD = re.compile(r"\w")
# A stop after these ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|e\.g|i\.e|etc|vs|no|nr|art|sec|fig|approx|mr|mrs|ms|dr|st|inc|ltd|co)\.$", re.IGNORECASE
)


def unsupported(answer: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence without a marker, in characters of ``answer``.

    A line that leads to a list ("These are:") is supported by what follows it.
    """
    return [
        (start, end)
        for start, end in _sentences(answer)
        if not _MARKER.search(answer, start, end) and _WORD.search(answer, start, end) and answer[end - 1] != ":"
    ]


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _END.finditer(text):
        if _ABBREVIATION.search(text, start, found.end()):
            continue
        yield _trimmed(text, start, found.end())
        start = found.end()
    if start < len(text):
        yield _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
