"""Which sentences of an answer no citation supports."""

import re
from collections.abc import Iterator, Set

_MARKERS = r"(?:\s{0,4}\[\d+(?:\s*,\s*\d+)*\])+"
_MARKER = re.compile(r"\[\d{1,4}(?:\s*,\s*\d{1,4})*\]")
_NUMBER = re.compile(r"\d+")
# After a stop, the markers that belong to it, and white space or the end; scripts without spaces need none.
_END = re.compile(
    rf"(?<![.!?…؟۔।])[.!?…؟۔।]++[\"'”’)*_]*(?:{_MARKERS})?(?=\s|$)|[。！？｡]+[」』”’]*(?:{_MARKERS})?|\n+"
)
_WORD = re.compile(r"\w")
# A stop after these ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|e\.g|i\.e|etc|vs|no|nr|art|sec|fig|approx|mr|mrs|ms|dr|st|inc|ltd|co)\.$", re.IGNORECASE
)
_LONGEST_ABBREVIATION = 7
_NUMBER_OF_ITEM = re.compile(r"[^\w\n]*\d{1,3}\.[*_]*")
# "These are:" and "## Leave" say nothing that could be supported.
_LEADS_TO_MORE = re.compile(r"#{1,6} .*|.*:[*_]*", re.DOTALL)


def unsupported(answer: str, numbers: Set[int]) -> list[tuple[int, int]]:
    """(start, end) of each sentence without a marker of one of the ``numbers``, in characters of ``answer``.

    A bracket that holds another number, such as [0, 1], is text. A heading, and a line that leads to a list ("These
    are:"), are supported by what follows them.
    """
    return [
        (start, end)
        for start, end in _sentences(answer)
        if _WORD.search(answer, start, end)
        and not any(_is_of(found[0], numbers) for found in _MARKER.finditer(answer, start, end))
        and not _LEADS_TO_MORE.fullmatch(answer, start, end)
    ]


def _is_of(marker: str, numbers: Set[int]) -> bool:
    return {int(number) for number in _NUMBER.findall(marker)} <= numbers


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _END.finditer(text):
        end = found.end()
        if _ABBREVIATION.search(text, max(start, end - _LONGEST_ABBREVIATION), end):
            continue
        if _NUMBER_OF_ITEM.fullmatch(text, start, end):
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
