"""A citation is a quotation that was found where the model says it stands."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from ask.replies import Quotation
from bucketwise.models import Place
from bucketwise.search import Passage

# What typesetting, and not the author, decides: such differences between quote and passage are allowed.
TYPOGRAPHY = {
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff", ""),
    "…": "...",
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
}
JOINED = re.compile(r"[a-z0-9]{2}")
SHORTEST_QUOTE = 3  # characters; a shorter one is found anywhere
_TYPOGRAPHIC = re.compile(f"[{''.join(TYPOGRAPHY)}]")
MARKER = re.compile(r"( ?)\[(\d+(?:\s*,\s*\d+)*)\]")


@dataclass(frozen=True, slots=True)
class Citation:
    """``quote`` is the passage's own text, and stands at ``start:end`` of the document's text."""

    marker: int
    passage: Passage
    quote: str
    start: int
    end: int

    @property
    def place(self) -> Place:
        return self.passage.place_at(self.start)


def verify(quotations: Sequence[Quotation], passages: Sequence[Passage]) -> tuple[list[Citation], list[Quotation]]:
    """Those that are really in the passage they name, in order and each once; and those that are not."""
    distinct: dict[tuple[int, int, int], Citation] = {}
    dropped: list[Quotation] = []
    for quotation in quotations:
        citation = _locate(quotation, passages)
        if citation is None:
            dropped.append(quotation)
        else:
            distinct[citation.marker, citation.start, citation.end] = citation
    return list(distinct.values()), dropped


def keep_markers(answer: str, numbers: set[int]) -> str:
    """The answer without the markers whose number is not in ``numbers``."""

    wanted = {str(number) for number in numbers}  # as text: Python refuses to read a number of 5,000 digits

    def kept(match: re.Match[str]) -> str:
        left = [number for number in re.findall(r"\d+", match[2]) if number in wanted]
        return f"{match[1]}[{', '.join(left)}]" if left else ""

    return MARKER.sub(kept, answer).strip()


def _locate(quotation: Quotation, passages: Sequence[Passage]) -> Citation | None:
    if not 1 <= quotation.passage <= len(passages):
        return None
    passage = passages[quotation.passage - 1]
    # The passage stood escaped in the prompt, and some models quote it so.
    span = find_quote(quotation.quote, passage.text) or find_quote(unescape(quotation.quote), passage.text)
    if span is None:
        return None
    start, end = span
    return Citation(
        marker=quotation.passage,
        passage=passage,
        quote=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
    )


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Where ``quote`` stands in ``text``, as character offsets: white space, case and typography aside."""
    wanted = _plain(quote)
    if len(wanted) < SHORTEST_QUOTE:
        return None
    plain = _plain(text)
    at = plain.find(wanted)
    while at >= 0 and _inside_a_word(plain, at, at + len(wanted)):
        at = plain.find(wanted, at + 1)
    if at < 0:
        return None
    start = _shortest(text, at + 1) - 1
    return start, start + _shortest(text[start:], len(wanted))


def _inside_a_word(text: str, start: int, end: int) -> bool:
    """Whether the stretch begins or ends within a word or number: "5 days" is no quote of "25 days".

    Latin letters and digits only: other scripts write words without a space between them.
    """
    return bool(JOINED.fullmatch(text[max(start - 1, 0) : start + 1]) or JOINED.fullmatch(text[end - 1 : end + 1]))


def _plain(text: str) -> str:
    """What is compared: words with one space between them."""
    written = _TYPOGRAPHIC.sub(lambda sign: TYPOGRAPHY[sign[0]], text)
    return " ".join(written.casefold().split())


def _shortest(text: str, length: int) -> int:
    """Of how many characters the shortest beginning of ``text`` is whose plain form has at least ``length``.

    Found by halving: to tell of each character where it came from takes Python several times as long.
    """
    return bisect_left(range(len(text)), length, key=lambda end: len(_plain(text[:end])))
