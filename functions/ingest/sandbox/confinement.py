"""What a parsing child gives up before it reads a byte of the document."""

import ctypes
import platform
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
# Values of linux/filter.h, linux/seccomp.h and linux/audit.h.
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE_WITH_EPERM = 0x7FFF0000, 0x00050001
OFFSET_OF_NUMBER, OFFSET_OF_ARCHITECTURE, OFFSET_OF_ARGUMENTS = 0, 4, 16
X32_BIT = 0x40000000  # calls of the x32 ABI have numbers of their own

# No sockets, no other programs, processes or threads, nothing done to other processes, to what they share or to the
# names of files. What only the superuser may do is left out. By number for each architecture:
# arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h for aarch64.
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {
    "x86_64": {
        "shmget": 29, "shmat": 30, "shmctl": 31, "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49,
        "socketpair": 53, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "semget": 64, "semop": 65,
        "semctl": 66, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "truncate": 76, "rename": 82, "mkdir": 83,
        "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "ptrace": 101,
        "rt_sigqueueinfo": 129, "mknod": 133, "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144,
        "tkill": 200, "sched_setaffinity": 203, "semtimedop": 220, "tgkill": 234, "mq_open": 240, "mq_unlink": 241,
        "add_key": 248, "request_key": 249, "keyctl": 250, "ioprio_set": 251, "migrate_pages": 256, "mkdirat": 258,
        "mknodat": 259, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268,
        "unshare": 272, "get_robust_list": 274, "move_pages": 279, "rt_tgsigqueueinfo": 297, "perf_event_open": 298,
        "sendmmsg": 307, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "sched_setattr": 314, "renameat2": 316, "bpf": 321, "execveat": 322, "userfaultfd": 323,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat2": 437,
        "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448, "fchmodat2": 452,
    },
    "aarch64": {
        "ioprio_set": 30, "mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38,
        "truncate": 45, "fchmod": 52, "fchmodat": 53, "unshare": 97, "get_robust_list": 100, "ptrace": 117,
        "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122, "kill": 129, "tkill": 130,
        "tgkill": 131, "rt_sigqueueinfo": 138, "setpriority": 140, "mq_open": 180, "mq_unlink": 181, "msgget": 186,
        "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191, "semtimedop": 192, "semop": 193,
        "shmget": 194, "shmctl": 195, "shmat": 196, "socket": 198, "socketpair": 199, "bind": 200, "connect": 203,
        "sendto": 206, "sendmsg": 211, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "execve": 221,
        "migrate_pages": 238, "move_pages": 239, "rt_tgsigqueueinfo": 240, "perf_event_open": 241, "setns": 268,
        "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "sched_setattr": 274,
        "renameat2": 276, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
        "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
        "process_madvise": 440, "process_mrelease": 448, "fchmodat2": 452,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """A call is refused if the test is passed by its argument of this place, from 0, and one of these values."""

    argument: int
    test: int
    values: tuple[int, ...]


# Values of asm-generic/fcntl.h and asm-generic/ioctls.h, which both architectures have.
_OPENS_TO_WRITE = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_CONDITIONS = {
    "prlimit64": Condition(0, JUMP_IF_ANY_BIT, (0xFFFFFFFF,)),  # 0 is the process itself, whose limits libraries ask
    "fcntl": Condition(1, JUMP_IF_EQUAL, (8, 10, 15)),  # F_SETOWN, F_SETSIG and F_SETOWN_EX: who gets which signal
    "ioctl": Condition(1, JUMP_IF_EQUAL, (0x8901, 0x8902, 0x5412)),  # the same by FIOSETOWN, SIOCSPGRP; TIOCSTI types
    "open": Condition(1, JUMP_IF_ANY_BIT, (_OPENS_TO_WRITE,)),
    "openat": Condition(2, JUMP_IF_ANY_BIT, (_OPENS_TO_WRITE,)),
}
CONDITIONAL = {
    "x86_64": {"open": 2, "ioctl": 16, "fcntl": 72, "openat": 257, "prlimit64": 302},
    "aarch64": {"fcntl": 25, "ioctl": 29, "openat": 56, "prlimit64": 261},
}


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
            _filter_calls(machine)


def _limit(kind: int, most: int) -> None:
    """A bound that is set already and narrower stays: only root may widen it."""
    _, hard = resource.getrlimit(kind)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (bound, bound))


def hide_from_children() -> None:
    """Keeps other processes of the same user out of this one's memory and environment (Linux)."""
    if sys.platform == "linux":
        _control(PR_SET_DUMPABLE, 0)


def _filter_calls(machine: str) -> None:
    instructions = [
        _Instruction(LOAD_WORD, 0, 0, OFFSET_OF_ARCHITECTURE),
        _Instruction(JUMP_IF_EQUAL, 1, 0, AUDIT_ARCHITECTURE[machine]),
        _Instruction(RETURN, 0, 0, REFUSE_WITH_EPERM),
        _Instruction(LOAD_WORD, 0, 0, OFFSET_OF_NUMBER),
        *_refuse_if(JUMP_IF_AT_LEAST, [X32_BIT]),
        *_refuse_if(JUMP_IF_EQUAL, [*REFUSED[machine].values()]),
    ]
    for name, number in CONDITIONAL[machine].items():
        condition = _CONDITIONS[name]
        of_argument = [
            _Instruction(LOAD_WORD, 0, 0, OFFSET_OF_ARGUMENTS + 8 * condition.argument),  # its low half
            *_refuse_if(condition.test, condition.values),
            _Instruction(RETURN, 0, 0, ALLOW),
        ]
        instructions += [_Instruction(JUMP_IF_EQUAL, 0, len(of_argument), number), *of_argument]
    instructions.append(_Instruction(RETURN, 0, 0, ALLOW))
    array = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), array)
    _control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


def _refuse_if(test: int, values: Sequence[int]) -> list[_Instruction]:
    """For what was loaded last: refuses the call if it passes the test with any of the values, or goes on."""
    last = len(values) - 1
    tests = [_Instruction(test, last - place, place == last, value) for place, value in enumerate(values)]
    return [*tests, _Instruction(RETURN, 0, 0, REFUSE_WITH_EPERM)]


def _control(option: int, *arguments: object) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    values += [ctypes.c_ulong(0)] * (4 - len(values))
    if libc.prctl(ctypes.c_int(option), *values) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
