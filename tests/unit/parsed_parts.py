"""Parsers called one by one, and documents whose parts are parsed by some of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.delimited import parse_csv
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.eml import parse_eml
from ingest.parsing.html import parse_html
from ingest.parsing.parts import Parts
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.readable import InMemory, Readable
from ingest.parsing.text import parse_text
from ingest.parsing.zip_archive import parse_zip

Parser = Callable[[Readable], ParsedDocument]
Container = Callable[[Readable, Parts], ParsedDocument]

PARSERS: dict[str, Parser] = {".txt": parse_text, ".html": parse_html, ".csv": parse_csv, ".pdf": parse_pdf}
CONTAINERS: dict[str, Container] = {".zip": parse_zip, ".eml": parse_eml}


@dataclass(frozen=True, slots=True)
class Reading:
    """A document that was read to its end."""

    document: ParsedDocument
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        return self.document.separator.join(block.text for block in self.blocks)

    @property
    def lines(self) -> list[str]:
        """Without the empty ones."""
        return [line for line in self.text.split("\n") if line.strip()]

    @property
    def headings(self) -> list[tuple[str, ...]]:
        """Each once, of blocks that hold more than white space."""
        return list(dict.fromkeys(block.place.heading for block in self.blocks if block.text.strip()))

    def place_of(self, words: str) -> Place:
        return next(block.place for block in self.blocks if words in block.text)


def read(parser: Parser, content: bytes | str) -> Reading:
    document = parser(InMemory(content.encode() if isinstance(content, str) else content))
    return Reading(document, tuple(document.blocks))


def read_container(parser: Container, content: bytes) -> Reading:
    return read(lambda readable: parser(readable, parts()), content)


def refusal(parser: Parser, content: bytes | str) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(parser, content)
    assert caught.value.hint
    return caught.value.reason


def refusal_of_container(parser: Container, content: bytes) -> FailureReason:
    return refusal(lambda readable: parser(readable, parts()), content)


def parts() -> Parts:
    return Parts(_parse)


def _parse(content: Readable, name: str, content_type: str | None, inner: Parts) -> ParsedDocument:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in CONTAINERS:
        return CONTAINERS[suffix](content, inner)
    if suffix in PARSERS or content_type == "text/plain":
        return PARSERS.get(suffix, parse_text)(content)
    raise UnreadableDocument(FailureReason.UNSUPPORTED, "not one of this test's kinds")
