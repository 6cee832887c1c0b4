"""The twin's schedule invokes its function again and again, whatever became of the last time."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.environment import Configuration, FunctionError
from local.function import Function
from local.schedule import SCHEDULED_EVENT, Schedule

PATIENCE = 30.0  # seconds


class Recording(Function):
    """Fails the first time, and keeps what it was invoked with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Configuration(name="recording", handler="none.needed", log_file=folder / "log"))
        self.events: list[Any] = []
        self.three = threading.Event()

    def invoke(self, event: Any, *, wait_seconds: float | None = None) -> Any:  # noqa: ARG002  # it is always free
        self.events.append(event)
        if len(self.events) == 3:
            self.three.set()
        if len(self.events) == 1:
            raise FunctionError("DatabaseUnavailable", "the database did not answer, twice")


@pytest.fixture
def function(tmp_path: Path) -> Iterator[Recording]:
    with Recording(tmp_path) as function:
        yield function


def test_it_goes_on_after_a_failure_and_ends_when_it_is_stopped(function: Recording) -> None:
    schedule = Schedule(function, seconds=0.01)
    schedule.start()
    assert function.three.wait(PATIENCE)
    schedule.stop()
    assert "schedule of recording" not in {thread.name for thread in threading.enumerate()}
    assert function.events[:3] == [SCHEDULED_EVENT] * 3


def test_the_first_time_comes_after_the_interval(function: Recording) -> None:
    schedule = Schedule(function, seconds=3600)
    schedule.start()
    schedule.stop()
    assert function.events == []
