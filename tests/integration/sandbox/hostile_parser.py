"""A parser that does what the file says, however bad: stands for a library that a hostile file took over."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import Watch


def parse(path: Path, *, key: str, content_type: str | None, watch: Watch) -> ParsedDocument:  # noqa: ARG001
    assert content_type is None
    words = path.read_text(encoding="utf-8").split()
    return ParsedDocument(blocks=_blocks(words), separator="\n", title=key, pages=len(words))


def _blocks(words: list[str]) -> Iterator[Block]:
    yield Block("begun", Place(page=1))
    for word in words:
        deed, *arguments = word.split(":")
        yield Block(DEEDS[deed](*arguments), Place(heading=(word,)))


def _hang() -> str:
    time.sleep(3600)
    return "woke up"


def _spin() -> str:
    while True:
        pass


def _grow() -> str:
    return str(len(b"x" * (8 << 30)))


def _swell() -> str:
    """Ends as a library does that cannot have yet another large piece."""
    held = b"x" * (400 << 20)
    return _crash() + str(len(held))


def _crash() -> str:
    ctypes.c_char.from_address(0).value = b"x"
    return "unreachable"


def _exit() -> str:
    os._exit(3)


def _panic() -> str:
    raise KeyboardInterrupt  # a BaseException, as a panic of a parser written in Rust is


def _odd_name() -> str:
    raise type("Confidential", (Exception,), {})


def _babble() -> str:
    return "x" * (1 << 20)


def _huge_frame() -> str:
    return _said(b"", length=65 << 20)


def _linger() -> str:
    os.closerange(3, 64)
    time.sleep(3600)
    return "woke up"


def _garble() -> str:
    return _said(b"{nonsense}")


def _lie() -> str:
    return _said(b'{"end": {"blocks": 1}}')


def _nul() -> str:
    return _said(b'{"block": {"text": "a\\\\\\u0000", "place": {}}}')


def _said(body: bytes, *, length: int | None = None) -> str:
    """Written to the pipe, whichever descriptor that is."""
    frame = (len(body) if length is None else length).to_bytes(4, "big") + body
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, frame)
        except OSError:
            continue
    return "said"


def _connect() -> str:
    return _refused(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1))


def _execute() -> str:
    return _refused(lambda: os.execv(sys.executable, [sys.executable, "-c", "pass"]))  # noqa: S606  # what is refused


def _fork() -> str:
    return _refused(os.fork)


def _kill_parent() -> str:
    return _refused(lambda: os.kill(os.getppid(), signal.SIGTERM))


def _write_file() -> str:
    def write() -> None:
        with Path("/tmp/written-by-a-parser").open("wb", buffering=0) as file:  # noqa: S108
            file.write(b"x")

    return _refused(write)


def _environment() -> str:
    return " ".join(sorted(os.environ))


def _environment_of_server() -> str:
    """None can be read by whoever is not root."""
    try:
        return Path(f"/proc/{os.getppid()}/environ").read_bytes().decode()
    except PermissionError:
        return ""


def _function() -> str:
    """Its process id: the function is the parent of the parent, whose id is in the server's status."""
    status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="ascii")
    return next(line.split()[1] for line in status.splitlines() if line.startswith("PPid"))


def _of_function(name: str) -> Callable[[], str]:
    def read() -> str:
        try:
            with Path(f"/proc/{_function()}/{name}").open("rb") as file:
                return f"read {len(file.read(1 << 12))} bytes of {name}"
        except OSError as error:
            return f"refused: {type(error).__name__}"

    return read


def _memory_of_server() -> str:
    """Opened, and not read: at its first address there is nothing."""
    return _refused(lambda: Path(f"/proc/{os.getppid()}/mem").open("rb").close())


def _descriptors_of_function() -> str:
    return _refused(Path(f"/proc/{_function()}/fd/0").readlink)


def _runtime_api(port: str) -> str:
    """As a function's runtime asks for its next event."""

    def ask() -> None:
        with socket.socket() as connection:
            connection.connect(("127.0.0.1", int(port)))
            connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")

    return _refused(ask)


def _open_sockets() -> str:
    return " ".join(
        _refused(partial(socket.socket, family, kind))
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    )


def _refused(deed: Callable[[], object]) -> str:
    try:
        deed()
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "done"


DEEDS: dict[str, Callable[..., str]] = {
    "hang": _hang, "spin": _spin, "grow": _grow, "swell": _swell, "crash": _crash, "exit": _exit, "panic": _panic,
    "babble": _babble,
    "huge_frame": _huge_frame, "linger": _linger, "garble": _garble, "lie": _lie, "nul": _nul, "odd_name": _odd_name,
    "connect": _connect, "execute": _execute, "fork": _fork, "kill_parent": _kill_parent, "write_file": _write_file,
    "environment": _environment, "environment_of_server": _environment_of_server,
    "environment_of_function": _of_function("environ"), "memory_of_function": _of_function("mem"),
    "memory_of_server": _memory_of_server,
    "descriptors_of_function": _descriptors_of_function, "runtime_api": _runtime_api, "open_sockets": _open_sockets,
    "nothing": lambda: "nothing",
}  # fmt: skip
