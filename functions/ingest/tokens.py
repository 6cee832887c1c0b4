"""How many tokens a text has in OpenAI's ``cl100k_base`` encoding, without OpenAI's tables.

The splitter holds the encoding but does not count, so a count is found by asking it for the smallest
capacity that leaves a text whole. Asked for whole chunks that is slow. But the encoding cuts a text into
pieces (a word with the space before it, up to three digits, ...) before it merges bytes, so the count of a
text is the sum over its pieces, and the same few pieces come again and again.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

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

_UNASSIGNED = "\ufffe"
_NEXT_LINE = 0x85


class _AsciiShadow(dict[int, str]):
    """Translates each character to an ASCII one of the same class, so that ``_PIECE`` finds its pieces."""

    def __missing__(self, code: int) -> str:
        self[code] = shadow = chr(code) if code < 0x80 else _shadow(code)
        return shadow


def _shadow(code: int) -> str:
    category = unicodedata.category(chr(code))
    if category == "Cn":
        return _UNASSIGNED
    if category[0] == "Z" or code == _NEXT_LINE:
        return "\t"  # white space, but not the space that the pattern lets begin a run of punctuation
    return {"L": "a", "N": "0"}.get(category[0], "!")


_SHADOW = _AsciiShadow()


def count_tokens(text: str) -> int:
    """The exact number of ``cl100k_base`` tokens in ``text``; special tokens count as plain text."""
    if text.isascii():
        return sum(map(_count_piece, _PIECE.findall(text)))
    shadow = text.translate(_SHADOW)
    if _UNASSIGNED in shadow:
        return _smallest_capacity(text)  # in the splitter's newer Unicode it may be a letter
    return sum(map(_count_piece, _pieces(text, shadow)))


def _pieces(text: str, shadow: str) -> Iterator[str]:
    return (text[match.start() : match.end()] for match in _PIECE.finditer(shadow))


@lru_cache(maxsize=1 << 17)
def _count_piece(piece: str) -> int:
    return _smallest_capacity(piece)


def _smallest_capacity(text: str) -> int:
    if len(text) < 2:
        return _count_character(text)
    if text[-1] in "\r\n":
        return _smallest_capacity(text + "x") - 1  # line ends that ``_fits`` adds would be taken for the text's
    high = 1
    while not _fits(text, high):
        high *= 2
    return bisect_left(range(high + 1), True, lo=high // 2 + 1, key=lambda n: _fits(text, n))


def _count_character(character: str) -> int:
    """The splitter never splits a character, so its tokens show only beside a piece of one token."""
    if character.isascii():
        return len(character)
    return _smallest_capacity(character + "1" if character.isspace() else "\n" + character) - 1


def _fits(text: str, capacity: int) -> bool:
    """Whether ``text`` has at most ``capacity`` tokens.

    If the splitter leaves it whole, it has. If not, it still can: the splitter tries growing parts, and a part
    can have more tokens than the whole (" ../../" is such a text). What stands before the longest run of
    line ends it tries as a whole first.
    """
    splitter = _splitter(capacity)
    if len(splitter.chunks(text)) == 1:
        return True
    longest = max(map(len, _LINE_ENDS.findall(text)), default=0)
    run = "\r" * (longest + 3)  # the encoding has hardly a token with two of them
    return splitter.chunks(text + run)[0] in {text, text + run}


@lru_cache(maxsize=4096)
def _splitter(capacity: int) -> TextSplitter:
    return TextSplitter.from_tiktoken_model(MODEL, capacity, trim=False)
