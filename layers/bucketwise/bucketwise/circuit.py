"""A circuit breaker: a server that failed several times in a row is left alone for a while.

Without one, each request waits for a dead server until its own deadline, and only then gets what is there without it.
One for each endpoint and execution environment: what one environment met, another has to meet itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bucketwise.errors import ModelRefused, ModelUnavailable

FAILURES = 5  # in a row: with a fifth of all calls failing by chance, one in 3000
OPEN_SECONDS = 10.0
LASTING_SECONDS = 60.0  # a wrong key or an empty account is not mended sooner
# A call that was given less than this says more of the request's deadline than of the server.
SHORTEST_SECONDS = 1.0


@dataclass(slots=True)
class Circuit:
    """Closed: calls pass. Open: none does. Half open, once the time is over: the next one decides.

    ``clock`` is the wall clock: the monotonic one stands still while Lambda is frozen, and would keep a circuit open
    for requests that come hours later. Without a lock: ask does one thing after the other, and threads that met here
    would at worst send a call more.
    """

    clock: Callable[[], float] = time.time
    _failures: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _open_seconds: float = field(default=OPEN_SECONDS, init=False)

    def admit(self) -> None:
        """Raises ModelUnavailable while open. When half open, the call that is let through keeps others out."""
        if self._opened_at is None:
            return
        open_for = self.clock() - self._opened_at
        if 0 <= open_for < self._open_seconds:  # a clock that was set back keeps no circuit open
            left = self._open_seconds - open_for
            raise ModelUnavailable("the model's server failed again and again and is left alone", retry_after=left)
        self._opened_at = self.clock()

    def failed(self, error: ModelUnavailable | ModelRefused, *, given_seconds: float) -> None:
        """Counts a failure, of a call that was allowed to take so long; enough of them open the circuit.

        A refused key or account opens it at once, a refused request closes it: the server is there.
        """
        if isinstance(error, ModelRefused):
            if error.lasting:
                self._open(LASTING_SECONDS)
            else:
                self.succeeded()
        elif given_seconds >= SHORTEST_SECONDS:
            self._failures += 1
            if self._failures >= FAILURES:
                self._open(max(OPEN_SECONDS, min(error.retry_after or 0, LASTING_SECONDS)))

    def succeeded(self) -> None:
        """The server answered, be it with something that cannot be read."""
        self._failures = 0
        self._opened_at = None

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def _open(self, seconds: float) -> None:
        self._failures = FAILURES  # so that the call which is let through next decides alone
        self._opened_at = self.clock()
        self._open_seconds = seconds
