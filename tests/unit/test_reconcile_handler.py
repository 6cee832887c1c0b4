"""The reconcile Lambda answers, logs and counts numbers, and no keys."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, InvalidSettings, QueueUnavailable
from bucketwise.settings import Settings
from ingest import reconcile_handler
from ingest.reconcile import Reconciliation
from ingest.reconcile_composition import build_reconciliation, telemetry
from tests.unit.fakes import LambdaContext, log_to_current_stdout, sample_event
from tests.unit.reconcile_fakes import MemoryInventory, MemoryListing, World

SECRET = "confidential-plans.txt"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    log_to_current_stdout(telemetry)
    world = World(MemoryListing({SECRET: "v1", "b.txt": "v2"}), MemoryInventory({"b.txt": "v1", "c.txt": "v1"}))
    monkeypatch.setattr(reconcile_handler, "reconciliation", world.reconciliation)
    yield world
    telemetry.metrics.clear_metrics()


def invoke() -> dict[str, Any]:
    reply: dict[str, Any] = reconcile_handler.lambda_handler(sample_event("reconcile"), LambdaContext())
    json.dumps(reply)  # Lambda sends it on as JSON
    return reply


def metrics_in(output: str) -> dict[str, Any]:
    emitted: dict[str, Any] = {}
    for line in output.splitlines():
        document = json.loads(line)
        if "_aws" in document:
            assert document["service"] == "reconcile"
            [directive] = document["_aws"]["CloudWatchMetrics"]
            emitted |= {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
    return emitted


def test_a_finished_pass_is_reported_and_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.collection.released = 3
    assert invoke() == {
        "finished": True, "looked_at": 3, "differences": 3, "sent": 3, "drift": 3, "collected": 3,
    }  # fmt: skip
    output = capsys.readouterr().out
    assert metrics_in(output) == {"ReconcileObjects": [3.0], "ReconcileDrift": [3.0], "VectorsCollected": [3.0]}
    assert SECRET not in output


def test_a_database_that_has_to_wake_up_is_waited_for_and_one_that_does_not_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    asleep = 2

    def reconciliation() -> Reconciliation:
        nonlocal asleep
        asleep -= 1
        if asleep >= 0:
            raise DatabaseUnavailable("the database did not answer, twice")
        return world.reconciliation()

    monkeypatch.setattr(reconcile_handler, "reconciliation", reconciliation)
    monkeypatch.setattr(time, "sleep", slept.append)
    assert invoke()["finished"]
    assert slept == [reconcile_handler.PAUSE_SECONDS] * 2
    asleep = 1_000_000
    monkeypatch.setattr(reconcile_handler, "WAKE_SECONDS", 0.0)
    with pytest.raises(DatabaseUnavailable):
        invoke()


def test_drift_is_counted_at_the_end_of_a_pass_and_only_then(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_handler, "reconciliation", lambda: world.reconciliation(step=1, most_backlog=1))
    assert invoke()["finished"] is False
    assert metrics_in(capsys.readouterr().out) == {}
    world.queue.handled = 2
    assert invoke()["finished"] is True
    assert metrics_in(capsys.readouterr().out) == {"ReconcileObjects": [3.0], "ReconcileDrift": [3.0]}


def test_the_drift_of_a_pass_is_counted_also_if_the_upkeep_after_it_fails(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*, deadline: Deadline) -> int:
        raise DatabaseUnavailable(f"the database did not answer, with {deadline.remaining():.0f} s left")

    monkeypatch.setattr(world.collection, "sweep", fail)
    monkeypatch.setattr(reconcile_handler, "WAKE_SECONDS", 0.0)
    with pytest.raises(DatabaseUnavailable):
        invoke()
    assert metrics_in(capsys.readouterr().out) == {"ReconcileObjects": [3.0], "ReconcileDrift": [3.0]}


def test_the_pass_that_fills_an_index_counts_no_drift(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.inventory.versions = {}
    assert invoke()["drift"] is None
    assert metrics_in(capsys.readouterr().out) == {"ReconcileObjects": [2.0]}


def test_a_failure_is_raised_and_logged_without_a_key(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.queue.takes = 1
    with pytest.raises(QueueUnavailable):
        invoke()
    output = capsys.readouterr().out
    assert '"error":"QueueUnavailable"' in output
    assert SECRET not in output


def test_without_a_queue_it_cannot_be_put_together() -> None:
    with pytest.raises(InvalidSettings, match="QUEUE_URL"):
        build_reconciliation(Settings.from_environment({"DATABASE_URL": "postgresql://nowhere"}))


def test_it_comes_without_the_packages_of_models_and_parsers() -> None:
    """They are most of a cold start, and not in its layers."""
    absent = dict.fromkeys(("openai", "charset_normalizer", "pypdfium2", "selectolax", "semantic_text_splitter"))
    program = f"import sys; sys.modules.update({absent}); import ingest.reconcile_handler"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
