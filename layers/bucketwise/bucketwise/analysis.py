"""Text as the terms that keyword search counts: one analysis for what is stored and for what is asked.

A word becomes its stem, in the language of its document. Numbers, codes and identifiers are terms as a whole and in
their parts. Scripts that put no spaces between words become overlapping pairs of characters. A stem belongs to one
language: a question is analysed in every language, and meets each document with the stems of that document's. All
other terms belong to no language.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, pairwise

from Stemmer import Stemmer

from bucketwise.stop_words import STOP_WORDS

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Snowball's stemmers by ISO 639-1 code. Any other language keeps its words as they are."""

NEUTRAL = ""
"""Stands for the language of terms that are no stems, and of a text whose language is not known."""

TERM_BITS = 56
"""A term's number is a hash this wide: eight bits of a 64-bit integer are left for a count beside it."""

LONGEST_TERM = 64
"""Characters. A longer run without a space is no word (encoded data); of a longer path the parts are kept."""

MOST_KEPT = 1 << 15
"""Words of a language whose terms are kept in memory: about 6 MB, of English ones."""

# Thai, Lao, Myanmar, Hangul, Khmer, kana and Han, without their punctuation. Korean has spaces, but its particles hang
# on the words: pairs meet where words would not.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u0e80-\u0eff\u1000-\u1049\u1050-\u109f\u1100-\u11ff\u1780-\u17d3"
    "\u17e0-\u17e9\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# What belongs to the letter before it but is no `\w`: accents, and the vowel signs in the scripts of India (their
# blocks without the full stops U+0964 and U+0965) and of Tibet.
_SIGNS = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84"
# Possessive, as letters of India are in both classes.
_WORD = f"[^\\W_{_UNSPACED}]++(?:[{_SIGNS}]++[^\\W_{_UNSPACED}]*+)*+"


def _held_together(word: str) -> str:
    """Words with single marks between them: FOO_BAR-12.3, gate/controller, x@y.z; 1,000; C++ and C#."""
    return rf"{word}(?:(?:[-_./:@\\#&+]|(?<=\d),(?=\d)){word})*+(?:(?<=[A-Za-z])(?:\+\+|#)(?!\w))?"


_TOKEN = re.compile(f"[{_UNSPACED}]++|{_held_together(_WORD)}")
# The same where there are none of those letters and signs, in half the time.
_TOKEN_OF_LETTERS = re.compile(_held_together(r"[^\W_]++"))
_UNSPACED_OR_SIGN = re.compile(f"[{_UNSPACED}{_SIGNS}]")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
# Of don't and company's the words are left. Other apostrophes part words: the French l' is a stop word.
# Each branch begins with a letter or a mark, not with what must stand before: so it is searched for more quickly.
_CONTRACTION = re.compile(
    r"['’](?<=\w['’])(?:[sdmtSDMT]|[rvRV][eE]|[lL][lL])\b|[nN](?<=\w[nN])(?<!\b[cC][aA][nN])['’][tT]\b"
)
# From loose to tight: the pieces of one level are terms, and are cut at the next.
_LEVELS = (re.compile(r"[/:@\\#&,]"), re.compile(r"[-+]"), re.compile(r"[_.]"))
_DIGIT_OR_MARK = re.compile(r"[\d/:@\\#&,\-+_.]")
_HUMP = re.compile(
    r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zß-ÿ])|(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)"
)
_GROUPED_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
# Soft hyphens, Arabic stretching, joiners, marks of direction; Hebrew and Arabic points, which most writers leave out.
_IGNORED = re.compile(
    "[\u00ad\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u2060\ufeff]"
)
# Only after Latin and Greek letters: elsewhere a mark makes another letter, as in Russian й.
_ACCENT = re.compile("(?<=[a-z\u03b1-\u03c9])[\u0300-\u036f]+")
# Letters that many write otherwise, and that do not decompose into a letter and an accent.
_SPELLINGS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ё": "е"}
)
# A sign above, below or after a Thai, Lao, Myanmar or Khmer letter, or a kana's voicing mark, stays with its letter.
_SIGN_OF_UNSPACED = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b6-\u17d3\u3099\u309a"
)
_CHARACTER = re.compile(f".[{_SIGN_OF_UNSPACED}]*")


@dataclass(frozen=True, slots=True)
class Terms:
    """How often each term occurs, and how many there are in all. Terms are signed numbers of TERM_BITS."""

    counts: dict[int, int]
    length: int


def analyse(text: str, language: str) -> Terms:
    """The terms of a text in ``language`` (ISO 639-1), without its stop words; unstemmed if it has no stemmer."""
    counts = Counter(chain.from_iterable(map(_numbers_in(language).__getitem__, tokens(text))))
    return Terms(dict(counts), counts.total())


def tokens(text: str) -> list[str]:
    """Words with what marks hold to them, and runs of unspaced scripts, in the order of the text."""
    pattern = _TOKEN_OF_LETTERS
    if not text.isascii():
        text = _IGNORED.sub("", unicodedata.normalize("NFKC", text))
        pattern = _TOKEN if _UNSPACED_OR_SIGN.search(text) else _TOKEN_OF_LETTERS
    found = pattern.findall(_CONTRACTION.sub("", text) if "'" in text or "’" in text else text)
    # Where all is in capitals they say nothing of a word; a single word is more likely a name.
    return [token.lower() for token in found] if len(found) > 1 and text.isupper() else found


def numbers(token: str, language: str) -> tuple[int, ...]:
    """The token's terms."""
    return tuple(map(_number, _terms(token, language)))


class _Numbers(dict[str, tuple[int, ...]]):
    """The terms of a language's tokens. Words alone come again so often that they are worth keeping."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, token: str) -> tuple[int, ...]:
        found = numbers(token, self._language)
        if len(token) <= LONGEST_TERM and not token.isdigit() and not is_unspaced(token):
            if len(self) >= MOST_KEPT:
                self.clear()
            self[token] = found
        return found


@lru_cache(maxsize=8)
def _numbers_in(language: str) -> _Numbers:
    return _Numbers(language)


def _number(term: str) -> int:
    return int.from_bytes(blake2b(term.encode(), digest_size=TERM_BITS // 8).digest(), "big", signed=True)


def _terms(token: str, language: str) -> Iterator[str]:
    """The pairs of an unspaced run; else the token and its parts, each once."""
    if is_unspaced(token):
        return _pairs(token)
    pieces = (token,) if _has_no_parts(token) else _pieces(token)
    kept = [piece for piece in pieces if not _is_stop_word(piece, language)]
    return iter(dict.fromkeys([_term(piece, language) for piece in kept]))


def _has_no_parts(token: str) -> bool:
    """Most are one word or one number: _pieces would find the same."""
    is_word = token.isalpha() and token[1:] == token[1:].lower()
    return (is_word or token.isdecimal()) and len(token) <= LONGEST_TERM


def is_unspaced(token: str) -> bool:
    """Whether it is a run of a script that puts no spaces between words."""
    return not token.isascii() and _UNSPACED_RUN.fullmatch(token) is not None


def _pairs(run: str) -> Iterator[str]:
    """Overlapping pairs of characters; of a run of one character, that one."""
    characters = _CHARACTER.findall(run)
    if len(characters) == 1:
        yield characters[0]
    for first, second in pairwise(characters):
        yield first + second


def _pieces(token: str) -> Iterator[str]:
    """The token, what is between its marks, and the humps of those: getUserName2 has get, User, Name and 2."""
    if _GROUPED_NUMBER.fullmatch(token):
        yield token.replace(",", "")
    pieces = [token]
    yield from _short(pieces)
    for level in _LEVELS:
        pieces = [part for piece in pieces for part in level.split(piece) if part]
        yield from _short(pieces)
    for piece in _short(pieces):
        humps = _HUMP.split(piece)
        if len(humps) > 1:
            yield from (hump for hump in humps if len(hump) > 1 or hump.isdigit())


def _short(pieces: list[str]) -> Iterator[str]:
    return (piece for piece in pieces if len(piece) <= LONGEST_TERM)


def _is_stop_word(piece: str, language: str) -> bool:
    """Not if written in capitals: WHO, IT and US are names."""
    return piece.casefold() in STOP_WORDS.get(language, ()) and not (len(piece) > 1 and piece.isupper())


def _term(piece: str, language: str) -> str:
    """Only letters have a stem. Accents are dropped after stemming: stemmers know the endings with theirs."""
    word = piece.casefold()
    if language in STEMMERS and not _DIGIT_OR_MARK.search(word):
        return f"{language} {_without_accents(_stemmer(language).stemWord(word))}"
    return _without_accents(word)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    bare = _ACCENT.sub("", unicodedata.normalize("NFD", word.translate(_SPELLINGS)))
    return unicodedata.normalize("NFC", bare)


@lru_cache(maxsize=len(STEMMERS))
def _stemmer(language: str) -> Stemmer:
    # Without its own cache, as _numbers_in has one; what is left is a single call in C, safe between threads.
    return Stemmer(STEMMERS[language], 0)
