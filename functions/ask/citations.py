"""A citation is a quotation that was found where the model says it stands."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
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
JOINED = "[a-z0-9]"  # two of them are within a word or number
SHORTEST_QUOTE = 3  # characters; a shorter one is found anywhere
_TYPOGRAPHIC = re.compile(f"[{''.join(TYPOGRAPHY)}]")
MOST_QUOTATIONS = 100  # that are looked for; who needs more repeats himself


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


@dataclass(frozen=True, slots=True)
class Verified:
    """``citations`` in order and each once; ``dropped`` are the quotations that are not in the passage they name."""

    citations: list[Citation]
    dropped: list[Quotation]


def verify(quotations: Sequence[Quotation], passages: Sequence[Passage]) -> Verified:
    """Which quotations are really in the passage they name; of more than MOST_QUOTATIONS the first are looked for."""

    @cache
    def plain(number: int) -> PlainText:
        text = passages[number - 1].text
        return PlainText(text, _plain(text))

    distinct: dict[tuple[int, int, int], Citation] = {}
    dropped: list[Quotation] = []
    for quotation in quotations[:MOST_QUOTATIONS]:
        citation = None
        if 1 <= quotation.passage <= len(passages):
            citation = _located(quotation, passages[quotation.passage - 1], plain(quotation.passage))
        if citation is None:
            dropped.append(quotation)
        else:
            distinct.setdefault((citation.marker, citation.start, citation.end), citation)
    return Verified(list(distinct.values()), [*dropped, *quotations[MOST_QUOTATIONS:]])


def _located(quotation: Quotation, passage: Passage, plain: "PlainText") -> Citation | None:
    # The passage stood escaped in the prompt, and some models quote it so.
    span = plain.find(quotation.quote) or plain.find(unescape(quotation.quote))
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
    return PlainText(text, _plain(text)).find(quote)


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text as it is ``written``, and as it is compared."""

    written: str
    plain: str

    def find(self, quote: str) -> tuple[int, int] | None:
        """As find_quote does."""
        wanted = _plain(quote)
        if len(wanted) < SHORTEST_QUOTE:
            return None
        found = _whole_words(wanted).search(self.plain)
        if found is None:
            return None
        return _shortest(self.written, found.start() + 1) - 1, _shortest(self.written, found.end())


def _whole_words(wanted: str) -> re.Pattern[str]:
    """Finds it where it neither begins nor ends within a word or number: "5 days" is no quote of "25 days".

    Latin letters and digits only: other scripts write words without a space between them.
    """
    before = f"(?<!{JOINED})" if re.match(JOINED, wanted[0]) else ""
    after = f"(?!{JOINED})" if re.match(JOINED, wanted[-1]) else ""
    return re.compile(f"{before}{re.escape(wanted)}{after}")


def _plain(text: str) -> str:
    """What is compared: words with one space between them."""
    written = _TYPOGRAPHIC.sub(lambda sign: TYPOGRAPHY[sign[0]], text)
    return " ".join(written.casefold().split())


def _shortest(text: str, length: int) -> int:
    """Of how many characters the shortest beginning of ``text`` is whose plain form has at least ``length``.

    Found by halving: to tell of each character where it came from takes Python several times as long.
    """
    return bisect_left(range(len(text)), length, key=lambda end: len(_plain(text[:end])))
