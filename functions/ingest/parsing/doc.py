"""Word documents of 1997 to 2003 (doc): their text, without styles. The form is that of [MS-DOC]."""

import re
import struct
from collections.abc import Iterator
from itertools import accumulate, pairwise

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import corrupt, encrypted
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.ole import ole_properties, open_ole
from ingest.parsing.readable import Readable
from ingest.parsing.sections import Sections

# Of the file information block (2.5), at the beginning of the stream WordDocument.
_FIB_BYTES = 0x1AA
_WORD_97 = 0xA5EC
_TEXT_LENGTHS, _CLX = 0x4C, 0x1A2
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200

_FORMATTING, _PIECES = 1, 2
_IS_8_BIT = 1 << 30
_FIELD_MARKS = re.compile("([\x13\x14\x15])")
_CHARACTERS = str.maketrans({"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x0e": "\n", "\x1e": "-", "\x1f": None})
_MAX_FIELDS = 100  # within one another
_CELL_END, _ROW_END = "\x07", "\x07\x07"


def parse_doc(content: Readable) -> ParsedDocument:
    """Paragraph by paragraph; a table's row is a line. Notes, text boxes and headers follow the main text.

    Raises ``UnreadableDocument``: corrupt, encrypted, or unsupported for what is older than Word 97.
    """
    parsed = ParsedDocument(iter(()), separator="\n\n")
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    with open_ole(content) as ole:
        ole_properties(ole).write_to(parsed)
        word = ole.openstream("WordDocument").read()
        flags = _flags(word)
        table = ole.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
        text = "".join(_pieces(word, table))
        stories = _stories(text, struct.unpack_from("<8I", word, _TEXT_LENGTHS))
    sections = Sections()
    for paragraph in stories:
        sections.paragraph(paragraph)
        yield from sections.complete()
    yield from sections.rest()


def _flags(word: bytes) -> int:
    """Refuses what cannot be read."""
    if len(word) < _FIB_BYTES:
        raise corrupt()
    magic, flags = struct.unpack_from("<H8xH", word)
    if magic != _WORD_97:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED, "The document is of a Word older than Word 97. Save it as docx and upload that."
        )
    if flags & _ENCRYPTED:
        raise encrypted()
    return int(flags)


def _pieces(word: bytes, table: bytes) -> Iterator[str]:
    """The text in its order, from where each piece of it was saved (2.9.177 Pcdt)."""
    start, size = struct.unpack_from("<2I", word, _CLX)
    clx = table[start : start + size]
    position = 0
    while clx[position] == _FORMATTING:
        position += 3 + int(struct.unpack_from("<H", clx, position + 1)[0])
    if clx[position] != _PIECES:
        raise corrupt()
    count = (struct.unpack_from("<I", clx, position + 1)[0] - 4) // 12
    bounds = struct.unpack_from(f"<{count + 1}I", clx, position + 5)
    if bounds[-1] > len(word) or any(end < start for start, end in pairwise(bounds)):
        raise corrupt()  # no text is longer than the stream that it is in
    places = struct.iter_unpack("<2xI2x", clx[position + 5 + 4 * (count + 1) :][: 8 * count])
    for (start, end), (place,) in zip(pairwise(bounds), places, strict=True):
        if place & _IS_8_BIT:
            begin = (place & ~_IS_8_BIT) // 2
            yield word[begin : begin + end - start].decode("cp1252", errors="replace")
        else:
            yield word[place : place + 2 * (end - start)].decode("utf-16-le", errors="replace")


def _stories(text: str, lengths: tuple[int, ...]) -> Iterator[str]:
    """The paragraphs of the main text, then of notes and text boxes, then the headers and footers, each once."""
    ends = list(accumulate(lengths))
    main, footnotes, margins, _, _, endnotes, boxes, _ = (
        text[end - length : end] for end, length in zip(ends, lengths, strict=True)
    )
    for story in (main, footnotes, endnotes, boxes):
        yield from _paragraphs(story)
    yield from dict.fromkeys(filter(lambda text: any(map(str.isalpha, text)), _paragraphs(margins)))


def _paragraphs(story: str) -> list[str]:
    shown = "".join(_without_field_codes(story)).translate(_CHARACTERS)
    return shown.replace(_ROW_END, "\n").replace(_CELL_END, " | ").split("\n")


def _without_field_codes(text: str) -> Iterator[str]:
    """A field is its code between the marks 13 and 14, and its result up to the mark 15; fields hold fields."""
    in_code: list[bool] = []
    for piece in _FIELD_MARKS.split(text):
        if piece == "\x13":
            in_code.append(True)
        elif piece == "\x14" and in_code:
            in_code[-1] = False
        elif piece == "\x15" and in_code:
            in_code.pop()
        elif len(in_code) > _MAX_FIELDS:
            raise corrupt()
        elif not any(in_code):
            yield piece
