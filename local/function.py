"""A Lambda function: execution environments that are kept warm, up to its concurrency."""

import threading
from types import TracebackType
from typing import Any, Self

from local.environment import Configuration, Environment, FunctionError


class Throttled(FunctionError):
    """Every environment stayed busy for as long as the caller would wait, or the function is closed."""

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class Function:
    """Invocable from many threads. Environments start on demand, at most ``concurrency`` of them at once."""

    def __init__(self, configuration: Configuration, *, concurrency: int = 1) -> None:
        self.configuration = configuration
        self._free = threading.Semaphore(concurrency)
        self._lock = threading.Lock()
        self._idle: list[Environment] = []
        self._all: set[Environment] = set()
        self._closed = False

    def invoke(self, event: Any, *, wait_seconds: float | None = None) -> Any:
        """The handler's result for ``event``, both as JSON would carry them.

        Waits for a free environment (None: as long as it takes), then raises Throttled. Raises FunctionError
        with Lambda's error type when the handler raised, could not be imported, timed out or ended its process.
        """
        if not self._free.acquire(timeout=wait_seconds):
            raise Throttled
        try:
            environment = self._take()
            try:
                return environment.invoke(event)
            finally:
                self._give_back(environment)
        finally:
            self._free.release()

    def close(self) -> None:
        """Ends all environments, busy ones too: their invocations fail. Later ones are throttled."""
        with self._lock:
            self._closed = True
            environments = list(self._all)
        for environment in environments:
            environment.release()
        for environment in environments:
            environment.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> Environment:
        with self._lock:
            if self._closed:
                raise Throttled
            while self._idle:
                environment = self._idle.pop()  # the one used last, so that a burst's others stay unused
                if environment.alive:
                    return environment
                self._all.discard(environment)
            environment = Environment(self.configuration)
            self._all.add(environment)
            return environment

    def _give_back(self, environment: Environment) -> None:
        with self._lock:
            if environment.alive:
                self._idle.append(environment)
            else:
                self._all.discard(environment)
