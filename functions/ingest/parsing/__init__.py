"""A file to text with places, for each kind of file that can be indexed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.kinds import BY_EXTENSION
from ingest.parsing.parts import Parts, Unwatched, Watch
from ingest.parsing.readable import Readable
from ingest.parsing.recognition import kind_of
from ingest.parsing.text import byte_pieces

_MAX_TITLE = 300  # characters; a page may make a heading of a chapter


def parse(path: Path, *, key: str, content_type: str | None, watch: Watch | None = None) -> ParsedDocument:
    """Parse a file by what its content, else its key's extension, else its content type says it is.

    ``watch`` is told of the parts within.

    The text holds at least one character that is not white space. Raises ``UnreadableDocument``, whatever the bytes,
    at once or while the blocks are read; the file is read until then.
    """
    return _parse_part(path, key, content_type, Parts(_parse_part, watch or Unwatched()))


@contextmanager
def parsed_here(path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
    """As ``parse``, in this process and not in the sandbox: for files that are known to do no harm."""
    yield parse(path, key=key, content_type=content_type)


def _parse_part(content: Readable, name: str, content_type: str | None, parts: Parts) -> ParsedDocument:
    if not any(piece.strip() for piece in byte_pieces(content)):
        raise _empty()
    kind = kind_of(content, extension=PurePosixPath(name).suffix.lower(), content_type=content_type)
    if kind is None:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED,
            f"This kind of file cannot be read. Supported are {', '.join(BY_EXTENSION)}.",
        )
    document = kind.parser(content, parts)
    document.read_as = kind.name
    document.blocks = _checked(document, document.blocks)
    return document


def _checked(document: ParsedDocument, blocks: Iterator[Block]) -> Iterator[Block]:
    is_empty = True
    for block in blocks:
        is_empty = is_empty and not block.text.strip()
        yield block
    if is_empty:
        raise _empty()
    document.title = document.title and document.title[:_MAX_TITLE]


def _empty() -> UnreadableDocument:
    return UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
