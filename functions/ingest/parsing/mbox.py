"""Mailboxes in mbox form: mails one after the other, each behind a line that begins with "From "."""

import re
from collections.abc import Iterator
from functools import partial

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.eml import parse_eml
from ingest.parsing.parts import Parts
from ingest.parsing.readable import InMemory, Readable

MAX_MESSAGE_BYTES = 100 << 20
"""Of one mail, which is held in memory."""

_MAX_LINE = 1 << 20  # bytes
_BEGINNING = b"From "
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def parse_mbox(content: Readable, parts: Parts) -> ParsedDocument:
    """Each mail as a part. Raises ``UnreadableDocument`` (corrupt) if there is none."""
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = _blocks(content, parts, parsed)
    return parsed


def _blocks(content: Readable, parts: Parts, parsed: ParsedDocument) -> Iterator[Block]:
    number = 0
    for number, raw in enumerate(_messages(content), start=1):
        message = InMemory(_QUOTED.sub(rb"\1", raw))
        yield from parts.blocks_of(partial(parse_eml, message), name=f"message {number}", into=parsed)
    if not number:
        raise UnreadableDocument(FailureReason.CORRUPT, "The file holds no mails. Export the mailbox again as mbox.")


def _messages(content: Readable) -> Iterator[bytes]:
    held = bytearray()
    is_within, is_after_gap = False, True
    with content.open("rb") as file:
        while line := file.readline(_MAX_LINE):
            if is_after_gap and line.startswith(_BEGINNING):
                if is_within:
                    yield bytes(held)
                held.clear()
                is_within = True
            elif is_within:
                held += line
                if len(held) > MAX_MESSAGE_BYTES:
                    raise UnreadableDocument(
                        FailureReason.TOO_LARGE, f"A mail in the mailbox has more than {MAX_MESSAGE_BYTES >> 20} MB."
                    )
            is_after_gap = not line.strip()
    if is_within:
        yield bytes(held)
