"""Real archives, mails and mailboxes, whose other parts are deeds of the hostile parser."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.eml import parse_eml
from ingest.parsing.mbox import parse_mbox
from ingest.parsing.parts import Parts, Watch
from ingest.parsing.readable import Readable
from ingest.parsing.zip_archive import parse_zip
from tests.integration.sandbox.hostile_parser import DEEDS

CONTAINERS: dict[str, Callable[[Readable, Parts], ParsedDocument]] = {
    ".zip": parse_zip,
    ".eml": parse_eml,
    ".mbox": parse_mbox,
}


def parse(path: Path, *, key: str, content_type: str | None, watch: Watch) -> ParsedDocument:
    return _parse_part(path, key, content_type, Parts(_parse_part, watch))


def _parse_part(content: Readable, name: str, _content_type: str | None, parts: Parts) -> ParsedDocument:
    suffix = PurePosixPath(name).suffix
    if suffix == ".outer":
        return _crashing_between(content, parts)
    container = CONTAINERS.get(suffix)
    if container is not None:
        return container(content, parts)
    return ParsedDocument(_blocks(content.read_bytes().decode().split()), separator="|")


def _crashing_between(content: Readable, parts: Parts) -> ParsedDocument:
    """A container that reads its one part, and then crashes outside of it."""
    parsed = ParsedDocument(iter(()), separator="")

    def blocks() -> Iterator[Block]:
        yield from parts.blocks(content.read_bytes, name="a.txt", content_type=None, into=parsed)
        yield Block(DEEDS["crash"](), Place())

    parsed.blocks = blocks()
    return parsed


def _blocks(words: list[str]) -> Iterator[Block]:
    for number, word in enumerate(words, start=1):
        yield Block(DEEDS[word]() if word in DEEDS else word, Place(page=number))
