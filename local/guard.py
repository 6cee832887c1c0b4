"""Runs one command and ends it when whoever started it is gone.

``python -m local.guard [--signal INT] [--grace 10] [--user NAME] -- COMMAND ...`` starts COMMAND in a
session of its own, out of reach of the terminal's Ctrl-C, with the guard's own stdout and stderr. The
guard's stdin is the rope: the operating system closes it whatever way the other side ends, ``kill -9``
included. Then COMMAND gets the signal, and SIGKILL after the grace time. A line with a number on stdin
sends that signal to COMMAND. The exit code is COMMAND's, or 128 + n when signal n ended it.

Only the standard library, and little of it: this starts before every server of the twin. POSIX only.
"""

import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

USAGE = "usage: guard [--signal NAME] [--grace SECONDS] [--user NAME] -- COMMAND [ARGUMENT ...]"


def main(arguments: Sequence[str]) -> int:
    """Runs COMMAND to its end; returns the exit code."""
    if "--" not in arguments or arguments[-1] == "--":
        sys.exit(USAGE)
    split = arguments.index("--")
    options = dict(zip(arguments[0:split:2], arguments[1:split:2], strict=True))
    if options.keys() - {"--signal", "--grace", "--user"}:
        sys.exit(USAGE)
    ending = signal.Signals["SIG" + options.get("--signal", "TERM")]
    return _guard(arguments[split + 1 :], ending, float(options.get("--grace", "10")), options.get("--user"))


def _guard(command: Sequence[str], ending: signal.Signals, grace: float, user: str | None) -> int:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **_identity(user))
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    threading.Thread(target=_obey_stdin, args=(child, stop), daemon=True).start()
    threading.Thread(target=_end_when_told, args=(child, stop, ending, grace), daemon=True).start()
    code = child.wait()
    _kill_session(child.pid)
    return code if code >= 0 else 128 - code


def _identity(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _obey_stdin(child: "subprocess.Popen[bytes]", stop: threading.Event) -> None:
    pending = b""
    # os.read, not sys.stdin: a thread blocked inside a buffered reader holds its lock at exit.
    while received := os.read(0, 4096):
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            child.send_signal(int(line))
    stop.set()


def _end_when_told(
    child: "subprocess.Popen[bytes]", stop: threading.Event, ending: signal.Signals, grace: float
) -> None:
    stop.wait()
    child.send_signal(ending)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        _kill_session(child.pid)


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left; macOS answers EPERM for a group of zombies


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
