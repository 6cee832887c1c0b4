"""One Lambda execution environment: a child process that imported a handler and serves one event at a time."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

ACCOUNT = "123456789012"  # the account that moto plays
INIT_SECONDS = 60.0  # Lambda grants 10; a laptop may have no bytecode yet and other work to do
RESPONSE_LIMIT = 6 * 1024 * 1024  # bytes, Lambda's quota for a synchronous response
STOP_STEP_SECONDS = 1.0

_CHILD = Path(__file__).with_name("environment_child.py")
_INHERITED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")  # the last: some Pythons cannot start without it


class FunctionError(Exception):
    """An invocation failed; ``error_type`` and ``message`` are what Lambda would report."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a template says of a function.

    ``handler``: ``package.module.function``. ``variables``: its whole environment, beside what Lambda
    itself sets. ``paths``: put on its ``sys.path``. ``log_file``: stdout and stderr are appended to it.
    """

    name: str
    handler: str
    log_file: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[Path] = ()
    timeout_seconds: float = 3.0
    memory_mb: int = 128

    @property
    def region(self) -> str:
        return self.variables.get("AWS_REGION", "us-east-1")

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{self.name}"


class Environment:
    """A child process. Its handler is imported before the first event, outside the function's time limit.

    One invocation at a time; ``stop`` may be called from another thread meanwhile.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._ready = False
        self._ended = threading.Event()
        self._reaping = threading.Lock()
        self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        theirs, requests = os.pipe()
        results, theirs_too = os.pipe()
        self._requests = open(requests, "wb")  # noqa: PTH123, SIM115 - a descriptor, closed by release()
        self._process = _start(configuration, theirs, theirs_too)
        self._drainer = threading.Thread(target=self._drain, args=(results,), daemon=True)
        self._drainer.start()

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, event: Any) -> Any:
        """The handler's result for ``event``, both as JSON would carry them.

        Raises FunctionError. After a failed import, a time-out or a crash this environment is dead.
        """
        request_id = str(uuid.uuid4())
        if not self._ready:
            self._await_import(request_id)
        seconds = self._configuration.timeout_seconds
        request = {"event": event, "request_id": request_id, "arn": self._configuration.arn}
        request["trace_id"] = _trace_id()
        request["deadline_ms"] = int((time.time() + seconds) * 1000)
        self._send(json.dumps(request).encode() + b"\n")
        return self._receive(request_id, seconds)

    def release(self) -> None:
        """Closes the pipe of requests: the child ends by itself, a busy one after half a second."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()

    def stop(self) -> None:
        """Ends the child and whatever it has started; returns when they are gone."""
        self.release()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                self._signal(number)
            if self._ended.wait(STOP_STEP_SECONDS):
                break
        self._drainer.join()

    def _await_import(self, request_id: str) -> None:
        try:
            self._receive(request_id, INIT_SECONDS)
        except FunctionError:
            self.stop()
            raise
        self._ready = True

    def _send(self, line: bytes) -> None:
        # A pipe that broke, or that release() has closed, means that the child ends: _receive reports it.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._requests.write(line)
            self._requests.flush()

    def _receive(self, request_id: str, seconds: float) -> Any:
        try:
            line = self._replies.get(timeout=seconds)
        except queue.Empty:
            self._time_out(request_id, seconds)
        if line is None:
            self._replies.put(None)
            raise FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: {self._epitaph()}")
        if len(line) > RESPONSE_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
            raise FunctionError("Function.ResponseSizeTooLarge", message)
        reply = json.loads(line)
        if "error" in reply:
            raise FunctionError(reply["error"]["errorType"], reply["error"]["errorMessage"])
        return reply["result"]

    def _time_out(self, request_id: str, seconds: float) -> NoReturn:
        self._signal(signal.SIGKILL)
        self._drainer.join()
        message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        with self._configuration.log_file.open("a", encoding="utf-8") as log:
            log.write(f"{message}\n")
        raise FunctionError("Sandbox.Timedout", message)

    def _epitaph(self) -> str:
        code = self._process.returncode
        if code < 0:
            return f"Runtime exited with error: signal: {signal.Signals(-code).name}"
        return (
            "Runtime exited without providing a reason"
            if code == 0
            else f"Runtime exited with error: exit status {code}"
        )

    def _drain(self, results: int) -> None:
        """Hands on replies; at the end of the pipe the child is dead, and its descendants shall be."""
        with open(results, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    self._replies.put(line)
        self._signal(signal.SIGKILL)
        with self._reaping:
            self._process.wait()
            self._ended.set()
        self.release()
        self._replies.put(None)

    def _signal(self, number: signal.Signals) -> None:
        # Before the child is reaped its number, which is also its group's, cannot belong to another process.
        with self._reaping, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._ended.is_set():
                os.killpg(self._process.pid, number)


def _start(configuration: Configuration, requests: int, results: int) -> "subprocess.Popen[bytes]":
    """The child, with its ends of the two pipes, which are closed here."""
    command = [sys.executable, "-P", str(_CHILD), configuration.handler, str(requests), str(results)]
    configuration.log_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with configuration.log_file.open("ab") as log:
            return subprocess.Popen(
                command,
                env=_variables(configuration),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(requests, results),
                start_new_session=True,  # a group of its own, which can be killed as a whole
            )
    finally:
        os.close(requests)
        os.close(results)


def _variables(configuration: Configuration) -> dict[str, str]:
    """The child's environment. LAMBDA_TASK_ROOT is left out: with it the X-Ray SDK looks for its daemon."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(map(str, configuration.paths)),
        "LANG": "en_US.UTF-8",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "TZ": ":UTC",
        "_HANDLER": configuration.handler,
        "AWS_REGION": configuration.region,
        "AWS_DEFAULT_REGION": configuration.region,
        "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{configuration.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        **configuration.variables,
    }


def _trace_id() -> str:
    """An X-Ray header of a request that is not sampled."""
    root = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    return f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled=0"
