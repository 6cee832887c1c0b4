"""The benchmark of failing models, as a command, on a few questions; and how it counts."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.faults import SECONDS, Asked, FaultsByChance, kind_of, summary
from local import ROOT


def test_while_half_of_all_calls_fail_every_question_gets_a_typed_reply_in_time() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults", "--requests", "20", "--share", "0.5"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MIN_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured = json.loads(line)
    assert (measured["requests"], measured["untyped_500"], measured["over_deadline"]) == (20, 0, 0)
    assert measured["share_ok"] >= 0.99
    assert measured["degraded"] > 0
    assert measured["failed_calls"] > 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"degraded": False, "answered": True}, "answered"),
        (200, {"degraded": True, "answered": True}, "degraded"),
        (200, {"degraded": False, "answered": False}, "unanswered"),
        (503, {"type": "urn:bucketwise:problem:too-slow"}, "too-slow"),
        (500, {"type": "urn:bucketwise:problem:internal"}, "untyped"),
        (502, {"message": "Internal server error"}, "untyped"),
        (504, {"message": "Endpoint request timed out"}, "untyped"),
    ],
)
def test_a_reply_is_counted_as_what_its_caller_got(status: int, body: dict[str, Any], kind: str) -> None:
    assert kind_of(status, body) == kind


def test_what_is_late_or_untyped_or_a_problem_shows() -> None:
    asked = [Asked(1.0, "answered"), Asked(SECONDS + 1, "degraded"), Asked(1.0, "untyped"), Asked(1.0, "too-slow")]
    found = summary(asked)
    assert (found["share_ok"], found["over_deadline"], found["untyped_500"]) == (0.5, 1, 1)
    assert found["problems"] == {"too-slow": 1}


def test_a_share_of_calls_fails_and_the_others_do_not() -> None:
    faults = FaultsByChance(0.25, seed=1)
    failed = [faults.take("embeddings") for _ in range(2000)]
    assert 400 < sum(fault is not None for fault in failed) < 600
    assert {fault.kind for fault in failed if fault is not None} == {"status", "hang", "cut", "garbage", "empty"}
    assert (faults.calls, faults.failed) == (2000, sum(fault is not None for fault in failed))
