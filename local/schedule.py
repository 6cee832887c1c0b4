"""EventBridge Scheduler's stand-in: invokes a function every so many seconds."""

import logging
import threading

from local.environment import FunctionError
from local.function import Function

# What the template's schedule sends, as far as anybody might look at it.
SCHEDULED_EVENT = {"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}

_logger = logging.getLogger(__name__)


class Schedule:
    """The first invocation comes after ``seconds``. One that fails is logged, and the next comes in its turn."""

    def __init__(self, function: Function, *, seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"schedule of {function.configuration.name}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Returns when an invocation under way is done, after ``timeout`` s at the latest."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._function.invoke(SCHEDULED_EVENT)
            except FunctionError as error:
                _logger.warning("%s failed: %s", self._function.configuration.name, error.error_type)
