"""OLE containers ([MS-CFB]): the files of Office before 2007, and of any Office when they are encrypted."""

import codecs
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from olefile import OleFileIO

from ingest.parsing.archive import corrupt, encrypted
from ingest.parsing.properties import Properties, believed
from ingest.parsing.readable import Readable

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_SUMMARY = "\x05SummaryInformation"
_CODEPAGE, _TITLE, _AUTHOR, _CREATED, _SAVED = 1, 2, 4, 12, 13
_NUMBER, _BYTES, _UTF16, _TIME = 0x02, 0x1E, 0x1F, 0x40  # types of values
_MAX_PROPERTIES = 100
_LATEST = 1 << 58  # in the year 2514

_HEADER = struct.Struct("<30x2H")  # the sizes of sectors, and of those of small streams, as powers of 2 ([MS-CFB] 2.2)
_SECTOR_SHIFTS = {6, 9, 12}

# What olefile raises over damaged files; RecursionError over directories that are nested deep or in a circle.
DAMAGES = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error, RecursionError)


@contextmanager
def open_ole(content: Readable) -> Iterator["OleFileIO[str]"]:
    """Raises ``UnreadableDocument``: corrupt, also for what its user raises of ``DAMAGES``, or encrypted."""
    with content.open("rb") as file:
        _check_sectors(file)
        try:
            with OleFileIO(file) as ole:
                if ole.exists("EncryptedPackage"):
                    raise encrypted()
                yield ole
        except DAMAGES as error:
            raise corrupt() from error


def _check_sectors(file: BinaryIO) -> None:
    """olefile reads whole sectors, of whatever size the header claims."""
    header = file.read(_HEADER.size)
    file.seek(0)
    if len(header) == _HEADER.size and not set(_HEADER.unpack(header)) <= _SECTOR_SHIFTS:
        raise corrupt()


def ole_properties(ole: "OleFileIO[str]") -> Properties:
    """None are as good as damaged ones. olefile's own reader believes whatever count is in a damaged one."""
    try:
        stored = dict(_stored(ole.openstream(_SUMMARY).read()))
    except DAMAGES:
        return Properties()
    encoding = _encoding(stored.get(_CODEPAGE))
    return believed(
        title=_decoded(stored.get(_TITLE), encoding),
        author=_decoded(stored.get(_AUTHOR), encoding),
        created=_date(stored.get(_CREATED)),
        modified=_date(stored.get(_SAVED)),
    )


def _stored(stream: bytes) -> Iterator[tuple[int, int | bytes | str]]:
    """The numbers, texts and times of the first property set, by identifier ([MS-OLEPS] 2.20 and 2.15)."""
    (start,) = struct.unpack_from("<I", stream, 44)
    (count,) = struct.unpack_from("<I", stream, start + 4)
    for identifier, offset in struct.iter_unpack("<2I", stream[start + 8 :][: 8 * min(count, _MAX_PROPERTIES)]):
        position = start + offset
        kind, value = struct.unpack_from("<2I", stream, position)
        if kind == _NUMBER:
            yield identifier, value & 0xFFFF
        elif kind == _BYTES:
            yield identifier, stream[position + 8 :][:value]
        elif kind == _UTF16:
            yield identifier, stream[position + 8 :][: 2 * value].decode("utf-16-le", errors="replace")
        elif kind == _TIME:
            yield identifier, struct.unpack_from("<Q", stream, position + 4)[0]


def _encoding(codepage: object) -> str:
    try:
        return codecs.lookup(f"cp{codepage}").name
    except LookupError:
        return "utf-8"


def _decoded(stored: object, encoding: str) -> str | None:
    text = stored.decode(encoding, errors="replace") if isinstance(stored, bytes) else stored
    return text.partition("\0")[0] if isinstance(text, str) else None


def _date(stored: object) -> str | None:
    """Of a count of 100 ns since 1601; 0 stands for no time."""
    if not isinstance(stored, int) or not 0 < stored < _LATEST:
        return None
    return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=stored // 10)).isoformat()
