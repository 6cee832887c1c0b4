"""A server of the twin as a process that cannot outlive whoever started it (see ``local.guard``)."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

_GUARD = Path(__file__).with_name("guard.py")
_LOG_TAIL = 4000  # bytes shown when a server did not start


class ServerDied(RuntimeError):
    """A server ended, or said nothing, before it was ready. The text ends with the tail of its log."""


class GuardedProcess:
    """One command under a guard. Its stderr goes to the log file; of its stdout, lines are read."""

    def __init__(self, process: "subprocess.Popen[bytes]", name: str, log: BinaryIO, grace: float) -> None:
        self._process = process
        self._name = name
        self._log = log
        self._begins = os.fstat(log.fileno()).st_size
        self._grace = grace
        self._last_words = ""
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._drain, name=f"drain {name}", daemon=True).start()

    @classmethod
    def start(
        cls,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
    ) -> Self:
        """Starts ``command``. ``log`` is appended to (None: kept in an unnamed file for error texts).

        ``grace``: seconds between ``stop_signal`` and SIGKILL. ``user`` needs root.
        """
        name = Path(command[0]).name
        options = ["--signal", stop_signal.name.removeprefix("SIG"), "--grace", str(grace)]
        if user is not None:
            options += ["--user", user]
        log_file: BinaryIO = log.open("a+b") if log is not None else tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *options, "--", *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            env=env,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C reaches the twin alone, which then ends its servers in order
        )
        return cls(process, name, log_file, grace)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def guard_pid(self) -> int:
        return self._process.pid

    def read_ready(self, *, timeout: float = 30.0) -> dict[str, Any]:
        """The first JSON object among the lines of stdout. Raises ServerDied."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ServerDied(f"{self._name} was not ready after {timeout:g} s\n{self.tail()}") from None
            if line is None:
                code = self._process.wait()
                raise ServerDied(f"{self._name} ended with code {code}\n{self.tail()}")
            if line.startswith("{"):
                ready: dict[str, Any] = json.loads(line)
                return ready

    def tail(self) -> str:
        """The end of what the command wrote to stderr, and none that was in the file before it."""
        if self._log.closed:
            return self._last_words
        size = os.fstat(self._log.fileno()).st_size
        start = max(self._begins, size - _LOG_TAIL)
        return os.pread(self._log.fileno(), _LOG_TAIL, start).decode(errors="replace").strip()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal to the command itself, not to its guard. A command that has ended gets none."""
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(b"%d\n" % number)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def wait(self, timeout: float) -> int:
        """The exit code; raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout)

    def stop(self) -> None:
        """Ends the command and waits for it. Does nothing when it has ended."""
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # it ended by itself with an unsent signal in the buffer
            self._process.stdin.close()
        try:
            self._process.wait(self._grace + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._last_words = self.tail()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _drain(self) -> None:
        assert self._process.stdout is not None  # noqa: S101
        with self._process.stdout as stdout:
            for line in stdout:
                self._said.put(line.decode(errors="replace").strip())
        self._said.put(None)
