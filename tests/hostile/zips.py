"""Archives: bombs, lies and names that lead elsewhere."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.unit.make_office import zipped

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
ENCRYPTED = 1
GOOD = "The ferry leaves at noon."


@dataclass(frozen=True, slots=True)
class Member:
    """As the archive describes it, which need not be what it is. ``offset`` is that of another member's header."""

    name: bytes
    packed: bytes = b""
    size: int = 0
    method: int = DEFLATED
    flags: int = 0
    attributes: int = 0
    offset: int | None = None

    @property
    def checksum(self) -> int:
        """Right, but for what is cut off before its end."""
        if self.method == STORED:
            return zlib.crc32(self.packed)
        return zlib.crc32(bytes(self.size)) if self.size < 16 << 20 else 0


def zip_of(*members: Member, before: bytes = b"", count: int | None = None) -> bytes:
    body, directory = bytearray(before), bytearray()
    for member in members:
        sizes = struct.pack("<3I2H", member.checksum, len(member.packed), member.size, len(member.name), 0)
        offset = len(body) if member.offset is None else member.offset
        if member.offset is None:
            body += struct.pack("<4s5H", b"PK\3\4", 20, member.flags, member.method, 0, 0)
            body += sizes + member.name + member.packed
        directory += struct.pack("<4s6H", b"PK\1\2", 20, 20, member.flags, member.method, 0, 0)
        directory += sizes + struct.pack("<3H2I", 0, 0, 0, member.attributes, offset) + member.name
    total = len(members) if count is None else count
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, total, total, len(directory), len(body), 0)
    return bytes(body + directory + end)


def zeros(megabytes: int) -> bytes:
    """So many of them, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes + b"\3\0"


def within(depth: int, copies: int = 1) -> bytes:
    content = zipped({"a.txt": GOOD})
    for _ in range(depth):
        content = zipped({f"{number}.zip": content for number in range(copies)})
    return content


def stored(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def files() -> Iterator[HostileFile]:
    good = Member(b"good.txt", GOOD.encode(), len(GOOD), STORED)
    bomb = Member(b"bomb.txt", zeros(1000), 1000 << 20)
    yield hostile("bomb.zip", zip_of(bomb), "unsupported")
    yield hostile("bomb-and-text.zip", zip_of(bomb, good), PARTIAL)
    yield hostile("bomb-that-claims-ten-bytes.zip", zip_of(Member(b"bomb.txt", zeros(100), 10), good), PARTIAL)
    nine = Member(b"", zeros(9), 9 << 20)
    yield hostile("many-bombs.zip", zip_of(*[replace(nine, name=b"%d.txt" % n) for n in range(50)], good), PARTIAL)
    yield hostile("bzip2.zip", zip_of(Member(b"bomb.txt", b"BZh9" * 20, 1 << 30, BZIP2), good), PARTIAL)
    yield hostile(
        "lzma.zip", zip_of(Member(b"bomb.txt", b"\x09\x04\x05\0]\0\0\0\xff" * 9, 1 << 30, LZMA)), "unsupported"
    )
    yield hostile("deep.zip", within(40), "unsupported")
    yield hostile("wide-and-deep.zip", within(4, copies=8), "unsupported")
    yield hostile("wide.zip", within(2, copies=30), INDEXED)
    first = Member(b"0.txt", zeros(1), 1 << 20)
    overlapping = [replace(first, name=b"%d.txt" % n, offset=0) for n in range(3000)]
    yield hostile("overlapping.zip", zip_of(first, *overlapping), "unsupported")
    twice = Member(b"a.txt", good.packed, good.size, STORED)
    yield hostile("one-name-a-thousand-times.zip", zip_of(*[twice] * 1000), INDEXED)
    yield hostile("empty-files.zip", zip_of(*[Member(b"%d" % n, method=STORED) for n in range(60_000)]), "too_complex")
    yield hostile("count-lies.zip", zip_of(good, count=65_535), INDEXED, "corrupt")
    names = (b"../../etc/passwd.txt", b"/etc/shadow.txt", b"C:\\boot.txt", b"a\0b.txt", b"\xff\xfe.txt", b"x" * 60_000)
    members = [Member(name, good.packed, good.size, STORED) for name in names]
    yield hostile("names-that-lead-elsewhere.zip", zip_of(*members), INDEXED)
    link = Member(b"link.txt", b"/etc/passwd", 11, STORED, attributes=0o120777 << 16)
    yield hostile("link.zip", zip_of(link), INDEXED)
    sealed = Member(b"a.txt", b"x" * 40, 28, STORED, flags=ENCRYPTED)
    yield hostile("encrypted.zip", zip_of(sealed), "encrypted")
    yield hostile("encrypted-in-part.zip", zip_of(sealed, good), PARTIAL)
    yield hostile("no-members.zip", zip_of(), "empty", "unsupported")
    far = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 1 << 60, 1 << 60)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    ending = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    yield hostile("far-directory.zip", b"PK\3\4" + far + locator + ending, "corrupt", "too_complex")
    yield hostile("program-before-it.zip", zip_of(good, before=b"PK\3\4" + b"#!/bin/sh\n" * 9), INDEXED, "corrupt")
