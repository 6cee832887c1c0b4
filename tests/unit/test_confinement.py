"""What a parsing child gives up, where a platform does not allow a filter of system calls."""

import os
import resource

import pytest

from ingest.sandbox import confinement
from ingest.sandbox.confinement import Limits, confine


def test_a_narrower_bound_that_is_there_stays() -> None:
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
            confine(Limits(memory_bytes=1 << 34, cpu_seconds=5))
            os._exit(7 if resource.getrlimit(resource.RLIMIT_CPU) == (3, 3) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_limits_hold_also_where_system_calls_cannot_be_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_machine: str) -> None:
        raise OSError("prctl")

    monkeypatch.setattr(confinement, "_filter_calls", refuse)
    child = os.fork()
    if child == 0:
        try:
            confine(Limits(memory_bytes=1 << 34, cpu_seconds=5))
            limits = [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]
            os._exit(7 if limits == [(5, 5), (0, 0)] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
