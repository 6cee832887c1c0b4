"""A parser that does what the file says, however bad: stands for a library that a hostile file took over."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument

PARENTS_SECRET = "ENVIRONMENT_OF_THE_PARENT"


def parse(path: Path, *, key: str, content_type: str | None) -> ParsedDocument:
    assert content_type is None
    words = path.read_text(encoding="utf-8").split()
    return ParsedDocument(blocks=_blocks(words), separator="\n", title=key, pages=len(words))


def _blocks(words: list[str]) -> Iterator[Block]:
    yield Block("begun", Place(page=1))
    for word in words:
        yield Block(DEEDS[word](), Place(heading=(word,)))


def _hang() -> str:
    time.sleep(3600)
    return "woke up"


def _spin() -> str:
    while True:
        pass


def _grow() -> str:
    return str(len(b"x" * (8 << 30)))


def _crash() -> str:
    ctypes.c_char.from_address(0).value = b"x"
    return "unreachable"


def _exit() -> str:
    os._exit(3)


def _panic() -> str:
    raise KeyboardInterrupt  # a BaseException, as a panic of a parser written in Rust is


def _babble() -> str:
    return "x" * (1 << 20)


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
    return Path(f"/proc/{os.getppid()}/environ").read_bytes().decode()


def _environment_of_function() -> str:
    """The function is the parent of the parent: its id is in the server's status."""
    status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="ascii")
    function = next(line.split()[1] for line in status.splitlines() if line.startswith("PPid"))
    try:
        return Path(f"/proc/{function}/environ").read_bytes().decode()
    except OSError as error:
        return f"refused: {type(error).__name__}"


def _refused(deed: Callable[[], object]) -> str:
    try:
        deed()
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "done"


DEEDS: dict[str, Callable[[], str]] = {
    "hang": _hang, "spin": _spin, "grow": _grow, "crash": _crash, "exit": _exit, "panic": _panic, "babble": _babble,
    "connect": _connect, "execute": _execute, "fork": _fork, "kill_parent": _kill_parent, "write_file": _write_file,
    "environment": _environment, "environment_of_server": _environment_of_server,
    "environment_of_function": _environment_of_function, "nothing": lambda: "nothing",
}  # fmt: skip
