"""Zip files read member by member and in memory, within bounds that hold whatever the file claims."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.readable import Readable

MAX_MEMBERS = 20_000
"""Beyond the largest books and presentations, whose pictures are members of their own."""

MAX_MEMBER_BYTES = 200 << 20
"""Unpacked. The text of a member that large is many thousands of pages."""

MAX_TOTAL_BYTES = 400 << 20
"""Unpacked, of all that is read of one file."""

MAX_RATIO = 250
"""Of unpacked to packed size. Regular tables reach a hundred; bombs come near deflate's limit of 1,032."""

_RATIO_COUNTS_FROM = 10 << 20  # bytes unpacked: a small member of blanks may shrink to any share
_MAX_DIRECTORY_BYTES = 8 << 20  # for MAX_MEMBERS with names of 350 bytes; zipfile makes objects of all of it
_BUFFER_BYTES = 1 << 16
_ENCRYPTED_FLAG = 0x1
# bz2 and LZMA, which zipfile knows too, unpack a few bytes to any size at once.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# zipfile raises NotImplementedError for a version of the format, or an encryption, that it does not know.
_DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, ValueError)


class Archive:
    """An open zip file. Nothing is unpacked to a disk, so where the members' names point to does not matter.

    A name that occurs twice stands for the last of its members. Names are found also in another case or with
    backslashes, which some programs write. All raise ``UnreadableDocument``: corrupt (also for a name that is
    missing), encrypted, unsupported, too_large or too_complex.
    """

    def __init__(self, file: zipfile.ZipFile) -> None:
        members = [member for member in file.infolist() if member.filename and not member.filename.endswith("/")]
        if len(members) > MAX_MEMBERS:
            raise _too_complex(f"more than {MAX_MEMBERS:,} files")
        self._file = file
        self._members = {_plain(member.filename): member for member in members}
        self._bytes_left = MAX_TOTAL_BYTES

    @property
    def names(self) -> list[str]:
        """Of all files within, in the order of the archive's directory."""
        return [member.filename for member in self._members.values()]

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._members

    def size(self, name: str) -> int:
        """Bytes unpacked, as the archive claims; no more are read."""
        return self._member(name).file_size

    def is_encrypted(self, name: str) -> bool:
        return bool(self._member(name).flag_bits & _ENCRYPTED_FLAG)

    @contextmanager
    def open(self, name: str, *, most: int = MAX_MEMBER_BYTES) -> Iterator[BinaryIO]:
        """A stream of the member's bytes. One that has more than ``most`` is too large."""
        member = self._member(name)
        if self.is_encrypted(name):
            raise encrypted()
        if member.compress_type not in _METHODS:
            raise UnreadableDocument(
                FailureReason.UNSUPPORTED, "The archive is packed in a rare way. Pack it again with deflate."
            )
        if member.file_size > min(most, self._bytes_left):
            raise _too_large()
        with _damage_translated():
            stream = self._file.open(member)
        with stream, io.BufferedReader(_Counted(self, stream, member), _BUFFER_BYTES) as reader:
            yield reader

    def read(self, name: str, *, most: int = MAX_MEMBER_BYTES) -> bytes:
        with self.open(name, most=most) as stream:
            return stream.read()

    def spend(self, count: int) -> None:
        """Take bytes that were unpacked off what may be."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise _too_large()

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(_plain(name))
        if member is None:
            raise corrupt()
        return member


@contextmanager
def open_archive(content: Readable) -> Iterator[Archive]:
    """Raises ``UnreadableDocument`` as ``Archive`` does."""
    with content.open("rb") as file:
        with _damage_translated():
            opened = zipfile.ZipFile(_OfBoundedDirectory(file))
        with opened:
            yield Archive(opened)


def corrupt() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, "The file is damaged or incomplete. Open it, save it again and upload the copy."
    )


def encrypted() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.ENCRYPTED, "The file needs a password. Save it without one and upload it again."
    )


class _OfBoundedDirectory:
    """A file as zipfile reads it. The archive's directory is the only thing that it reads in one large piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_DIRECTORY_BYTES:
            raise _too_complex("too long a list of files")
        return self._file.read(size)


class _Counted(io.RawIOBase):
    """A member's bytes, counted as they are unpacked."""

    def __init__(self, archive: Archive, stream: IO[bytes], member: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._stream = stream
        self._most = max(_RATIO_COUNTS_FROM, member.compress_size * MAX_RATIO)
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io's own buffers are memoryviews
        with _damage_translated():
            piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self._archive.spend(len(piece))
        self._unpacked += len(piece)
        if self._unpacked > self._most:
            raise _too_complex(f"parts that grow more than {MAX_RATIO} times when unpacked")
        return len(piece)


@contextmanager
def _damage_translated() -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise corrupt() from error


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _too_large() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_LARGE,
        f"The file unpacks to more than {MAX_MEMBER_BYTES >> 20} MB in one part or {MAX_TOTAL_BYTES >> 20} MB in all."
        " Split it into several files.",
    )


def _too_complex(what: str) -> UnreadableDocument:
    return UnreadableDocument(FailureReason.TOO_COMPLEX, f"The file holds {what}. Save it in a simpler form.")
