"""The function's side of the sandbox: a document is parsed by a child that may hang, grow or die."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bucketwise.errors import ParserUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from bucketwise.search import place_from_json
from ingest.parsing.document import Block, ParsedDocument
from ingest.sandbox.confinement import hide_from_children
from ingest.sandbox.wire import BrokenOff, FrameReader, Stalled

# Lambda's Python finds its own library by this; nothing else of the environment is passed on.
PASSED_ON = ("LD_LIBRARY_PATH",)
PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from ingest.sandbox.server import main
main(int(sys.argv[1]), sys.argv[3])
"""
LAST_WORDS = {"end", "problem", "lost", "unconfined"}  # of one of them, a child's last frame has the name
ANSWER_SECONDS = 30.0  # for the server to load the parsers, and to fork


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Of one document's child: seconds without a word from it, of its processor time, bytes of its memory, and of what
    it may send."""

    stall_seconds: float = 30.0
    cpu_seconds: int = 120
    memory_bytes: int = 1536 << 20
    output_bytes: int = 400 << 20


class Sandbox:
    """Parses one document at a time, with the function ``parse`` of the module ``parser``.

    Its server is started on first use, and again after it was lost.
    """

    def __init__(self, limits: SandboxLimits, parser: str = "ingest.parsing") -> None:
        self._limits = limits
        self._parser = parser
        self._server: _Server | None = None
        self.lost_children = 0
        self.hung_children = 0  # of those that were lost

    @contextmanager
    def parse(self, path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
        """The document, whose blocks are parsed while they are read; the child ends with the block.

        Raises UnreadableDocument also for a file that makes its child hang, grow or crash, and ParserUnavailable,
        worth another try, if no child could be had.
        """
        server = self._running_server()
        try:
            child = server.start(self._limits, path, key, content_type)
        except OSError as error:
            self.close()
            raise ParserUnavailable(f"the parsers' process did not answer ({type(error).__name__})") from None
        try:
            yield self._document(child)
        finally:
            child.stop()
            if not server.settle():
                self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _running_server(self) -> "_Server":
        if self._server is None:
            hide_from_children()
            self._server = _Server(self._parser)
        return self._server

    def _document(self, child: "_Child") -> ParsedDocument:
        head = self._next(child)
        document = ParsedDocument(
            blocks=iter(()), separator=head["separator"], markdown=head["markdown"], most_tokens=head["most_tokens"]
        )
        document.blocks = self._blocks(child, document)
        return document

    def _blocks(self, child: "_Child", document: ParsedDocument) -> Iterator[Block]:
        while "end" not in (frame := self._next(child)):
            yield Block(frame["text"], place_from_json(frame["place"]))
        for name, value in frame["end"].items():
            setattr(document, name, value)

    def _next(self, child: "_Child") -> dict[str, Any]:
        try:
            frame = child.reader.next()
        except Stalled:
            self.lost_children += 1
            self.hung_children += 1
            raise _too_complex(f"more than {self._limits.stall_seconds:.0f} seconds for one part") from None
        except BrokenOff:
            self.lost_children += 1
            raise child.reason_of_death() from None
        child.said_all = not frame.keys().isdisjoint(LAST_WORDS)
        if child.reader.received > self._limits.output_bytes:
            raise _too_complex(f"more than {self._limits.output_bytes:,} bytes for its text")
        if "problem" in frame:
            raise UnreadableDocument(FailureReason(frame["problem"]), frame["hint"])
        if "unconfined" in frame:  # says nothing of the document
            raise ParserUnavailable(f"a parsing process could not be confined ({frame['unconfined']})")
        if "lost" in frame:
            self.lost_children += 1
            raise _crashed(frame["lost"])
        return frame


@dataclass(slots=True)
class _Child:
    server: "_Server"
    process_id: int
    reader: FrameReader
    said_all: bool = False

    def stop(self) -> None:
        """Ends a child that has more to say. One that has ended is left alone: its process id may be another's."""
        os.close(self.reader.descriptor)
        if not self.said_all and not self.server.has_answer():
            with suppress(ProcessLookupError):  # it ended this moment
                os.kill(self.process_id, signal.SIGKILL)

    def reason_of_death(self) -> UnreadableDocument:
        status = self.server.wait()
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if killed_by in {signal.SIGXCPU, signal.SIGKILL}:
            return _too_complex("more time or memory than a document may have")
        return _crashed(signal.Signals(killed_by).name if killed_by else "it ended early")


class _Server:
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
        self._status: int | None = None

    def start(self, limits: SandboxLimits, path: Path, key: str, content_type: str | None) -> _Child:
        request = {
            "key": key,
            "content_type": content_type,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
        }
        reading, writing = os.pipe()
        with ExitStack() as undo:
            undo.callback(os.close, reading)
            try:
                with path.open("rb") as file:
                    socket.send_fds(self._socket, [json.dumps(request).encode()], [file.fileno(), writing])
            finally:
                os.close(writing)
            self._status = None
            child = _Child(self, self._answer()["child"], FrameReader(reading, limits.stall_seconds))
            undo.pop_all()  # from here on the child closes it
        return child

    def has_answer(self) -> bool:
        """Whether the server has said how the child ended, or is gone itself."""
        return self._status is not None or bool(select.select([self._socket], [], [], 0)[0]) or b"\n" in self._received

    def wait(self) -> int:
        """The wait status of the child."""
        if self._status is None:
            self._status = int(self._answer()["status"])
        return self._status

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


def _too_complex(what: str) -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_COMPLEX, f"Parsing the file takes {what}. Split it, or save it in a simpler form."
    )


def _crashed(how: str) -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, f"The parser failed over this file ({how}). Open it, save it again and upload the copy."
    )
