"""The function's end of the fork server, and of the one child that it has at a time."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from bucketwise.models import FailureReason
from ingest.sandbox.losses import ChildLost, ended_by_exception, ended_by_signal, garbled, hung
from ingest.sandbox.messages import Failed, LastWords, Message, message
from ingest.sandbox.wire import BrokenOff, FrameReader, Garbled, Stalled

# Lambda's Python finds its own library by this; nothing else of the environment is passed on.
PASSED_ON = ("LD_LIBRARY_PATH",)
PROGRAM = """
import gc, json, sys
gc.disable()
sys.path[:] = json.loads(sys.argv[2])
from ingest.sandbox.server import main
main(int(sys.argv[1]), sys.argv[3])
"""
ANSWER_SECONDS = 30.0  # for the server to load the parsers, and to fork
DYING_SECONDS = 2.0  # for a child that has closed its end to be gone

PassedBy = Mapping[tuple[int, ...], FailureReason]
"""Parts that are not to be read, by their paths, and why."""


@dataclass(frozen=True, slots=True)
class Task:
    """A document for a child, and the child's bounds in bytes and seconds."""

    path: Path
    key: str
    content_type: str | None
    memory_bytes: int
    cpu_seconds: int
    stall_seconds: float
    passed_by: PassedBy

    def request(self) -> bytes:
        request = {
            "key": self.key,
            "content_type": self.content_type,
            "memory_bytes": self.memory_bytes,
            "cpu_seconds": self.cpu_seconds,
            "passed_by": [*self.passed_by.items()],
        }
        return json.dumps(request).encode()


@dataclass(slots=True)
class Child:
    server: "ForkServer"
    process_id: int
    memory_bytes: int
    reader: FrameReader
    _said_all: bool = False

    def next(self) -> Message:
        """Raises ChildLost, or OSError when the server is gone too."""
        try:
            said = message(self.reader.next())
        except Stalled:
            raise ChildLost(hung()) from None
        except Garbled:
            raise ChildLost(garbled()) from None
        except BrokenOff:
            if not self.server.has_answer(DYING_SECONDS):
                self._kill()
            end = self.server.wait()
            number = os.WTERMSIG(end.status) if os.WIFSIGNALED(end.status) else None
            raise ChildLost(ended_by_signal(number, memory_used=end.peak / self.memory_bytes)) from None
        self._said_all = isinstance(said, LastWords)
        if isinstance(said, Failed):
            raise ChildLost(ended_by_exception(said.lost))
        return said

    def stop(self) -> None:
        """Ends a child that has more to say. One that has ended is left alone: its process id may be another's."""
        os.close(self.reader.descriptor)
        if not self.server.has_answer(DYING_SECONDS if self._said_all else 0):
            self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # it ended this moment
            os.kill(self.process_id, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class _End:
    """A child's wait status, and the most memory that it had, in bytes."""

    status: int
    peak: int


class ForkServer:
    """The fork server's process, and the socket to it. Its methods raise OSError when it is gone."""

    def __init__(self, parser: str) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-I", "-c", PROGRAM, str(theirs.fileno()), json.dumps(sys.path), parser],
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._received = bytearray()
        self._end: _End | None = None

    def start(self, task: Task) -> Child:
        reading, writing = os.pipe()
        with ExitStack() as undo:
            undo.callback(os.close, reading)
            try:
                with task.path.open("rb") as file:
                    socket.send_fds(self._socket, [task.request()], [file.fileno(), writing])
            finally:
                os.close(writing)
            self._end = None
            reader = FrameReader(reading, task.stall_seconds)
            child = Child(self, self._answer()["child"], task.memory_bytes, reader)
            undo.pop_all()  # from here on the child closes it
        return child

    def has_answer(self, seconds: float) -> bool:
        """Whether the server says, within so many seconds, how the child ended, or is gone itself."""
        if self._end is not None or b"\n" in self._received:
            return True
        return bool(select.select([self._socket], [], [], seconds)[0])

    def wait(self) -> _End:
        """How the child ended."""
        if self._end is None:
            self._end = _End(**self._answer())
        return self._end

    def settle(self) -> bool:
        """Whether the child is gone, and the server ready for the next one."""
        try:
            self.wait()
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _answer(self) -> dict[str, int]:
        while b"\n" not in self._received:
            received = self._socket.recv(1024)
            if not received:
                raise ConnectionResetError("the parsers' process ended")
            self._received += received
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        answer: dict[str, int] = json.loads(line)
        return answer
