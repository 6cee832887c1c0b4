"""A file to text with places, for each kind of file that can be indexed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.html import looks_like_html, parse_html
from ingest.parsing.markdown import parse_markdown
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.text import byte_pieces, parse_text

Parser = Callable[[Path], ParsedDocument]

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


def parse(path: Path, *, key: str, content_type: str | None) -> ParsedDocument:
    """Parse a file by what its content, else its key's extension, else its content type says it is.

    The text holds at least one character that is not white space. Raises ``UnreadableDocument``, whatever the bytes,
    at once or while the blocks are read; the file is read until then.
    """
    if not any(piece.strip() for piece in byte_pieces(path)):
        raise _empty()
    beginning = next(byte_pieces(path))
    document = _parser(beginning, PurePosixPath(key).suffix.lower(), content_type)(path)
    document.blocks = _with_text(document.blocks)
    return document


@contextmanager
def parsed_here(path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
    """As ``parse``, in this process and not in the sandbox: for files that are known to do no harm."""
    yield parse(path, key=key, content_type=content_type)


def _with_text(blocks: Iterator[Block]) -> Iterator[Block]:
    is_empty = True
    for block in blocks:
        is_empty = is_empty and not block.text.strip()
        yield block
    if is_empty:
        raise _empty()


def _parser(beginning: bytes, extension: str, content_type: str | None) -> Parser:
    declared = BY_EXTENSION.get(extension) or BY_CONTENT_TYPE.get(_bare(content_type))
    parser = _sniffed(beginning, declared) or declared
    if parser is None:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED,
            f"This kind of file cannot be read. Supported are {', '.join(BY_EXTENSION)}.",
        )
    return parser


def _sniffed(beginning: bytes, declared: Parser | None) -> Parser | None:
    # A text may speak of PDF and show its header; only a text that begins with one is a misnamed PDF.
    reach = len(_PDF_HEADER) if declared in {parse_text, parse_markdown, parse_html} else _PDF_HEADER_REACH
    if beginning.find(_PDF_HEADER, 0, reach) >= 0:
        return parse_pdf
    return parse_html if looks_like_html(beginning) else None


def _bare(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _empty() -> UnreadableDocument:
    return UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
