"""A built function under AWS's runtime client, behind the Runtime Interface Emulator that comes with SAM.

What runs is what would be uploaded: the built folder, the built layers' folders, Lambda's version of Python,
and the client that the managed runtime uses. Only the machine is not Amazon Linux.
"""

import json
import platform
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local import ROOT

PATH = "2015-03-31/functions/function/invocations"
START_SECONDS = 20.0
INVOKE_SECONDS = 90.0


class EmulatorDied(RuntimeError):
    """The emulator did not start; the text is its log."""


def emulator_binary() -> Path:
    machine = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    [found] = (ROOT / ".venv-sam").glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}")
    return found


@dataclass
class Emulator:
    """One execution environment. It takes one event at a time: a second one at once would end it."""

    python: str
    code: Path
    layers: Sequence[Path]
    handler: str
    variables: Mapping[str, str]
    log: Path
    seconds: int = 60
    _port: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._port, runtime_port = _free_port(), _free_port()
        command = [
            str(emulator_binary()),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *(self.python, "-m", "awslambdaric", self.handler),
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=self.code, env=self._environment(), stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise EmulatorDied(self.log.read_text())
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def invoke(self, event: Any) -> Any:
        """The handler's result, or what the emulator says of its error."""
        url = f"http://127.0.0.1:{self._port}/{PATH}"
        request = urllib.request.Request(url, json.dumps(event).encode())  # ours
        with urllib.request.urlopen(request, timeout=INVOKE_SECONDS) as reply:  # noqa: S310
            return json.loads(reply.read())

    def _environment(self) -> dict[str, str]:
        mounted = [str(layer / "python") for layer in self.layers]
        return {
            **self.variables,
            "PATH": "/usr/bin:/bin",
            "LAMBDA_TASK_ROOT": str(self.code),
            "PYTHONPATH": ":".join([str(ROOT / ".aws-sam" / "runtime"), str(self.code), *mounted]),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only
            "AWS_LAMBDA_FUNCTION_NAME": self.handler.partition(".")[0],
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.seconds),
        }

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=0.2):
                return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
