"""Zip archives: every file within is a part, parsed as what it is."""

from collections.abc import Iterator
from functools import partial

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import Archive, encrypted, open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import Parts
from ingest.parsing.readable import Readable

_NOT_OF_ITS_AUTHOR = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")  # what systems put in by themselves


def parse_zip(content: Readable, parts: Parts) -> ParsedDocument:
    """The files' texts in the archive's order. What cannot be read is named as skipped.

    Raises ``UnreadableDocument`` as ``Archive`` does, and unsupported or encrypted when no file can be read.
    """
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = _blocks(content, parts, parsed)
    return parsed


def _blocks(content: Readable, parts: Parts, parsed: ParsedDocument) -> Iterator[Block]:
    is_any = False
    with open_archive(content) as archive:
        names = [name for name in archive.names if not _is_of_a_system(name)]
        for name in names:
            read = partial(archive.read, name)
            for block in parts.blocks(read, name=_as_utf8(name), content_type=None, into=parsed):
                is_any = True
                yield block
        if names and not is_any:
            raise _none_readable(archive, names)


def _is_of_a_system(name: str) -> bool:
    plain = name.lower()
    return plain.startswith(_NOT_OF_ITS_AUTHOR[0]) or plain.rpartition("/")[2] in _NOT_OF_ITS_AUTHOR


def _as_utf8(name: str) -> str:
    """Some programs store names as UTF-8 and do not say so; zipfile then reads them as code page 437."""
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _none_readable(archive: Archive, names: list[str]) -> UnreadableDocument:
    if all(map(archive.is_encrypted, names)):
        return encrypted()
    return UnreadableDocument(
        FailureReason.UNSUPPORTED, "None of the files in the archive can be read. Upload them one by one to see why."
    )
