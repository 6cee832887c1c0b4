"""What must hold of a parser, whatever it is given: it refuses, or gives a document that is as it should be."""

import io
import json
import zipfile
import zlib
from pathlib import PurePosixPath

from bucketwise.errors import UnreadableDocument
from bucketwise.marks import place_to_json
from ingest.parsing.document import ParsedDocument
from ingest.parsing.kinds import BY_EXTENSION, KINDS
from ingest.parsing.parts import Parts
from ingest.parsing.readable import InMemory, Readable
from tests.hostile.samples import SAMPLES

ZIP_MAGIC = b"PK\3\4"
PARSERS = {kind.name: kind.parser for kind in KINDS}


def try_parser(kind: str, content: bytes) -> None:
    """Raises what the parser raises, but for UnreadableDocument, and AssertionError for a document that is none."""
    try:
        document = PARSERS[kind](InMemory(content), Parts(_parse_part))
        for block in document.blocks:
            _check(block.text)
            _check(json.dumps(place_to_json(block.place), ensure_ascii=False))
    except UnreadableDocument:
        return
    for text in (document.title, document.author, document.created, document.modified, *document.skipped):
        _check(text or "")


def _check(text: str) -> None:
    assert "\0" not in text
    text.encode()  # no half characters


def _parse_part(content: Readable, name: str, _content_type: str | None, parts: Parts) -> ParsedDocument:
    kind = BY_EXTENSION.get(PurePosixPath(name).suffix.lower()) or BY_EXTENSION[".txt"]
    return kind.parser(content, parts)


def members_of(content: bytes) -> dict[str, bytes]:
    """Of a zip file; nothing of what is none. Bytes changed within packed ones are only found to be damaged."""
    if not content.startswith(ZIP_MAGIC):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist() if info.file_size < 1 << 20}
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error):
        return {}


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def sample_of(kind: str) -> bytes:
    return SAMPLES[kind].content
