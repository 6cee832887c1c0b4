"""The function's own disk, which holds a document and its chunks for as long as they are worked on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

from bucketwise.errors import DiskUnavailable

PREFIX = "bucketwise-"


@contextmanager
def disk() -> Iterator[None]:
    """Raises DiskUnavailable for an OSError within."""
    try:
        yield
    except OSError as error:
        raise DiskUnavailable(f"the function's disk failed ({type(error).__name__}, {error.errno})") from None


@contextmanager
def scratch_file() -> Iterator[tuple[IO[bytes], Path]]:
    """A file to write, and by what path this process can read it until the block ends. Raises DiskUnavailable.

    On Linux it has no name, so that nothing of a document is left of a process that is killed: an execution environment
    keeps its disk, and would be full after a few of them.
    """
    with disk():
        file = _unnamed() if sys.platform == "linux" else NamedTemporaryFile(prefix=PREFIX)  # noqa: SIM115
    try:
        yield file, path_of(file.fileno()) if sys.platform == "linux" else Path(file.name)
    finally:
        with suppress(OSError):  # of what could not be written before
            file.close()


def path_of(descriptor: int) -> Path:
    """By what path this process can open anew what it has open. Lambda's /dev/fd holds the first three alone."""
    return Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd") / str(descriptor)


def _unnamed() -> IO[bytes]:
    return TemporaryFile(prefix=PREFIX)
