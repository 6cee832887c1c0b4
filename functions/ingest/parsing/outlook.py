"""Mails as Outlook stores them ([MS-OXMSG])."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from olefile import STGTY_STORAGE, STGTY_STREAM, OleFileIO

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import corrupt
from ingest.parsing.compressed_rtf import decompressed
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.html import character_set
from ingest.parsing.mail import (
    Attachment,
    Mail,
    better_body,
    html_body,
    mail_blocks,
    mail_document,
    plain_body,
    stored_body,
)
from ingest.parsing.ole import open_ole
from ingest.parsing.parts import Parts
from ingest.parsing.readable import Readable
from ingest.parsing.rtf import rtf_text
from ingest.parsing.text import clean

# Properties of [MS-OXPROPS], by the numbers that the names of their streams hold.
_CLASS, _SUBJECT, _BODY, _RTF, _HTML = "001A", "0037", "1000", "1009", "1013"
_SENDER, _SENDER_ADDRESS, _TO, _CC = "0C1A", ("5D01", "0C1F"), "0E04", "0E03"
_DATA, _NAMES, _KIND, _CONTENT_ID = "3701", ("3707", "3704", "3001"), "370E", "3712"
_UNICODE, _ANSI, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
# And those that stand in a stream together, with their types.
_TIMES = (0x00390040, 0x0E060040, 0x30070040)  # sent, delivered, made
_CODE_PAGES = (0x3FFD0003, 0x3FDE0003)
_PROPERTIES = "__properties_version1.0"
_ENTRY = struct.Struct("<IIQ")
_HEADER_SIZE, _HEADER_SIZE_WITHIN = 32, 24  # bytes before the entries, of a mail in a file and of one in another

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ATTACHED = "__attach_version1.0_"
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg")


def is_msg(ole: "OleFileIO[str]") -> bool:
    return _Storage(ole).has(_PROPERTIES)


def parse_msg(content: Readable, parts: Parts) -> ParsedDocument:
    """The text in its plain form if there is one, then the attachments.

    Raises ``UnreadableDocument``: corrupt, or encrypted.
    """
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = _blocks(content, parts, parsed)
    return parsed


def _blocks(content: Readable, parts: Parts, parsed: ParsedDocument) -> Iterator[Block]:
    with open_ole(content) as ole:
        if not is_msg(ole):
            raise corrupt()
        yield from mail_blocks(_mail(_Storage(ole)), parts, parsed)


@dataclass(frozen=True, slots=True)
class _Storage:
    """A folder of the container: a mail, or one of its attachments."""

    ole: "OleFileIO[str]"
    path: tuple[str, ...] = ()

    def has(self, name: str, kind: int = STGTY_STREAM) -> bool:
        return bool(self.ole.get_type([*self.path, name]) == kind)

    def within(self, name: str) -> "_Storage":
        return _Storage(self.ole, (*self.path, name))

    def names(self) -> list[str]:
        """Of the storages within."""
        found = self.ole.listdir(streams=False, storages=True)
        return [entry[-1] for entry in found if tuple(entry[:-1]) == self.path]

    def stream(self, name: str) -> bytes:
        if not self.has(name):
            return b""
        with self.ole.openstream([*self.path, name]) as stream:
            content: bytes = stream.read()
        return content

    def binary(self, number: str) -> bytes:
        return self.stream(f"__substg1.0_{number}{_BINARY}")

    def text(self, *numbers: str, encoding: str = "cp1252") -> str:
        """The first of some properties that is not empty; ``encoding`` is that of old mails."""
        for number in numbers:
            text = self.stream(f"__substg1.0_{number}{_UNICODE}").decode("utf-16-le", errors="replace")
            text = text or self.stream(f"__substg1.0_{number}{_ANSI}").decode(encoding, errors="replace")
            if text.strip("\0 "):
                return clean(text.rstrip("\0"))
        return ""

    def numbers(self) -> dict[int, int]:
        """The values of the properties that are numbers or times, by number and type."""
        stored = self.stream(_PROPERTIES)
        start = _HEADER_SIZE_WITHIN if self.path else _HEADER_SIZE
        end = start + (len(stored) - start) // _ENTRY.size * _ENTRY.size
        return {tag: value for tag, _, value in _ENTRY.iter_unpack(stored[start:end])} if end > start else {}


def _mail(message: _Storage) -> Mail:
    numbers = message.numbers()
    encoding = _encoding(numbers)
    sender, address = (message.text(*names, encoding=encoding) for names in ((_SENDER,), _SENDER_ADDRESS))
    created = _time(numbers)
    if "@" in address and address not in sender:
        sender = f"{sender} <{address}>" if sender else address
    mail = Mail(
        subject=message.text(_SUBJECT, encoding=encoding),
        sender=sender,
        headers=[
            ("From", sender),
            ("To", message.text(_TO, encoding=encoding)),
            ("Cc", message.text(_CC, encoding=encoding)),
            ("Date", created or ""),
        ],
        created=created,
        body=_body(message, encoding),
        attachments=[
            attachment
            for name in sorted(message.names())
            if name.startswith(_ATTACHED) and (attachment := _attachment(message.within(name), encoding))
        ],
    )
    if not mail.body and "SMIME" in message.text(_CLASS).upper():
        raise UnreadableDocument(FailureReason.ENCRYPTED, "The mail is encrypted or sealed. Save it decrypted.")
    return mail


def _body(message: _Storage, encoding: str) -> list[Block]:
    html = message.binary(_HTML).rstrip(b"\0")
    rich = stored_body(html, is_html=True) if html else html_body(message.text(_HTML, encoding=encoding))
    body = better_body(plain_body(message.text(_BODY, encoding=encoding)), rich)
    if body:
        return body
    source = decompressed(message.binary(_RTF))
    return plain_body(rtf_text(source)) if source else []


def _attachment(storage: _Storage, encoding: str) -> Attachment | None:
    """None for a picture that belongs to the text."""
    name = storage.text(*_NAMES, encoding=encoding) or storage.path[-1].removeprefix(_ATTACHED)
    inner = f"__substg1.0_{_DATA}{_OBJECT}"
    if storage.has(inner, STGTY_STORAGE) and storage.within(inner).has(_PROPERTIES):
        return Attachment(name, None, parse=partial(_document, storage.within(inner)))
    if storage.text(_CONTENT_ID, encoding=encoding) and name.lower().endswith(_PICTURES):
        return None
    return Attachment(name, storage.text(_KIND, encoding=encoding) or None, read=partial(storage.binary, _DATA))


def _document(message: _Storage, parts: Parts) -> ParsedDocument:
    return mail_document(_mail(message), parts)


def _encoding(numbers: dict[int, int]) -> str:
    for tag in _CODE_PAGES:
        page = numbers.get(tag, 0) & 0xFFFFFFFF
        found = character_set("utf-8" if page == 65001 else f"cp{page}")
        if found:
            return found
    return "cp1252"


def _time(numbers: dict[int, int]) -> str | None:
    """Stored in tenths of a microsecond since 1601."""
    stored = next((numbers[tag] for tag in _TIMES if numbers.get(tag)), None)
    with suppress(OverflowError):
        return (_EPOCH + timedelta(microseconds=stored // 10)).isoformat(timespec="seconds") if stored else None
    return None
