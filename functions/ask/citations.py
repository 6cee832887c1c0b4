"""A citation is a quotation that was found where the model says it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape

from ask.quotes import ComparableText
from ask.replies import Quotation
from bucketwise.models import Place
from bucketwise.search import Passage

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
    def text_of(number: int) -> ComparableText:
        return ComparableText.of(passages[number - 1].text)

    distinct: dict[tuple[int, int, int], Citation] = {}
    dropped: list[Quotation] = []
    for quotation in quotations[:MOST_QUOTATIONS]:
        citation = None
        if 1 <= quotation.passage <= len(passages):
            citation = _located(quotation, passages[quotation.passage - 1], text_of(quotation.passage))
        if citation is None:
            dropped.append(quotation)
        else:
            distinct.setdefault((citation.marker, citation.start, citation.end), citation)
    return Verified(list(distinct.values()), [*dropped, *quotations[MOST_QUOTATIONS:]])


def _located(quotation: Quotation, passage: Passage, text: ComparableText) -> Citation | None:
    # The passage stood escaped in the prompt, and some models quote it so.
    span = text.find(quotation.quote) or text.find(unescape(quotation.quote))
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
