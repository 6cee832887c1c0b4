"""A Lambda execution environment from the inside: imports a handler once, then answers invocations.

``python -P environment_child.py HANDLER REQUESTS RESULTS``, the last two being open file descriptors. The
first line on RESULTS is ``{"result": null}`` when the handler was imported. After that each line on
REQUESTS, ``{"event", "request_id", "arn", "deadline_ms", "trace_id"}``, is answered by one line on RESULTS:
``{"result": ...}`` or ``{"error": {"errorType", "errorMessage"}}``. What the handler prints goes to
stdout and stderr, which belong to it alone. Only the standard library, and little of it.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, BinaryIO

ORPHAN_GRACE_SECONDS = 0.5

Handler = Callable[[Any, "Context"], Any]


class InitError(Exception):
    """The handler could not be loaded; ``error_type`` is Lambda's name for the reason."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class Context:
    """The second argument of a handler, with the names and types of the managed Python runtime."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]  # a string in Lambda, too
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = None
        self._deadline_ms: int = request["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


class Attempt:
    """``with Attempt() as attempt:`` turns what the handler's code raises into the error Lambda reports.

    SystemExit passes: it ends the environment, as in Lambda.
    """

    def __init__(self) -> None:
        self.error: dict[str, str] | None = None

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        traceback.print_exception(kind, error, trace)
        name = error.error_type if isinstance(error, InitError) else type(error).__name__
        self.error = {"errorType": name, "errorMessage": str(error)}
        return True


def load(name: str) -> Handler:
    """The callable that ``package.module.function`` names. Raises InitError, or what the module raises."""
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}'")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitError("Runtime.UserCodeSyntaxError", message) from error
    handler: Handler | None = getattr(module, function_name, None)
    if handler is None:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message)
    return handler


def answer(handler: Handler, request: dict[str, Any]) -> bytes:
    """One invocation: the line that goes to RESULTS."""
    os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
    attempt = Attempt()
    result: Any = None
    with attempt:
        result = handler(request["event"], Context(request))
    if attempt.error is not None:
        return _line({"error": attempt.error})
    try:
        return _line({"result": result})
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return _line({"error": {"errorType": "Runtime.MarshalError", "errorMessage": message}})


def main(handler_name: str, requests_fd: int, results_fd: int) -> int:
    """Serves until REQUESTS ends; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the twin's own process stops its environments in order
    _keep_to_this_process(requests_fd, results_fd)
    received: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests_fd, received), daemon=True).start()
    with open(results_fd, "wb") as results:
        attempt = Attempt()
        with attempt:
            handler = load(handler_name)
        if attempt.error is not None:
            _send(results, _line({"error": attempt.error}))
            return 1
        _send(results, _line({"result": None}))
        while (request := received.get()) is not None:
            _send(results, answer(handler, json.loads(request)))
    return 0


def _read(requests_fd: int, received: "queue.SimpleQueue[bytes | None]") -> None:
    """Hands on requests. At the end of the pipe the parent is gone: so is this process, soon."""
    with open(requests_fd, "rb") as requests:
        for line in requests:
            received.put(line)
    received.put(None)
    time.sleep(ORPHAN_GRACE_SECONDS)  # an idle environment has ended by itself in this time
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # with whatever the handler has started
    os._exit(1)


def _keep_to_this_process(*descriptors: int) -> None:
    def let_go() -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in descriptors:
            os.dup2(null, descriptor, inheritable=False)

    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    # A fork of the handler's that outlives it would otherwise keep the pipes open: a crash would go unseen.
    os.register_at_fork(after_in_child=let_go)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _send(results: BinaryIO, line: bytes) -> None:
    sys.stdout.flush()
    results.write(line)
    results.flush()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a TextIOWrapper here
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
