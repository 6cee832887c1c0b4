"""What a confined child asks of the system, much of it by the calls' numbers: libraries have no names for all."""

import ctypes
import errno
import fcntl
import json
import os
import platform
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.sandbox.confinement import CONDITIONAL, REFUSED, Limits, confine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in REFUSED, reason="only Linux filters system calls"
)

Deed = Callable[[], object]
NO_SIGNAL, TO_PROCESS = 0, 1


def confined(deeds: dict[str, Deed]) -> dict[str, str]:
    """What the deeds came to in a confined child: ``done`` or the name of the error."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            confine(Limits(memory_bytes=1 << 34, cpu_seconds=5))
            os.write(writing, json.dumps({name: _outcome(deed) for name, deed in deeds.items()}).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        outcomes: dict[str, str] = json.load(said)
    os.waitpid(child, 0)
    return outcomes


def _outcome(deed: Deed) -> str:
    try:
        deed()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def call(name: str, *arguments: int | bytes) -> Deed:
    """By its number. Whole numbers are passed as 64 bits."""

    def make() -> None:
        number = (REFUSED[platform.machine()] | CONDITIONAL[platform.machine()])[name]
        values = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long(number), *values) < 0:
            raise OSError(ctypes.get_errno(), name)

    return make


def queued_signal() -> bytes:
    """A ``siginfo_t`` whose code is SI_QUEUE, and whose signal is none."""
    return NO_SIGNAL.to_bytes(4, sys.byteorder) + bytes(4) + (-1).to_bytes(4, sys.byteorder, signed=True) + bytes(116)


def test_nothing_is_done_to_another_process() -> None:
    other = os.getpid()
    nothing, room = bytes(256), bytes(256)
    reach = {
        "kill": (other, NO_SIGNAL),
        "tkill": (other, NO_SIGNAL),
        "tgkill": (other, other, NO_SIGNAL),
        "rt_sigqueueinfo": (other, NO_SIGNAL, queued_signal()),
        "rt_tgsigqueueinfo": (other, other, NO_SIGNAL, queued_signal()),
        "pidfd_open": (other, 0),
        "pidfd_send_signal": (0, NO_SIGNAL, 0, 0),
        "pidfd_getfd": (0, 0, 0),
        "prlimit64": (other, resource.RLIMIT_NOFILE, 0, room),
        "ptrace": (3, other, 0, room),  # PTRACE_PEEKUSER, which does not stop it where it is not refused
        "process_vm_readv": (other, nothing, 0, nothing, 0, 0),
        "process_vm_writev": (other, nothing, 0, nothing, 0, 0),
        "process_madvise": (0, nothing, 0, 0, 0),
        "process_mrelease": (0, 0),
        "kcmp": (other, other, 0, 0, 0),
        "get_robust_list": (other, room, room),
        "perf_event_open": (nothing, other, -1, -1, 0),
        "sched_setaffinity": (other, 0, nothing),
        "sched_setattr": (other, nothing, 0),
        "sched_setparam": (other, nothing),
        "sched_setscheduler": (other, 0, nothing),
        "setpriority": (0, other, 0),
        "ioprio_set": (TO_PROCESS, other, 0),
        "migrate_pages": (other, 0, nothing, nothing),
        "move_pages": (other, 0, nothing, nothing, room, 0),
    }
    deeds = {name: call(name, *arguments) for name, arguments in reach.items()}
    assert confined(deeds) == dict.fromkeys(reach, "EPERM")


@pytest.mark.parametrize("command", [fcntl.F_SETOWN, 10, 15], ids=["F_SETOWN", "F_SETSIG", "F_SETOWN_EX"])
def test_no_pipe_sends_its_signals_to_another_process(command: int) -> None:
    reading, writing = os.pipe()
    try:
        deeds: dict[str, Deed] = {
            "own": lambda: fcntl.fcntl(reading, command, os.getppid()),
            "own_by_ioctl": lambda: fcntl.ioctl(writing, 0x8901, bytes(4)),
        }
        assert confined(deeds) == {"own": "EPERM", "own_by_ioctl": "EPERM"}
    finally:
        os.close(reading)
        os.close(writing)


def test_nothing_is_left_behind_in_memory_that_processes_share() -> None:
    private, exclusive = 0, 0o3000
    deeds = {
        "shmget": call("shmget", private, 4096, exclusive),
        "msgget": call("msgget", private, exclusive),
        "semget": call("semget", private, 1, exclusive),
        "mq_open": call("mq_open", b"bucketwise\0", os.O_RDONLY, 0, 0),
    }
    assert confined(deeds) == dict.fromkeys(deeds, "EPERM")


def test_no_file_is_made_or_emptied(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("kept", encoding="ascii")
    (tmp_path / "folder").mkdir()
    deeds: dict[str, Deed] = {
        "empty": lambda: os.open(there, os.O_RDONLY | os.O_TRUNC),
        "write": lambda: os.open(there, os.O_WRONLY),
        "update": lambda: os.open(there, os.O_RDWR),
        "make": lambda: os.open(tmp_path / "new", os.O_RDONLY | os.O_CREAT),
        "make_temporary": lambda: tempfile.mkstemp(dir=tmp_path),
        "remove": (tmp_path / "folder").rmdir,
        "pipe": lambda: os.mkfifo(tmp_path / "pipe"),
    }
    assert confined(deeds) == dict.fromkeys(deeds, "EPERM")
    assert {path.name for path in tmp_path.iterdir()} == {"there", "folder"}
    assert there.read_text(encoding="ascii") == "kept"


def test_a_child_may_ask_for_what_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    deeds: dict[str, Deed] = {
        "limits": lambda: resource.getrlimit(resource.RLIMIT_NOFILE),
        "narrower": lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)),
        "processors": lambda: os.sched_getaffinity(0),
        "read": lambda: file.read_bytes(),
        "look": lambda: list(tmp_path.iterdir()),
        "flags": lambda: fcntl.fcntl(0, fcntl.F_GETFL),
        "handle": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    }
    assert confined(deeds) == dict.fromkeys(deeds, "done")
