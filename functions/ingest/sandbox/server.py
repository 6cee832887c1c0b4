"""The fork server: started by exec with an empty environment, has the parsers loaded, forks a child per document.

It speaks with the function over a socket. A request brings two descriptors: the document's file, and the pipe into
which the child writes its frames. The answers are the child's process id, and how it ended.
"""

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from bucketwise.search import place_to_json
from ingest.parsing.document import ParsedDocument
from ingest.sandbox.confinement import Limits, confine
from ingest.sandbox.wire import encode

TOO_MUCH_MEMORY = "Parsing the file takes more memory than a document may have. Split it, or save it in a simpler form."
LONGEST_REQUEST = 1 << 14  # bytes; a key has at most 1,024, a content type about as many


Parse = Callable[..., ParsedDocument]


@dataclass(frozen=True, slots=True)
class Request:
    key: str
    content_type: str | None
    memory_bytes: int
    cpu_seconds: int


def main(descriptor: int, parser: str) -> None:
    """Serves until the function closes its end. ``parser`` names the module whose ``parse`` is called."""
    parse: Parse = import_module(parser).parse
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
            _say(function, {"status": os.waitpid(child, 0)[1]})


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
        _parse(parse, request, Path(f"/dev/fd/{file}"), output)
    except UnreadableDocument as problem:
        _write(output, {"problem": problem.reason.value, "hint": problem.hint})
    except MemoryError:
        _write(output, {"problem": FailureReason.TOO_COMPLEX.value, "hint": TOO_MUCH_MEMORY})
    except BaseException as error:  # noqa: BLE001  # also the panics of parsers written in Rust
        _write(output, {"lost": type(error).__name__})
    finally:
        os._exit(0)


def _parse(parse: Parse, request: Request, path: Path, output: int) -> None:
    document = parse(path, key=request.key, content_type=request.content_type)
    blocks = iter(document.blocks)
    block = next(blocks, None)  # what cannot be read at all says so before there is a document
    _write(
        output, {"separator": document.separator, "markdown": document.markdown, "most_tokens": document.most_tokens}
    )
    while block is not None:
        _write(output, {"text": block.text, "place": place_to_json(block.place)})
        block = next(blocks, None)
    _write(output, {"end": _facts(document)})


def _facts(document: ParsedDocument) -> dict[str, Any]:
    return {
        "title": document.title,
        "pages": document.pages,
        "author": document.author,
        "created": document.created,
        "modified": document.modified,
        "skipped": document.skipped,
    }


def _write(output: int, message: dict[str, Any]) -> None:
    frame = memoryview(encode(message))
    while frame:
        frame = frame[os.write(output, frame) :]
