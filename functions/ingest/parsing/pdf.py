"""PDF: the text that pdfium finds, one block per page."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.readable import Readable, size_of
from ingest.parsing.text import clean

MAX_PAGES = 20_000
"""Beyond the longest books; a damaged or hostile file may claim millions."""

_MIN_PAGE_CHARACTERS = 10  # a scan may carry a stamped page number
_MAX_PAGES_NAMED = 10
_MAX_TITLE = 300
_BYTES_AT_ONCE = 4 << 20  # of the file, about

_FILE_NAME = re.compile(r"\.\w{2,5}$")
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
_NO_TITLES = {"untitled", "(anonymous)", "title", "document", "none", "null", "powerpoint presentation"}


@dataclass(frozen=True, slots=True)
class _Page:
    """``text`` is stripped, and None when pdfium cannot load the page."""

    number: int
    text: str | None
    is_drawn: bool = False

    @property
    def is_tiny(self) -> bool:
        return len(self.text or "") < _MIN_PAGE_CHARACTERS


def parse_pdf(content: Readable) -> ParsedDocument:
    """One block per page that has text. Raises ``UnreadableDocument``: encrypted, corrupt, needs_ocr, ..."""
    parsed = ParsedDocument(iter(()), separator="\n\n")
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    """Nothing is given out before one page has enough text."""
    try:
        with closing(_open(content)) as document:
            parsed.pages = _count_pages(document)
            parsed.title = _title(document)
        pages = _pages(content, parsed.pages)
        tiny: list[_Page] = []
        for page in pages:
            tiny.append(page)
            if not page.is_tiny:
                break
        else:
            raise _no_text(tiny)
        for page in chain(tiny, pages):
            yield Block(page.text or "", Place(page=page.number))
    except pdfium.PdfiumError as error:
        raise _corrupt() from error


def _pages(content: Readable, count: int) -> Iterator[_Page]:
    """pdfium keeps what it has read of a document until that is closed, so it is opened anew after some pages."""
    at_once = max(1, count * _BYTES_AT_ONCE // size_of(content))
    for first in range(0, count, at_once):
        with closing(_open(content)) as document:
            for index in range(first, min(first + at_once, count)):
                yield _page(document, index)


def _open(content: Readable) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content if isinstance(content, Path) else content.read_bytes())
    except pdfium.PdfiumError as error:
        if error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}:
            raise UnreadableDocument(
                FailureReason.ENCRYPTED, "The PDF needs a password. Save it without one and upload it again."
            ) from error
        raise


def _count_pages(document: pdfium.PdfDocument) -> int:
    count = len(document)
    if count < 1:
        raise UnreadableDocument(FailureReason.EMPTY, "The PDF has no pages.")
    if count > MAX_PAGES:
        raise UnreadableDocument(
            FailureReason.TOO_LARGE, f"The PDF has more than {MAX_PAGES} pages. Split it into several files."
        )
    return count


def _page(document: pdfium.PdfDocument, index: int) -> _Page:
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as textpage:
            # pdfium writes U+0002 or U+FFFE for a line's end with its hyphen: dropping it joins the word.
            text = clean(textpage.get_text_bounded()).strip()
            return _Page(index + 1, text, is_drawn=pdfium_c.FPDFPage_CountObjects(page) > 0)
    except pdfium.PdfiumError:
        return _Page(index + 1, None)


def _no_text(pages: list[_Page]) -> UnreadableDocument:
    if all(page.text is None for page in pages):
        return _corrupt()
    drawn = [page.number for page in pages if page.is_drawn]
    if not drawn:
        return UnreadableDocument(FailureReason.EMPTY, "The pages of the PDF are blank.")
    return UnreadableDocument(
        FailureReason.NEEDS_OCR,
        f"No text on {_names(drawn)}, only pictures. Run text recognition (OCR) over the PDF and upload it again.",
    )


def _names(pages: list[int]) -> str:
    named = ", ".join(map(str, pages[:_MAX_PAGES_NAMED]))
    rest = len(pages) - _MAX_PAGES_NAMED
    return f"page{'s' if len(pages) > 1 else ''} {named}" + (f" and {rest} more" if rest > 0 else "")


def _title(document: pdfium.PdfDocument) -> str | None:
    """The title that the metadata give, unless it is a file's name or a program's placeholder."""
    try:
        stored = document.get_metadata_value("Title")
    except UnicodeDecodeError:
        return None
    title = " ".join(_PROGRAM.sub("", clean(stored)).split())
    if not 3 <= len(title) <= _MAX_TITLE or title.lower() in _NO_TITLES or _FILE_NAME.search(title):
        return None
    return title if any(map(str.isalpha, title)) else None


def _corrupt() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, "The PDF is damaged or incomplete. Open it, save it again and upload the copy."
    )
