"""The function's side of the sandbox: a document is parsed by a child that may hang, grow or die."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bucketwise.errors import ParserUnavailable
from ingest.parsing.document import ParsedDocument
from ingest.sandbox.confinement import hide_from_children
from ingest.sandbox.fork_server import Child, ForkServer, PassedBy, Task
from ingest.sandbox.losses import Loss
from ingest.sandbox.reading import Bounds, Reading, document_of


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Of one document's child: seconds without a word from it, of its processor time, bytes of its memory, and of what
    it may send."""

    stall_seconds: float = 30.0
    cpu_seconds: int = 120
    memory_bytes: int = 1536 << 20
    output_bytes: int = 400 << 20


class Sandbox:
    """Parses one document at a time, with the function ``parse`` of the module ``parser``. ``lost`` is told of every
    child that hangs, grows or crashes.

    Its server is started on first use, and again after it was lost.
    """

    def __init__(self, limits: SandboxLimits, lost: Callable[[Loss], None], parser: str = "ingest.parsing") -> None:
        self._limits = limits
        self._lost = lost
        self._parser = parser
        self._server: ForkServer | None = None

    @contextmanager
    def parse(self, path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
        """The document, whose blocks are parsed while they are read; the child ends with the block.

        A part that a child is lost in is named as skipped, and another child reads on behind it, at most three times.
        Raises UnreadableDocument also for a file that makes its child hang, grow or crash outside of its parts, and
        ParserUnavailable, worth another try, if no child could be had.
        """
        bounds = Bounds(self._limits.output_bytes, self._limits.cpu_seconds)
        messages = Reading(partial(self._child, path, key, content_type), bounds, self._lost).messages()
        try:
            yield document_of(messages)
        finally:
            messages.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    @contextmanager
    def _child(self, path: Path, key: str, content_type: str | None, passed_by: PassedBy) -> Iterator[Child]:
        limits = self._limits
        task = Task(path, key, content_type, limits.memory_bytes, limits.cpu_seconds, limits.stall_seconds, passed_by)
        server = self._running_server()
        try:
            child = server.start(task)
        except OSError as error:
            self.close()
            raise _unavailable(error) from None
        try:
            yield child
        except OSError as error:
            raise _unavailable(error) from None
        finally:
            child.stop()
            if not server.settle():
                self.close()

    def _running_server(self) -> ForkServer:
        if self._server is None:
            hide_from_children()
            self._server = ForkServer(self._parser)
        return self._server


def _unavailable(error: OSError) -> ParserUnavailable:
    return ParserUnavailable(f"the parsers' process did not answer ({type(error).__name__})")
