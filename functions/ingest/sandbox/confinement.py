"""What a parsing child gives up before it reads a byte of the document."""

import ctypes
import platform
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
# Values of linux/filter.h, linux/seccomp.h and linux/audit.h.
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE_WITH_EPERM = 0x7FFF0000, 0x00050001
OFFSET_OF_NUMBER, OFFSET_OF_ARCHITECTURE = 0, 4
X32_BIT = 0x40000000  # calls of the x32 ABI have numbers of their own

# No sockets, no other programs, processes or threads, nothing done to other processes or to the names of files. By
# number for each architecture: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h for aarch64.
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {
    "x86_64": {
        "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49, "socketpair": 53, "clone": 56, "fork": 57,
        "vfork": 58, "execve": 59, "kill": 62, "truncate": 76, "rename": 82, "mkdir": 83, "link": 86, "unlink": 87,
        "symlink": 88, "chmod": 90, "ptrace": 101, "tkill": 200, "tgkill": 234, "add_key": 248, "request_key": 249,
        "keyctl": 250, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "mkdirat": 258,
        "fchmodat": 268, "unshare": 272, "sendmmsg": 307, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "renameat2": 316, "bpf": 321, "execveat": 322, "userfaultfd": 323,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    },
    "aarch64": {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45, "fchmodat": 53,
        "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "socket": 198, "socketpair": 199,
        "bind": 200, "connect": 203, "sendto": 206, "sendmsg": 211, "add_key": 217, "request_key": 218, "keyctl": 219,
        "clone": 220, "execve": 221, "setns": 268, "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271,
        "renameat2": 276, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
        "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one child. ``memory_bytes`` is of address space, ``cpu_seconds`` of processor time."""

    memory_bytes: int
    cpu_seconds: int


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def confine(limits: Limits) -> None:
    """For a child just forked: bounded memory and time, no file grows, no socket, no other program.

    Raises OSError if a limit is refused. On other systems than Linux it sets the limits that there are: they are for
    development alone.
    """
    for kind, most in (
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _limit(kind, most)
    if sys.platform != "linux":
        return
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)
    _control(PR_SET_NO_NEW_PRIVS, 1)
    machine = platform.machine()
    if machine in REFUSED:
        with suppress(OSError):  # a platform may forbid filters; the limits hold all the same, and documents are read
            _filter_calls(AUDIT_ARCHITECTURE[machine], sorted(REFUSED[machine].values()))


def _limit(kind: int, most: int) -> None:
    """A bound that is set already and narrower stays: only root may widen it."""
    _, hard = resource.getrlimit(kind)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (bound, bound))


def hide_from_children() -> None:
    """Keeps other processes of the same user out of this one's memory and environment (Linux)."""
    if sys.platform == "linux":
        _control(PR_SET_DUMPABLE, 0)


def _filter_calls(architecture: int, refused: Iterable[int]) -> None:
    numbers = list(refused)
    instructions = [
        _Instruction(LOAD_WORD, 0, 0, OFFSET_OF_ARCHITECTURE),
        _Instruction(JUMP_IF_EQUAL, 1, 0, architecture),
        _Instruction(RETURN, 0, 0, REFUSE_WITH_EPERM),
        _Instruction(LOAD_WORD, 0, 0, OFFSET_OF_NUMBER),
        _Instruction(JUMP_IF_AT_LEAST, len(numbers) + 1, 0, X32_BIT),
        *(_Instruction(JUMP_IF_EQUAL, len(numbers) - position, 0, number) for position, number in enumerate(numbers)),
        _Instruction(RETURN, 0, 0, ALLOW),
        _Instruction(RETURN, 0, 0, REFUSE_WITH_EPERM),
    ]
    array = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), array)
    _control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


def _control(option: int, *arguments: object) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    values += [ctypes.c_ulong(0)] * (4 - len(values))
    if libc.prctl(ctypes.c_int(option), *values) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
