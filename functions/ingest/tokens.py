"""How many tokens a text has in OpenAI's ``cl100k_base`` encoding, without OpenAI's tables.

The splitter holds the encoding but does not count. So it is given the text with single tokens behind it, and fills a
chunk of known size: what it takes of those is what the text left free. For a whole document that is slow. But the
encoding cuts a text into pieces (a word with the space before it, up to three digits, ...) before it merges bytes, so
the count of a text is the sum over its pieces, and the same few pieces come again and again.
"""

import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate, pairwise

from semantic_text_splitter import TextSplitter

MODEL = "text-embedding-3-small"
"""A model that uses ``cl100k_base``; the splitter takes the encoding from it."""

# The encoding's pattern for pieces, with its classes of letters (L) and numbers (N) narrowed to ASCII.
_PIECE = re.compile(
    r"'(?:[sdmt]|ll|ve|re)"
    r"|[^\r\na-z0-9]?[a-z]+"
    r"|[0-9]{1,3}"
    r"| ?[^\sa-z0-9]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+",
    re.ASCII | re.IGNORECASE,
)

_LINE_ENDS = re.compile(r"[\r\n]+")
_NEXT_LINE = 0x85

# The splitter never cuts between line ends in a row, and cuts at the longest such runs first. Each of these many line
# feeds is one token.
_RUNS_OF_ONE_TOKEN = (*range(1, 13), 14, 16, 32)
_BEFORE = "123"  # one token, and no piece goes on behind three digits
_BEHIND = " x"  # one token, and no piece goes on with it

_LONG = 64  # characters; a piece is rarely longer where a text has spaces or punctuation
_SAMPLE = 32  # characters, of a longer one


class CountedText:
    """A text that is asked for the tokens of many of its stretches, most of them about as large as ``most`` tokens.

    Without spaces and punctuation a piece can be as long as the text. To count it for each stretch that it is in would
    take long, and few stretches of so many tokens are asked for: until one is, it is estimated by its beginning.
    """

    def __init__(self, text: str, most: int = sys.maxsize) -> None:
        self.text = text
        self._far = 2 * most
        self._shadow = text if text.isascii() else text.translate(_SHADOW)
        self._cuts = list(accumulate(map(len, _PIECE.findall(self._shadow)), initial=0))
        pieces = list(pairwise(self._cuts))
        self._totals = list(accumulate((self._about(*piece) for piece in pieces), initial=0))
        self._long = [place for place, (start, end) in enumerate(pieces) if end - start > _LONG]

    def count(self, start: int, end: int) -> int:
        """The exact number of tokens of ``text[start:end]``."""
        return self._sum(start, end, self._exactly)

    def about(self, start: int, end: int) -> int:
        """The same, or only a number above ``most`` if a run in it has more than twice that by its beginning."""
        return self._sum(start, end, self._about)

    def before(self, position: int) -> int:
        """About how many tokens stand before ``position``, at once."""
        return self._totals[bisect_right(self._cuts, position) - 1]

    def _sum(self, start: int, end: int, count: Callable[[int, int], int]) -> int:
        """Of the pieces of ``text[start:end]``.

        A stretch has pieces of its own only where it begins and ends. As soon as one of them begins where one of
        the text does, all are the same up to the last one before white space at the end.
        """
        last = bisect_left(self._cuts, start + len(self.text[start:end].rstrip())) - 1
        tokens = 0
        for piece in _PIECE.finditer(self._shadow, start, end):
            same = bisect_left(self._cuts, piece.start())
            if same <= last and self._cuts[same] == piece.start():
                tokens += self._totals[last] - self._totals[same]
                for place in self._long[bisect_left(self._long, same) : bisect_left(self._long, last)]:
                    run = self._cuts[place], self._cuts[place + 1]
                    tokens += count(*run) - self._about(*run)
                return tokens + sum(
                    count(*each.span()) for each in _PIECE.finditer(self._shadow, self._cuts[last], end)
                )
            tokens += count(*piece.span())
        return tokens

    def _exactly(self, start: int, end: int) -> int:
        if end - start <= _LONG:
            return _count_piece(self.text[start:end])
        return _count_run(self.text[start:end], self._estimate(start, end))

    def _about(self, start: int, end: int) -> int:
        if end - start > _LONG and (estimate := self._estimate(start, end)) > self._far:
            return estimate
        return self._exactly(start, end)

    def _estimate(self, start: int, end: int) -> int:
        return _count_run(self.text[start : start + _SAMPLE]) * (end - start) // _SAMPLE


def count_tokens(text: str, guess: int | None = None) -> int:
    """The exact number of ``cl100k_base`` tokens in ``text``; special tokens count as plain text.

    It takes a fraction of the time if ``guess`` is near.
    """
    longest = max(map(len, _LINE_ENDS.findall(text)), default=0)
    length = next((length for length in _RUNS_OF_ONE_TOKEN if length > longest), None)
    if length is None:
        border = "a" + "\n" * (longest + 1) + _BEFORE
        return _least_capacity(border + text) - _least_capacity(border)
    run = "\n" * length
    filling = "a" + run  # two tokens
    begun = (
        f"{filling}{_BEFORE}{text}{_BEHIND}{run}"  # five tokens and the text's; between runs all is tried as a whole
    )
    if guess is None:
        guess = len(text) // 2 if text.isascii() else len(text.encode()) // 3
    fillings = 3 + guess // 6  # the fewer, the less is tried
    capacity = 5 + guess + fillings
    while True:
        first, *rest = _splitter(capacity).chunks(begun + filling * fillings)
        filled = len(first) - len(begun)
        if rest and filled >= 0:
            return capacity - 5 - 2 * (filled // len(filling)) - bool(filled % len(filling))
        if rest:
            capacity *= 2
        fillings = capacity // 2 - 1  # more than a chunk holds


_count_piece = lru_cache(maxsize=1 << 16)(count_tokens)  # 10 MB
_count_run = lru_cache(maxsize=1024)(count_tokens)  # asked again while a chunk is cut, and not later


def _least_capacity(text: str) -> int:
    """The smallest size of a chunk that holds ``text``, which must begin with a letter and its longest line ends."""
    high = 1
    while not _fits(text, high):
        high *= 2
    return bisect_left(range(high), True, lo=high // 2 + 1, key=lambda capacity: _fits(text, capacity))


def _fits(text: str, capacity: int) -> bool:
    return len(_splitter(capacity).chunks(text)) == 1


def fullest(text: str, most: int) -> int:
    """How many characters of ``text`` fill a chunk of ``most`` tokens, which is at least 1; a single one always does.

    It ends where Unicode sees words, for a script that writes no space between them, or else between characters.
    """
    length = most
    while True:
        first, *rest = _splitter(most).chunks(text[:length])
        if rest or length >= len(text):
            return len(first.rstrip())
        length *= 2


@lru_cache(maxsize=4096)
def _splitter(capacity: int) -> TextSplitter:
    return TextSplitter.from_tiktoken_model(MODEL, capacity, trim=False)


class _AsciiShadow(dict[int, str]):
    """Translates each character to an ASCII one of the same class, so that ``_PIECE`` finds its pieces."""

    def __missing__(self, code: int) -> str:
        self[code] = shadow = chr(code) if code < 0x80 else _shadow(code)
        return shadow


def _shadow(code: int) -> str:
    category = unicodedata.category(chr(code))
    if category == "Cn":
        category = _newer_category(chr(code))
    if category[0] == "Z" or code == _NEXT_LINE:
        return "\t"  # white space, but not the space that the pattern lets begin a run of punctuation
    return {"L": "a", "N": "0"}.get(category[0], "!")


def _newer_category(character: str) -> str:
    """What a character that Python's Unicode does not know is in the splitter's: letter, number or something else."""
    alone = count_tokens(character)
    if count_tokens(character + "'s") > alone + 1:
        return "S"  # it takes the apostrophe from the "s"
    return "N" if count_tokens(character + "123") > alone + 1 else "L"


_SHADOW = _AsciiShadow()
