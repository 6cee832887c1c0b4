"""A file to text with places, for each kind of file that can be indexed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.kinds import BEGINNING, BY_EXTENSION, parser_for
from ingest.parsing.parts import Parts
from ingest.parsing.readable import Readable
from ingest.parsing.text import byte_pieces


def parse(path: Path, *, key: str, content_type: str | None) -> ParsedDocument:
    """Parse a file by what its content, else its key's extension, else its content type says it is.

    The text holds at least one character that is not white space. Raises ``UnreadableDocument``, whatever the bytes,
    at once or while the blocks are read; the file is read until then.
    """
    return _parse_part(path, key, content_type, Parts(_parse_part))


@contextmanager
def parsed_here(path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
    """As ``parse``, in this process and not in the sandbox: for files that are known to do no harm."""
    yield parse(path, key=key, content_type=content_type)


def _parse_part(content: Readable, name: str, content_type: str | None, parts: Parts) -> ParsedDocument:
    if not any(piece.strip() for piece in byte_pieces(content)):
        raise _empty()
    with content.open("rb") as file:
        beginning = file.read(BEGINNING)
    parser = parser_for(content, beginning, PurePosixPath(name).suffix.lower(), content_type)
    if parser is None:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED,
            f"This kind of file cannot be read. Supported are {', '.join(BY_EXTENSION)}.",
        )
    document = parser(content, parts)
    document.blocks = _with_text(document.blocks)
    return document


def _with_text(blocks: Iterator[Block]) -> Iterator[Block]:
    is_empty = True
    for block in blocks:
        is_empty = is_empty and not block.text.strip()
        yield block
    if is_empty:
        raise _empty()


def _empty() -> UnreadableDocument:
    return UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
