"""What every parser returns: the text in blocks, and where in the document each of them stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bucketwise.models import Place


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that stands at one place."""

    text: str
    place: Place


@dataclass(slots=True)
class ParsedDocument:
    """A document as text: its blocks that are not empty, joined by ``separator``.

    ``blocks`` can be read once, and reading them may raise ``UnreadableDocument``. A separator belongs to the block
    before it. ``markdown`` says whether the text is to be split as Markdown. ``most_tokens`` is an upper bound of the
    text's tokens, None where it cannot be told beforehand. The rest is complete when the blocks have been read:
    ``pages`` is known of PDF alone, ``created`` and ``modified`` are ISO 8601, as far as the file says, and ``skipped``
    names the pages or parts whose text is missing, and why. ``read_as`` is the kind of file, by its content.
    """

    blocks: Iterator[Block]
    separator: str
    markdown: bool = False
    most_tokens: int | None = None
    title: str | None = None
    pages: int | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None
    skipped: list[str] = field(default_factory=list)
    read_as: str | None = None
