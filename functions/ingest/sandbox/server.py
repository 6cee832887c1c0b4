"""The fork server: started by exec with an empty environment, has the parsers loaded, forks a child per document.

It speaks with the function over a socket. A request brings two descriptors: the document's file, and the pipe into
which the child writes its frames. The answers are the child's process id, and how it ended.
"""

import gc
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from bucketwise.errors import UnreadableDocument
from bucketwise.marks import place_to_json
from bucketwise.models import FailureReason
from ingest.parsing.document import ParsedDocument
from ingest.sandbox.confinement import Limits, confine, hide_from_children
from ingest.sandbox.wire import encode
from ingest.scratch import path_of

HEAD = ("separator", "markdown", "most_tokens")
FACTS = tuple(each.name for each in fields(ParsedDocument) if each.name not in {"blocks", *HEAD})
PEAK_UNIT = 1024 if sys.platform == "linux" else 1  # bytes in what the system counts memory by
LONGEST_REQUEST = 1 << 14  # bytes; a key has at most 1,024, a content type about as many


Parse = Callable[..., ParsedDocument]


@dataclass(frozen=True, slots=True)
class Request:
    key: str
    content_type: str | None
    memory_bytes: int
    cpu_seconds: int
    passed_by: list[tuple[list[int], str]]


def main(descriptor: int, parser: str) -> None:
    """Serves until the function closes its end. ``parser`` names the module whose ``parse`` is called."""
    parse: Parse = import_module(parser).parse
    gc.freeze()  # a search for garbage writes to what it goes through: a child would copy all that it shares with this
    gc.enable()
    hide_from_children()  # a child has a copy of this process as it was, and reaches it no further
    with socket.socket(fileno=descriptor) as function:
        while True:
            line, descriptors, _, _ = socket.recv_fds(function, LONGEST_REQUEST, 2)
            if not line:
                return
            file, output = descriptors
            child = os.fork()
            if child == 0:
                function.close()
                _parse_and_exit(parse, Request(**json.loads(line)), file, output)
            os.close(file)
            os.close(output)
            _say(function, {"child": child})
            _, status, used = os.wait4(child, 0)
            _say(function, {"status": status, "peak": used.ru_maxrss * PEAK_UNIT})


def _say(function: socket.socket, message: dict[str, Any]) -> None:
    function.sendall(json.dumps(message).encode() + b"\n")


def _parse_and_exit(parse: Parse, request: Request, file: int, output: int) -> NoReturn:
    """Whatever happens ends here: a child that went on would serve the next request beside its parent."""
    try:
        try:
            confine(Limits(request.memory_bytes, request.cpu_seconds))
        except (OSError, ValueError) as error:
            _write(output, {"unconfined": type(error).__name__})
            os._exit(0)
        _parse(parse, request, path_of(file), output)
    except UnreadableDocument as problem:
        _write(output, {"problem": {"reason": problem.reason.value, "hint": problem.hint}})
    except BaseException as error:  # noqa: BLE001  # also the panics of parsers written in Rust
        _write(output, {"lost": type(error).__name__})
    finally:
        os._exit(0)


def _parse(parse: Parse, request: Request, path: Path, output: int) -> None:
    watch = _Announcement(output, {tuple(part): FailureReason(reason) for part, reason in request.passed_by})
    document = parse(path, key=request.key, content_type=request.content_type, watch=watch)
    blocks = iter(document.blocks)
    block = next(blocks, None)  # what cannot be read at all says so before there is a document
    _write(output, {"head": {name: getattr(document, name) for name in HEAD}})
    while block is not None:
        _write(output, {"block": {"text": block.text, "place": place_to_json(block.place)}})
        block = next(blocks, None)
    _write(output, {"end": {name: getattr(document, name) for name in FACTS}})


@dataclass(slots=True)
class _Announcement:
    """Says which part is read, so that the function knows where a child was lost. Parts are numbered from 1."""

    output: int
    passed_by: dict[tuple[int, ...], FailureReason]
    _numbers: list[int] = field(default_factory=list)

    def enter(self, depth: int, name: str) -> None:
        del self._numbers[depth + 1 :]
        self._numbers += [0] * (depth + 1 - len(self._numbers))
        self._numbers[depth] += 1
        _write(self.output, {"part": {"path": self._numbers, "name": name}})
        reason = self.passed_by.get(tuple(self._numbers))
        if reason is not None:
            raise UnreadableDocument(reason, "passed by")

    def leave(self, depth: int) -> None:
        _write(self.output, {"left": depth})


def _write(output: int, message: dict[str, Any]) -> None:
    frame = memoryview(encode(message))
    while frame:
        frame = frame[os.write(output, frame) :]
