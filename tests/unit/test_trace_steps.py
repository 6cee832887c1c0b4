"""A step's subsegment is marked as failed when the step fails, and only then."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from bucketwise.telemetry import Telemetry


@dataclass
class Recorder:
    """Of X-Ray's SDK what a step calls."""

    calls: list[str] = field(default_factory=list)

    def begin_subsegment(self, name: str) -> SimpleNamespace:
        self.calls.append(name)
        return SimpleNamespace(add_error_flag=lambda: self.calls.append("error"))

    def end_subsegment(self) -> None:
        self.calls.append("end")


def test_a_step_that_fails_is_flagged_and_one_that_ends_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry, recorder = Telemetry("test"), Recorder()
    monkeypatch.setattr(telemetry.tracer, "provider", recorder)
    with telemetry.step("one"):
        pass
    assert recorder.calls == ["## one", "end"]
    with pytest.raises(ZeroDivisionError), telemetry.step("two"):
        raise ZeroDivisionError
    assert recorder.calls[2:] == ["## two", "error", "end"]
