"""Markers: the numbers in square brackets that tell which citation supports a statement."""

import re
from collections.abc import Set

HIGHEST = 99
"""A lone number up to this reads as a marker, even of a passage that was not shown; [0] and [2015] do not."""

_NUMBERS = r"\d{1,4}(?:\s*[-‐‑‒–—−]\s*\d{1,4})?"
_SEPARATOR = r"\s*[,;、，]\s*"
# Models write [1, 2] and [1-2], and in scripts with wide characters ［１］ and 【1】.
_MARKER = re.compile(rf"( ?)[\[［【]\s*({_NUMBERS}(?:{_SEPARATOR}{_NUMBERS})*)\s*[\]］】]")


def keep_markers(answer: str, numbers: Set[int], *, shown: int) -> str:
    """The answer without the markers whose number is not in ``numbers``; those that stay are written [1] or [1, 2].

    Passages 1 to ``shown`` could be cited. What can be no marker stays as it is: [0, 1], [2015], or [5, 95] where no
    such passage is cited. A lone number up to HIGHEST reads as a marker of whatever passage, and would lead to nothing.
    """

    def kept(match: re.Match[str]) -> str:
        written = _numbers(match[2])
        left = [str(number) for number in written if number in numbers]
        if not left and (not written or (len(written) > 1 and max(written) > shown)):
            return match[0]
        return f"{match[1]}[{', '.join(left)}]" if left else ""

    return _MARKER.sub(kept, answer).strip()


def _numbers(written: str) -> list[int]:
    """Each once, those within a range too; none if they are of no marker."""
    numbers: dict[int, None] = {}
    ranges = [[int(number) for number in re.findall(r"\d+", each)] for each in re.split(_SEPARATOR, written)]
    for first, last in ((each[0], each[-1]) for each in ranges):
        if not 1 <= first <= last <= HIGHEST:
            return []
        numbers.update(dict.fromkeys(range(first, last + 1)))
    return list(numbers)
