"""Which of the passages that were found are worth a place: no copies, and not too many of one document."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from bucketwise.search import Passage

SHINGLE = 3  # words that follow each other
# Scripts without spaces between words: Thai to Myanmar, Khmer, kana, Han and Hangul, of which each character counts.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"


@cache
def _word() -> re.Pattern[str]:
    """On first use: it takes milliseconds to compile, and most functions look for no copies."""
    return re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class _Outline:
    """What two texts are compared by. ``numbers`` are the words with a digit."""

    shingles: frozenset[tuple[str, ...]]
    numbers: frozenset[str]


def without_near_duplicates(passages: Iterable[Passage], *, share: float, left_out: list[Passage]) -> Iterator[Passage]:
    """Those that say something new, in their order, as they are asked for; ``left_out`` gets the others.

    One is left out if a better-ranked one that stays holds at least ``share`` (0..1) of its shingles (Broder, "On the
    resemblance and containment of documents", 1997) and all of its numbers: a form that was filled in with
    another date or amount is no copy. With ``share`` 0 all stay.
    """
    kept: list[_Outline] = []
    holders: dict[tuple[str, ...], list[int]] = {}
    for passage in passages:
        if share > 0:
            outline = _outline(passage.text)
            shared = Counter(holder for shingle in outline.shingles for holder in holders.get(shingle, ()))
            if any(
                count >= share * len(outline.shingles) and outline.numbers <= kept[holder].numbers
                for holder, count in shared.items()
            ):
                left_out.append(passage)
                continue
            for shingle in outline.shingles:
                holders.setdefault(shingle, []).append(len(kept))
            kept.append(outline)
        yield passage


def at_most_per_document(passages: Iterable[Passage], *, most: int, left_out: list[Passage]) -> Iterator[Passage]:
    """The first ``most`` of each document, in their order, as they are asked for; ``left_out`` gets the others.

    With ``most`` 0 all stay.
    """
    seen: Counter[str] = Counter()
    for passage in passages:
        seen[passage.key] += 1
        if most == 0 or seen[passage.key] <= most:
            yield passage
        else:
            left_out.append(passage)


def _outline(text: str) -> _Outline:
    words = _word().findall(text.casefold()) or [text]
    places = range(max(1, len(words) - SHINGLE + 1))
    return _Outline(
        shingles=frozenset(tuple(words[at : at + SHINGLE]) for at in places),
        numbers=frozenset(word for word in words if any(character.isdigit() for character in word)),
    )
