"""PDF: the text that pdfium finds, one block per page."""

import re
from contextlib import closing

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.text import clean

MAX_PAGES = 20_000
"""Beyond the longest books; a damaged or hostile file may claim millions."""

_MIN_PAGE_CHARACTERS = 10  # a scan may carry a stamped page number
_MAX_PAGES_NAMED = 10
_MAX_TITLE = 300

_FILE_NAME = re.compile(r"\.\w{2,5}$")
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
_NO_TITLES = {"untitled", "(anonymous)", "title", "document", "none", "null", "powerpoint presentation"}


def parse_pdf(content: bytes) -> ParsedDocument:
    """One block per page that has text. Raises ``UnreadableDocument``: encrypted, corrupt, needs_ocr, ..."""
    try:
        with closing(_open(content)) as document:
            count = _count_pages(document)
            texts = [_page_text(document, index) for index in range(count)]
            if all(len(text or "") < _MIN_PAGE_CHARACTERS for text in texts):
                raise _no_text(document, texts)
            title = _title(document)
    except pdfium.PdfiumError as error:
        raise _corrupt() from error
    blocks = (Block(text or "", Place(page=number)) for number, text in enumerate(texts, start=1))
    return ParsedDocument.from_blocks(blocks, separator="\n\n", title=title, pages=count)


def _open(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
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


def _page_text(document: pdfium.PdfDocument, index: int) -> str | None:
    """The page's text, stripped; None when pdfium cannot load the page."""
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as textpage:
            # pdfium writes U+0002 or U+FFFE for a line's end with its hyphen: dropping it joins the word.
            return clean(textpage.get_text_bounded()).strip()
    except pdfium.PdfiumError:
        return None


def _no_text(document: pdfium.PdfDocument, texts: list[str | None]) -> UnreadableDocument:
    if all(text is None for text in texts):
        return _corrupt()
    drawn = [index + 1 for index, text in enumerate(texts) if text is not None and _is_drawn(document, index)]
    if not drawn:
        return UnreadableDocument(FailureReason.EMPTY, "The pages of the PDF are blank.")
    return UnreadableDocument(
        FailureReason.NEEDS_OCR,
        f"No text on {_names(drawn)}, only pictures. Run text recognition (OCR) over the PDF and upload it again.",
    )


def _is_drawn(document: pdfium.PdfDocument, index: int) -> bool:
    with closing(document[index]) as page:
        return bool(pdfium_c.FPDFPage_CountObjects(page) > 0)


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
