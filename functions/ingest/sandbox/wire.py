"""What a parsing child and the function say to each other: frames of JSON, for nothing of a child's is trusted."""

import json
import os
import select
import struct
import time
from dataclasses import dataclass, field
from typing import Any

LENGTH = struct.Struct(">I")
LARGEST_FRAME = 64_000_000  # bytes; a block is a page or a section, and may be a whole text without headings
PIECE = 1 << 16


class Stalled(Exception):
    """Nothing came for longer than a child may think."""


class BrokenOff(Exception):
    """The other side ended, or closed its end."""


class Garbled(Exception):
    """The other side sent what no child of ours says."""


def encode(message: dict[str, Any]) -> bytes:
    body = json.dumps(message, ensure_ascii=False).encode("utf-8", errors="replace")
    return LENGTH.pack(len(body)) + body


@dataclass(slots=True)
class FrameReader:
    """Reads frames from ``descriptor``. ``stall_seconds`` is how long it waits for the next bytes.

    ``received`` counts bytes, ``waited`` the seconds without any.
    """

    descriptor: int
    stall_seconds: float
    received: int = 0
    waited: float = 0.0
    _buffer: bytearray = field(default_factory=bytearray)

    def next(self) -> bytes:
        """The JSON of one message. Raises Stalled, BrokenOff or Garbled."""
        (length,) = LENGTH.unpack(self._take(LENGTH.size))
        if length > LARGEST_FRAME:
            raise Garbled
        return self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._buffer += self._receive()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _receive(self) -> bytes:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        began = time.monotonic()
        is_there = poll.poll(self.stall_seconds * 1000)
        self.waited += time.monotonic() - began
        if not is_there:
            raise Stalled
        received = os.read(self.descriptor, PIECE)
        if not received:
            raise BrokenOff
        self.received += len(received)
        return received
