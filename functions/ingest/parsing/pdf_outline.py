"""The outline of a PDF (its bookmarks), as the headings that its pages' text stands below."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bucketwise.models import Place
from ingest.parsing.document import Block
from ingest.parsing.headings import HeadingPath
from ingest.parsing.tables import one_line
from ingest.parsing.text import clean

MAX_ENTRIES = 10_000
"""Twice as many as the longest handbooks have."""

_MAX_DEPTH = 8
_MAX_ON_PAGE = 200  # entries
_LONGEST_PAGE = 1 << 17  # characters; a longer page is not searched for titles
_MAX_TITLE = 200  # characters
_TOP_SHARE = 0.15  # of a page's height, above which no text stands before a heading
# Where in a view's numbers its upper edge is (ISO 32000-1, 12.3.2.2).
_TOP_IN_VIEW = {pdfium_c.PDFDEST_VIEW_XYZ: 1, pdfium_c.PDFDEST_VIEW_FITH: 0, pdfium_c.PDFDEST_VIEW_FITBH: 0}
_NUMBER = r"(?:(?:[^\W\d]{1,15}[ \t]+)?(?:\d{1,3}|[IVXLC]{1,6})(?:\.\d{1,3}){0,5}\s?[.:)]?\s{1,3})?"


@dataclass(frozen=True, slots=True)
class _Entry:
    level: int
    title: str
    is_at_top: bool


class Outline:
    """Told of every page in turn, it divides their texts where an entry's title stands."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        self._path = HeadingPath()
        self._entries: dict[int, list[_Entry]] = defaultdict(list)
        for bookmark in islice(document.get_toc(max_depth=_MAX_DEPTH), MAX_ENTRIES):
            with suppress(ValueError, pdfium.PdfiumError):  # a title that is no text, a page that is damaged
                self._add(document, bookmark)

    def blocks(self, number: int, text: str) -> Iterator[Block]:
        """One for the page, or one from each title on.

        Where a title cannot be found, the rest of the page stands only below what is above it in either case.
        """
        start = 0
        is_any_found = False
        heading = self._path.place.heading
        for entry in self._entries.pop(number, [])[:_MAX_ON_PAGE]:
            found = _line_with(entry.title).search(text, start) if len(text) <= _LONGEST_PAGE else None
            if found and found.start() > start:
                yield Block(text[start : found.start()].rstrip(), Place(page=number, heading=heading))
                start = found.start()
            self._path.enter(entry.level, entry.title)
            is_any_found = is_any_found or found is not None
            is_placed = found is not None or (entry.is_at_top and not is_any_found)
            heading = self._path.place.heading if is_placed else _shared(heading, self._path.place.heading)
        yield Block(text[start:], Place(page=number, heading=heading))

    def _add(self, document: pdfium.PdfDocument, bookmark: pdfium.PdfBookmark) -> None:
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        title = one_line(clean(bookmark.get_title()))[:_MAX_TITLE]
        if target and index is not None and title:
            mode, numbers = target.get_view()
            top = next(islice(numbers, _TOP_IN_VIEW.get(mode, len(numbers)), None), 0.0)
            height = document.get_page_size(index)[1]
            # A view without an upper edge, or with that of the paper, is of the whole page.
            is_at_top = top <= 0 or top > height * (1 - _TOP_SHARE)
            self._entries[index + 1].append(_Entry(bookmark.level + 1, title, is_at_top))


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _line_with(title: str) -> re.Pattern[str]:
    """A line that begins with the title, which may be broken, and may have its number before it."""
    words = r"\s{1,3}".join(map(re.escape, title.split()))
    return re.compile(rf"^[ \t]*{_NUMBER}{words}(?!\w)", re.IGNORECASE | re.MULTILINE)
