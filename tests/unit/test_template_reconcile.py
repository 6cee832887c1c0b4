"""Reconcile and its schedule, and what runs without the parsers."""

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.template_model import ROOT, SCHEDULE, attribute, deployed, of_type, parameter, properties

PARSERS = ("charset_normalizer", "pypdfium2", "selectolax", "semantic_text_splitter")


def schedule() -> dict[str, Any]:
    return properties(SCHEDULE)


def test_reconcile_comes_by_schedule_every_so_many_minutes() -> None:
    assert list(of_type("AWS::Scheduler::Schedule")) == [SCHEDULE]
    assert schedule()["ScheduleExpression"] == {"Fn::Sub": "rate(${ReconcileMinutes} minutes)"}
    assert schedule()["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule()["Target"]["Arn"] == attribute("ReconcileFunction")


def test_the_first_pass_does_not_wait() -> None:
    """A rate without a start date begins at once (EventBridge Scheduler's user guide, "Schedule types")."""
    assert "StartDate" not in schedule()
    assert schedule().get("State", "ENABLED") == "ENABLED"


def test_two_stacks_have_schedules_of_different_names() -> None:
    assert "Name" not in schedule()


def test_a_pass_is_over_before_the_next_begins() -> None:
    assert properties("ReconcileFunction")["Timeout"] <= 60 * min(parameter("ReconcileMinutes")["AllowedValues"])


def test_reconcile_reserves_no_concurrency() -> None:
    assert "ReservedConcurrentExecutions" not in properties("ReconcileFunction")


def test_a_pass_that_fails_is_tried_once_more() -> None:
    assert schedule()["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 1
    [tries] = of_type("AWS::Lambda::EventInvokeConfig").values()
    assert (tries["FunctionName"], tries["MaximumRetryAttempts"]) == ({"Ref": "ReconcileFunction"}, 1)


def test_the_schedule_may_invoke_reconcile_and_do_nothing_else() -> None:
    role = properties("ReconcileScheduleRole")
    [policy] = role["Policies"]
    assert schedule()["Target"]["RoleArn"] == attribute("ReconcileScheduleRole")
    assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": attribute("ReconcileFunction")}
    ]


def test_only_this_accounts_schedules_may_take_the_schedules_role() -> None:
    [trust] = properties("ReconcileScheduleRole")["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "scheduler.amazonaws.com"}, "sts:AssumeRole")
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_reconcile_and_reindex_have_time_for_what_they_do() -> None:
    assert [properties(name)["Timeout"] for name in ("ReconcileFunction", "ReindexFunction")] == [900, 900]
    assert [properties(name)["MemorySize"] for name in ("ReconcileFunction", "ReindexFunction")] == [512, 1024]


def test_nothing_but_a_person_invokes_reindex() -> None:
    invoked = {"Ref": "ReindexFunction"}
    assert not [name for name, each in of_type("AWS::Lambda::Permission").items() if each["FunctionName"] == invoked]
    assert not [name for name in deployed() if name.startswith("ReindexFunction") and name != "ReindexFunction"]


@pytest.mark.parametrize("function", ["AskFunction", "ReconcileFunction", "ReindexFunction", "MigrateFunction"])
def test_a_function_without_the_parsers_imports_none_of_them(function: str) -> None:
    module = properties(function)["Handler"].rpartition(".")[0]
    refused = f"import sys; sys.modules.update(dict.fromkeys({PARSERS}, None)); import {module}"
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "layers/bucketwise"))
    environment = {"PYTHONPATH": paths, "PATH": os.defpath, "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([sys.executable, "-c", refused], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
