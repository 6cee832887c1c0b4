"""Calendars and contacts (RFC 5545 and 6350): their lines as text, an event or a contact to a block."""

import re
from collections.abc import Iterator

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile

_MAX_LINE = 1 << 16  # characters; lines are to be folded at 75
_BLOCK_CHARACTERS = 1 << 13
_MAX_VALUE = 1 << 20  # characters of a line that was folded
_DATA = re.compile(r"[A-Z-]{1,40};[^:]{0,200}(?:ENCODING=B|BASE64)|[A-Z-]{1,40}:data:", re.IGNORECASE)  # a picture
_ESCAPED = re.compile(r"\\([nN,;\\])")


def parse_calendar(content: Readable) -> ParsedDocument:
    """Lines that were folded are whole again, and what was escaped in them is plain."""
    text = TextFile.survey(content)
    return ParsedDocument(_blocks(text), separator="\n\n", most_tokens=text.most_tokens)


def _blocks(text: TextFile) -> Iterator[Block]:
    held: list[str] = []
    size = 0
    for line in _unfolded(text):
        if line.upper().startswith("BEGIN:") or size > _BLOCK_CHARACTERS:
            yield Block("\n".join(held), Place())
            held, size = [], 0
        if not _DATA.match(line):
            held.append(_ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], line))
            size += len(line)
    yield Block("\n".join(held), Place())


def _unfolded(text: TextFile) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for line in text.lines(most_characters=_MAX_LINE):
        if held and (not line.startswith((" ", "\t")) or size > _MAX_VALUE):
            yield "".join(held)
            held, size = [], 0
        held.append(line.rstrip("\r\n")[1 if held else 0 :])
        size += len(line)
    yield "".join(held)
