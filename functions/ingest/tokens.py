"""How many tokens a text has in OpenAI's ``cl100k_base`` encoding, without OpenAI's tables.

The splitter holds the encoding but does not count. So it is given the text with single tokens behind it, and fills a
chunk of known size: what it takes of those is what the text left free. For a whole document that is slow. But the
encoding cuts a text into pieces (a word with the space before it, up to three digits, ...) before it merges bytes, so
the count of a text is the sum over its pieces, and the same few pieces come again and again.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
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


class CountedText:
    """A text that is asked for the tokens of many of its stretches."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._shadow = text if text.isascii() else text.translate(_SHADOW)
        pieces = _PIECE.findall(self._shadow)
        self._cuts = list(accumulate(map(len, pieces), initial=0))
        if self._shadow is not text:
            pieces = [text[start:end] for start, end in pairwise(self._cuts)]
        self._totals = list(accumulate(map(_count_piece, pieces), initial=0))

    def count(self, start: int, end: int) -> int:
        """The exact number of tokens of ``text[start:end]``.

        A stretch has pieces of its own only where it begins and ends. As soon as one of them begins where one of
        the text does, all are the same up to the last one before white space at the end.
        """
        last = bisect_left(self._cuts, start + len(self.text[start:end].rstrip())) - 1
        tokens = 0
        for piece in _PIECE.finditer(self._shadow, start, end):
            same = bisect_left(self._cuts, piece.start())
            if same <= last and self._cuts[same] == piece.start():
                between = self._totals[last] - self._totals[same]
                return tokens + between + self._sum(_PIECE.finditer(self._shadow, self._cuts[last], end))
            tokens += self._sum([piece])
        return tokens

    def before(self, position: int) -> int:
        """About how many tokens stand before ``position``, at once."""
        return self._totals[bisect_right(self._cuts, position) - 1]

    def _sum(self, pieces: Iterable[re.Match[str]]) -> int:
        return sum(_count_piece(self.text[piece.start() : piece.end()]) for piece in pieces)


def count_tokens(text: str) -> int:
    """The exact number of ``cl100k_base`` tokens in ``text``; special tokens count as plain text."""
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
    capacity = 8 << (len(begun) // 16).bit_length()
    while True:
        first = _splitter(capacity).chunks(begun + filling * (capacity // 2 - 2))[0]
        filled = len(first) - len(begun)
        if filled >= 0:
            return capacity - 5 - 2 * (filled // len(filling)) - bool(filled % len(filling))
        capacity *= 2


_count_piece = lru_cache(maxsize=1 << 16)(count_tokens)  # 10 MB


def _least_capacity(text: str) -> int:
    """The smallest size of a chunk that holds ``text``, which must begin with a letter and its longest line ends."""
    high = 1
    while not _fits(text, high):
        high *= 2
    return bisect_left(range(high), True, lo=high // 2 + 1, key=lambda capacity: _fits(text, capacity))


def _fits(text: str, capacity: int) -> bool:
    return len(_splitter(capacity).chunks(text)) == 1


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
