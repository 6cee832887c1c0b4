"""Starts the model server under a guard."""

import json
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from local.process import GuardedProcess

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class LocalModels:
    """A running model server; ``url`` is what an OpenAI client calls its base URL."""

    url: str
    _process: GuardedProcess

    @classmethod
    def start(cls, *, latency_ms: float = 0.0, faults: bool = False, log: Path | None = None) -> Self:
        """Raises ServerDied with the tail of its log if it does not come up."""
        options = ["--latency-ms", str(latency_ms), *(["--faults"] if faults else [])]
        process = GuardedProcess.start(
            [sys.executable, "-m", "local.model_server", *options], env={}, cwd=_ROOT, log=log
        )
        with ExitStack() as unless_ready:
            unless_ready.callback(process.stop)
            started = cls(process.read_ready()["url"], process)
            unless_ready.pop_all()
        return started

    def add_fault(self, **what: object) -> None:
        """How the next calls fail, see local.model_server.faults; of a server that was started with ``faults``."""
        self._faults("POST", json.dumps(what).encode())

    def clear_faults(self) -> None:
        self._faults("DELETE", None)

    def _faults(self, method: str, body: bytes | None) -> None:
        request = urllib.request.Request(self.url.removesuffix("/v1") + "/faults", body, method=method)  # noqa: S310
        urllib.request.urlopen(request).close()  # noqa: S310  # on 127.0.0.1

    def stop(self) -> None:
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
