"""What parsers read: a file, or a part of a document that is held in memory."""

import os
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Literal, Protocol


class Readable(Protocol):
    """Bytes that can be read again and again. A ``pathlib.Path`` is one."""

    def open(self, mode: Literal["rb"]) -> BinaryIO: ...
    def read_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """A part of a document: a sandboxed parser can write no file to pass on to another."""

    content: bytes

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002  # as a Path is opened
        return BytesIO(self.content)

    def read_bytes(self) -> bytes:
        return self.content


def size_of(content: Readable) -> int:
    with content.open("rb") as file:
        return file.seek(0, os.SEEK_END)
