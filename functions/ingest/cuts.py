"""Where the next chunk of a text ends, and where the one after it begins."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter

from ingest.boundaries import Gap, Level, find_gaps
from ingest.tokens import CountedText, fullest

_LEAST_SHARE = 8
"""What has fewer tokens than this part of a chunk, such as a heading, is no chunk of its own if it can be avoided."""

_CHARACTERS_PER_TOKEN = 8  # twice what English has

_SPACE = re.compile(r"\s+")
_gap_end = attrgetter("end")


class Cuts:
    """Decides from left to right, by what stands within a few chunks: an edit changes only the chunks around it.

    What is cut at all is cut at the highest level at which it can be. A chunk that begins within a section, paragraph
    or line does not reach into the next one.
    """

    def __init__(self, text: str, sections: Sequence[int], *, is_last: bool, max_tokens: int) -> None:
        self._text = text
        self._counted = CountedText(text.rstrip(), max_tokens)  # blank lines take long to count
        self._gaps = find_gaps(text, sections)
        if is_last:
            self._gaps.append(Gap(len(text.rstrip()), len(text), Level.DOCUMENT))
        self._before = [self._counted.before(gap.start) for gap in self._gaps]
        self._max = max_tokens
        self._least = max_tokens // _LEAST_SHARE

    def tokens(self, start: int, end: int) -> int:
        return self._counted.count(start, end)

    def end(self, start: int, body: int, level: Level) -> Gap:
        """The gap behind a chunk that begins at ``start``, the text before ``body`` being known from the last one.

        ``body`` is no white space, and stands behind a gap of this level.
        """
        first = bisect_right(self._gaps, body, key=_gap_end)
        beyond = self._beyond(start, first)
        large = self._with(self._least, body, first, beyond)
        for place, gap in enumerate(self._gaps[first:beyond], first):
            if gap.level > level and (gap.level >= Level.SECTION or place >= large):
                return gap
        if large == beyond:
            return self._between_words(start, body)
        highest = max(gap.level for gap in self._gaps[large:beyond])
        return self._fullest([place for place in range(large, beyond) if self._gaps[place].level == highest], start)

    def overlap(self, start: int, end: Gap, most_tokens: int) -> int:
        """Where the chunk behind a chunk begins: up to so many tokens before its end, if no section ends there."""
        if not most_tokens or end.level >= Level.SECTION:
            return end.end
        first = bisect_right(self._gaps, start, key=_gap_end)
        sentences = [gap.end for gap in self._gaps[first:] if gap.end < end.start]
        near = max(start + 1, end.start - most_tokens * _CHARACTERS_PER_TOKEN)
        words = [space.end() for space in _SPACE.finditer(self._text, near, end.start)]
        for begins in (sentences, words):
            found = bisect_left(begins, True, key=lambda begin: self.tokens(begin, end.start) <= most_tokens)
            if found < len(begins):
                return begins[found]
        return end.end

    def _beyond(self, start: int, first: int) -> int:
        """The place of the first gap, not before ``first``, that a chunk from ``start`` cannot reach."""
        place = self._with(self._max, start, first, len(self._gaps))
        while place < len(self._gaps) and self._counted.about(start, self._gaps[place].start) <= self._max:
            place += 1
        while place > first and self._counted.about(start, self._gaps[place - 1].start) > self._max:
            place -= 1
        return place

    def _with(self, tokens: int, start: int, low: int, high: int) -> int:
        """The place of the first gap before which about so many tokens stand, ``high`` if there is none."""
        return bisect_left(self._before, self._counted.before(start) + tokens, low, high)

    def _fullest(self, places: list[int], start: int) -> Gap:
        """The last of the gaps, or the last that leaves enough for a chunk before something higher begins.

        The latter only if it fills half a chunk.
        """
        last = self._gaps[places[-1]]
        enough = self._with(self._least, last.end, places[-1] + 1, len(self._gaps))
        higher = next((gap for gap in self._gaps[places[-1] + 1 : enough] if gap.level > last.level), None)
        if higher:
            half = self._counted.before(start) + self._max // 2
            for place in reversed(places):
                if self._before[place] < half:
                    break
                if self._counted.about(self._gaps[place].end, higher.start) >= self._least:
                    return self._gaps[place]
        return last

    def _between_words(self, start: int, body: int) -> Gap:
        """As late as possible, without regard to the sentence."""
        limit = start + self._max * _CHARACTERS_PER_TOKEN
        while limit < len(self._text) and self._counted.about(start, limit) <= self._max:
            limit += limit - start
        spaces = list(_SPACE.finditer(self._text, body, limit))
        fitting = bisect_right(spaces, self._max, key=lambda space: self._counted.about(start, space.start()))
        if fitting:
            return Gap(*spaces[fitting - 1].span(), Level.WORD)
        return self._within_word(start, body, limit)

    def _within_word(self, start: int, body: int, limit: int) -> Gap:
        """Where Unicode sees words, for a script that writes no space between them, or else characters."""
        room = max(1, self._max - self.tokens(start, body))
        end = body + fullest(self._text[body:limit], room)
        return Gap(end, end + len(self._text[end:limit]) - len(self._text[end:limit].lstrip()), Level.WORD)
