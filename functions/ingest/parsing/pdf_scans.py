"""Which pages of a PDF are pictures of text, and which PDFs hold nothing else."""

import re
from collections import defaultdict

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import ParsedDocument
from ingest.parsing.parts import skip
from ingest.parsing.pdf_page import FEW_LETTERS, Page
from ingest.parsing.pictured import MIN_PICTURE_SHARE, numbered, skip_pictured

_MAX_STAMP_LETTERS = 6  # "Page 3 of 7", or the number that a page has in a file of evidence
_MIN_CHARACTERS = 10  # of a page that says something
_NUMBER = re.compile(r"\d+")


class PageSurvey:
    """Told of every page in turn, it knows at the end which of them lack their text."""

    def __init__(self) -> None:
        self._scanned: set[int] = set()
        self._damaged: list[int] = []
        self._drawn: list[int] = []
        self._stamps: dict[str, list[int]] = defaultdict(list)
        self._speaking: set[int] = set()
        self._has_text = False

    def take(self, page: Page) -> bool:
        """Whether the page has text of its own, whatever the others are."""
        text = page.text
        if text is None:
            self._damaged.append(page.number)
            return False
        self._has_text = self._has_text or bool(text)
        if page.is_drawn:
            self._drawn.append(page.number)
        is_pictured = page.picture_share >= MIN_PICTURE_SHARE
        if is_pictured and page.letters <= _MAX_STAMP_LETTERS:
            self._scanned.add(page.number)
            return False
        if len(text) >= _MIN_CHARACTERS:
            self._speaking.add(page.number)
        if is_pictured and page.letters <= FEW_LETTERS:
            # What scanners and archives stamp on every page is not the page's text.
            self._stamps[_NUMBER.sub("", text)].append(page.number)
            return False
        return page.number in self._speaking

    def finish(self, parsed: ParsedDocument) -> None:
        """Names in ``skipped`` what is missing.

        Raises ``UnreadableDocument`` if no page has text of its own: needs_ocr, corrupt or empty.
        """
        for pages in self._stamps.values():
            if len(pages) > 1:
                self._scanned.update(pages)
        scanned = sorted(self._scanned)
        if not self._speaking - self._scanned and (scanned or self._drawn or not self._has_text):
            raise self._no_text(scanned or self._drawn)
        skip_pictured(parsed, "page", scanned)
        if self._damaged:
            they = "they are" if len(self._damaged) > 1 else "it is"
            skip(parsed, f"{numbered('page', self._damaged)}: {they} damaged")

    def _no_text(self, pictured: list[int]) -> UnreadableDocument:
        if pictured:
            return UnreadableDocument(
                FailureReason.NEEDS_OCR,
                f"No text on {numbered('page', pictured)}, only pictures."
                " Run text recognition (OCR) over the PDF and upload it again.",
            )
        if self._damaged:
            return corrupt_pdf()
        return UnreadableDocument(FailureReason.EMPTY, "The pages of the PDF are blank.")


def corrupt_pdf() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, "The PDF is damaged or incomplete. Open it, save it again and upload the copy."
    )
