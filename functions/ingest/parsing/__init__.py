"""Bytes of an object to one text with places, for each kind of file that can be indexed."""

from collections.abc import Callable
from pathlib import PurePosixPath

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import ParsedDocument
from ingest.parsing.html import looks_like_html, parse_html
from ingest.parsing.markdown import parse_markdown
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.text import parse_text

PARSER_VERSION = "1"
"""Part of the stored fingerprint: to be raised when the same bytes would give another text."""

Parser = Callable[[bytes], ParsedDocument]

BY_EXTENSION: dict[str, Parser] = {
    ".txt": parse_text,
    ".text": parse_text,
    ".log": parse_text,
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".html": parse_html,
    ".htm": parse_html,
    ".xhtml": parse_html,
    ".pdf": parse_pdf,
}
BY_CONTENT_TYPE: dict[str, Parser] = {
    "text/plain": parse_text,
    "text/markdown": parse_markdown,
    "text/html": parse_html,
    "application/pdf": parse_pdf,
}

_PDF_HEADER = b"%PDF-"
_PDF_HEADER_REACH = 1024  # bytes; pdfium too forgives that much before the header


def parse(content: bytes, *, key: str, content_type: str | None) -> ParsedDocument:
    """Parse an object by what its content, else its key's extension, else its content type says it is.

    The text holds at least one character that is not white space. Raises ``UnreadableDocument``, whatever the bytes.
    """
    if not content.strip():
        raise _empty()
    document = _parser(content, PurePosixPath(key).suffix.lower(), content_type)(content)
    if not document.text.strip():
        raise _empty()
    return document


def _parser(content: bytes, extension: str, content_type: str | None) -> Parser:
    declared = BY_EXTENSION.get(extension) or BY_CONTENT_TYPE.get(_bare(content_type))
    parser = _sniffed(content, declared) or declared
    if parser is None:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED,
            f"This kind of file cannot be read. Supported are {', '.join(BY_EXTENSION)}.",
        )
    return parser


def _sniffed(content: bytes, declared: Parser | None) -> Parser | None:
    # A text may speak of PDF and show its header; only a text that begins with one is a misnamed PDF.
    reach = len(_PDF_HEADER) if declared in {parse_text, parse_markdown, parse_html} else _PDF_HEADER_REACH
    if content.find(_PDF_HEADER, 0, reach) >= 0:
        return parse_pdf
    return parse_html if looks_like_html(content) else None


def _bare(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _empty() -> UnreadableDocument:
    return UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
