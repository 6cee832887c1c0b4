"""Where a stretch of one edition of a text stands in another: a contract's PDF, and the same contract as plain text."""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Self

RUN = 16  # letters and digits
_MOST_PLACES = 64  # of a run: what is commoner than that, such as a form's repeated line, says nothing


@dataclass(frozen=True, slots=True)
class Letters:
    """A text's letters and digits without case, spaces and marks, and where each stands in the text."""

    squeezed: str
    places: list[int]

    @classmethod
    def of(cls, text: str) -> Self:
        found = [
            (letter, place)
            for place, character in enumerate(text)
            for letter in character.casefold()
            if letter.isalnum()
        ]
        return cls("".join(letter for letter, _ in found), [place for _, place in found])

    def range_of(self, start: int, end: int) -> range:
        """Which of the letters stand in ``text[start:end]``."""
        return range(bisect_left(self.places, start), bisect_left(self.places, end))


class Edition:
    """The text in which stretches are looked for."""

    def __init__(self, text: str) -> None:
        self.letters = Letters.of(text)
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, run in enumerate(_runs(self.letters.squeezed)):
            self._places[run].append(place)

    def covered_by(self, stretch: str) -> set[int]:
        """Indices of this edition's letters that ``stretch`` holds.

        Runs of 16 letters are looked up. Most of them agree how far the stretch is shifted against this edition. A run
        that stands in several places is taken to be where the run before it goes on, and one that is further off than
        the stretch is long to be a repetition.
        """
        squeezed = Letters.of(stretch).squeezed
        found = [
            (offset, places)
            for offset, run in enumerate(_runs(squeezed))
            if (places := self._places.get(run)) and len(places) <= _MOST_PLACES
        ]
        votes = Counter(place - offset for offset, places in found for place in places)
        if not votes:
            return set()
        anchor = shift = max(votes, key=lambda each: (votes[each], -each))
        covered: set[int] = set()
        for offset, places in found:
            place = min(places, key=lambda each: abs(each - offset - shift))
            if abs(place - offset - anchor) <= len(squeezed):
                shift = place - offset
                covered.update(range(place, place + RUN))
        return covered


def _runs(squeezed: str) -> list[str]:
    return [squeezed[place : place + RUN] for place in range(len(squeezed) - RUN + 1)]
