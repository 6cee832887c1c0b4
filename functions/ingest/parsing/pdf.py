"""PDF: the text that pdfium finds, page by page."""

from collections.abc import Iterator
from contextlib import closing, suppress

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.pdf_forms import FilledFields
from ingest.parsing.pdf_outline import Outline
from ingest.parsing.pdf_page import Page, read_page
from ingest.parsing.pdf_scans import PageSurvey, corrupt_pdf
from ingest.parsing.properties import believed
from ingest.parsing.readable import Readable, size_of

MAX_PAGES = 20_000
"""Beyond the longest books; a damaged or hostile file may claim millions."""

_BYTES_AT_ONCE = 4 << 20  # of the file, about


def parse_pdf(content: Readable) -> ParsedDocument:
    """One block per page, or more where the outline names what begins on it.

    Pages that are scanned or damaged are named as skipped.

    Raises ``UnreadableDocument``: encrypted, corrupt, needs_ocr, ...
    """
    parsed = ParsedDocument(iter(()), separator="\n\n")
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    """Nothing is given out before one page has enough text."""
    survey = PageSurvey()
    held: list[Block] = []
    is_readable = False
    try:
        with closing(_open(content)) as document:
            parsed.pages = _count_pages(document)
            _read_properties(document, parsed)
            outline = Outline(document)
        for page in _pages(content, parsed.pages):
            is_readable = survey.take(page) or is_readable
            held.extend(outline.blocks(page.number, page.text or ""))
            if is_readable:
                yield from held
                held.clear()
    except pdfium.PdfiumError as error:
        raise corrupt_pdf() from error
    survey.finish(parsed)
    yield from held


def _pages(content: Readable, count: int) -> Iterator[Page]:
    """pdfium keeps what it has read of a document until that is closed, so it is opened anew after some pages."""
    at_once = max(1, count * _BYTES_AT_ONCE // size_of(content))
    fields = FilledFields()
    for first in range(0, count, at_once):
        with closing(_open(content)) as document:
            with suppress(pdfium.PdfiumError):
                document.init_forms()
            for index in range(first, min(first + at_once, count)):
                yield read_page(document, index, fields)


def _open(content: Readable) -> pdfium.PdfDocument:
    file = content.open("rb")  # pypdfium2 looks up the name of a path, and the file may have none
    try:
        return pdfium.PdfDocument(file, autoclose=True)
    except pdfium.PdfiumError as error:
        file.close()
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


def _read_properties(document: pdfium.PdfDocument, parsed: ParsedDocument) -> None:
    believed(
        title=_stored(document, "Title"),
        author=_stored(document, "Author"),
        created=_stored(document, "CreationDate"),
        modified=_stored(document, "ModDate"),
    ).write_to(parsed)


def _stored(document: pdfium.PdfDocument, name: str) -> str | None:
    try:
        value: str = document.get_metadata_value(name)
    except UnicodeDecodeError:
        return None
    return value
