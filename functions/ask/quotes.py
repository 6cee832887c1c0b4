"""Where a quote stands in a text: white space, case and typography aside, and nothing else."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from unicodedata import category, normalize

# What typesetting, and not the author, decides: such differences between quote and text are allowed.
TYPOGRAPHY = {
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufe0e\ufe0f\ufeff", ""),
    "…": "...",
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
}
SHORTEST_QUOTE = 3  # characters; a shorter one is found anywhere
_TYPOGRAPHIC = re.compile(f"[{''.join(TYPOGRAPHY)}]")

# Thai, Lao, Burmese, Khmer, kana and Han: a quote may begin and end between any two letters of theirs.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# White space that groups digits where an ordinary one would part two numbers: written so, it is one number.
_GROUPING = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")
_GROUPED = "\ufdd0"  # no character: in no text
_BETWEEN_DIGITS = f"[-.,':/·⁄٫٬．，：／{_GROUPED}]"
_CURRENCY = "[$€£¥]"
# Places within a number: beside a mark between two digits (1,500; 3-15; 1/2), and after a sign or a leading point.
_WITHIN_NUMBER = re.compile(
    rf"(?<=\d{_BETWEEN_DIGITS})(?=\d)|(?<=\d)(?={_BETWEEN_DIGITS}\d)"
    rf"|(?<![^\W_][-+±])(?<=[-+±])(?={_CURRENCY}?\.?\d)|(?<![^\W_][-+±]{_CURRENCY})(?<=[-+±]{_CURRENCY})(?=\d)"
    r"|(?<![^\s($€£¥+±-]\.)(?<=\.)(?=\d)"
)
# A note's raised number behind a word; units are shorter (km²).
_FOOTNOTE = re.compile(r"(?<=[^\W\d_]{3})[⁰¹²³⁴-⁹]{1,3}(?!\w)")


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Where ``quote`` stands in ``text``, as character offsets: white space, case and typography aside.

    It neither begins nor ends within a word, a number or a letter with its accents: "5 days" is no quote of "25 days",
    "2.5 days" or "-5 days", and "cafe" none of "café". Composed and decomposed letters are the same text.
    """
    return ComparableText.of(text).find(quote)


@dataclass(frozen=True, slots=True)
class ComparableText:
    """A text as it is ``written``, and as it is compared: ``plain``, and the same with marks of ``grouped`` digits."""

    written: str
    plain: str
    grouped: str

    @classmethod
    def of(cls, text: str) -> "ComparableText":
        grouped = _plain(_GROUPING.sub(_GROUPED, text))
        return cls(text, grouped.replace(_GROUPED, " "), grouped)

    def find(self, quote: str) -> tuple[int, int] | None:
        """As find_quote does."""
        wanted = _plain(quote)
        if len(normalize("NFC", wanted)) < SHORTEST_QUOTE:
            return None
        start = self.plain.find(wanted)
        while start >= 0:
            end = start + len(wanted)
            if not _is_within(self.grouped, start) and not _is_within(self.grouped, end):
                return _shortest(self.written, start + 1) - 1, _shortest(self.written, end)
            start = self.plain.find(wanted, start + 1)
        return None


def _is_within(text: str, place: int) -> bool:
    """Whether a word, a number, or a letter with its accents stands on both sides of ``place``."""
    if not 0 < place < len(text) or _FOOTNOTE.match(text, place):
        return False
    before, after = text[place - 1], text[place]
    return _is_mark(after) or _are_joined(before, after) or _WITHIN_NUMBER.match(text, place) is not None


def _are_joined(before: str, after: str) -> bool:
    if before.isnumeric() and after.isnumeric():  # 25, and 二十五
        return True
    is_letter = (before.isalnum() or _is_mark(before)) and after.isalnum()
    return is_letter and not _UNSPACED.match(before) and not _UNSPACED.match(after)


def _is_mark(character: str) -> bool:
    return category(character).startswith("M")


def _plain(text: str) -> str:
    """What is compared: decomposed words with one space between them.

    Decomposed, as each character becomes so by itself: a longer beginning of a text never has a shorter plain form.
    """
    written = _TYPOGRAPHIC.sub(lambda sign: TYPOGRAPHY[sign[0]], normalize("NFD", text))
    return " ".join(written.casefold().split())


def _shortest(text: str, length: int) -> int:
    """Of how many characters the shortest beginning of ``text`` is whose plain form has at least ``length``.

    Found by halving: to tell of each character where it came from takes Python several times as long.
    """
    return bisect_left(range(len(text)), length, key=lambda end: len(_plain(text[:end])))
