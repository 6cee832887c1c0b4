"""The runbook is true: its commands exist, its alarms are the template's, its costs add up."""

import re
import subprocess
from typing import Any

import pytest

from tests.unit.aws_commands import faults_of, in_shell
from tests.unit.template_model import ROOT, SAM, deployed, needs_sam, of_type, parameter, properties, stack
from tests.unit.template_variants import VARIANTS

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line.strip()
]
ALARMS = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))
HOURS, ACU_HOUR = 730, 0.12
QUESTIONS = (0, 0, 1_000, 100_000)


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables but their heads."""
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# ---------------------------------------------------------------- alarms
def test_every_alarm_of_the_template_is_explained_and_no_other() -> None:
    assert ALARMS.keys() == of_type("AWS::CloudWatch::Alarm").keys()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_three_things_to_look_at(name: str) -> None:
    means, _, look = ALARMS[name].partition("\n\n")
    assert means
    assert re.findall(r"^(\d)\. ", look, re.MULTILINE) == ["1", "2", "3"]


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= anchors


# ---------------------------------------------------------------- commands
AWS_COMMANDS = [command for line in COMMANDS for command in in_shell(line) if command[0] == "aws"]


def test_there_are_commands_to_check() -> None:
    assert len(AWS_COMMANDS) >= 20
    assert {"rds", "sqs", "lambda", "cloudformation", "s3api"} <= {command[1] for command in AWS_COMMANDS}


@pytest.mark.parametrize("command", AWS_COMMANDS, ids=lambda command: " ".join(command[1:3]))
def test_a_command_of_the_aws_cli_has_options_that_there_are(command: list[str]) -> None:
    assert faults_of(command) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("aws sqs start-message-move --source-arn x", "no operation"),
        ("aws sqs start-message-move-task --source x", "no option"),
        ("aws sqs start-message-move-task", "lacks --source-arn"),
        ("aws nothing at-all", "no service"),
        (
            "aws rds modify-db-cluster --db-cluster-identifier x --serverless-v2-scaling-configuration Least=1",
            "no member",
        ),
        ("aws lambda invoke --function-name f", "lacks the file"),
        ("aws s3 cp a b --versions", "no option"),
    ],
)
def test_a_command_that_is_wrong_would_be_found(wrong: str, fault: str) -> None:
    assert any(found.startswith(fault) for command in in_shell(wrong) for found in faults_of(command))


def test_sam_has_the_commands_and_options() -> None:
    needs_sam()
    for words in (command for line in COMMANDS for command in in_shell(line) if command[0] == "sam"):
        help_text = subprocess.run(
            [str(SAM / "sam"), words[1], "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert [option for option in words if option.startswith("--") and option not in help_text] == []


def test_make_has_the_targets_and_takes_the_variables() -> None:
    used = [command for line in [*COMMANDS, *re.findall(r"`(make .*?)`", PAGE)] for command in in_shell(line)]
    for _, target, *variables in (command for command in used if command[0] == "make"):
        assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE), target
        for variable in variables:
            assert f"$({variable.partition('=')[0]})" in MAKEFILE


def test_every_command_is_of_a_kind_that_is_checked() -> None:
    known = {"aws", "sam", "make", "api", "git", "export", "curl", "echo", "date", "grep", "done", "for"}
    assert {command[0] for line in COMMANDS for command in in_shell(line)} <= known


def test_outputs_resources_and_parameters_that_it_names_exist() -> None:
    loops = set(re.findall(r"for function in ([\w ]+);", PAGE)[0].split())
    assert set(re.findall(r"\$\(output (\w+)\)", PAGE)) <= stack()["Outputs"].keys()
    assert set(re.findall(r"\$\(resource (\w+)\)", PAGE)) | loops <= stack()["Resources"].keys()
    named = re.findall(r"`([A-Z][a-z]\w+)=(\w+)`", PAGE)
    assert named
    for name, value in named:
        assert value in [str(each) for each in parameter(name).get("AllowedValues", [value])]


def test_the_spans_of_time_it_names_are_the_templates() -> None:
    assert properties("Database")["BackupRetentionPeriod"] == 7
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert properties("IngestQueue")["RedrivePolicy"]["maxReceiveCount"] == 10
    assert properties("IngestQueue")["VisibilityTimeout"] == 30 * 60
    [old, _] = properties("DocumentsBucket")["LifecycleConfiguration"]["Rules"]
    assert old["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert parameter("AskConcurrency")["Default"] == 50
    for told in (
        "backups of seven days",
        "after their 14 days",
        "in ten tries",
        "hidden for half an hour",
        "for 30 days",
    ):
        assert told in PAGE


# ---------------------------------------------------------------- costs
COSTS: dict[str, list[float]] = {
    "NAT gateway (0.045": [(0.045 + 0.005) * HOURS, 0, (0.045 + 0.005) * HOURS, (0.045 + 0.005) * HOURS],
    "2 interface endpoints": [0, 2 * 2 * 0.01 * HOURS, 0, 0],
    "Aurora Serverless v2 (0.12": [0, 0, ACU_HOUR * 3 * 22 * 0.5, ACU_HOUR * HOURS * 1],
    "Aurora woken by reconcile once a day": [*[ACU_HOUR * 30 * 10 / 60 * 0.5] * 3, 0],
    "Aurora storage (0.10": [0.1 * gigabytes for gigabytes in (1, 1, 1, 20)],
    "2 secrets (0.40": [2 * 0.40] * 4,
    "14 alarms (0.10": [14 * 0.10] * 4,
    "30 metrics of its own (0.30": [0.30 * share / HOURS for share in (3 * 30, 3 * 30, 30 * 66, 30 * HOURS)],
    "Logs (0.50": [0.50 * 4e-6 * asked for asked in QUESTIONS],
    "X-Ray (5.00": [5 / 1e6 * asked for asked in QUESTIONS],
    "Lambda, arm64 (0.0000133334": [0.0000133334 * 2 * 1.73 * asked for asked in QUESTIONS],
    "API Gateway (3.50": [3.5 / 1e6 * asked for asked in QUESTIONS],
    "gpt-4.1-mini (0.40 $ / 1.60": [(3000 * 0.40 + 200 * 1.60) / 1e6 * asked for asked in QUESTIONS],
}


def test_each_cost_is_what_its_unit_price_makes() -> None:
    shown = {row[0]: row[1:] for row in rows(section("What it costs")) if len(row) == 5}
    computed: dict[str, Any] = {}
    for name in shown:
        of_name = [values for beginning, values in COSTS.items() if name.startswith(beginning)]
        computed[name] = [f"{value:.2f}" for values in of_name for value in values] or shown[name]
    assert shown == computed
    assert len(shown) == len(COSTS) + 1


def test_the_costs_add_up() -> None:
    *items, total = [row[1:] for row in rows(section("What it costs")) if len(row) == 5]
    for column, value in enumerate(total):
        assert float(value.strip("*")) == pytest.approx(sum(float(item[column]) for item in items))


def test_what_waking_the_database_costs_is_computed_for_intervals_that_there_are() -> None:
    shown = [row for row in rows(section("What it costs")) if len(row) == 3]
    allowed = parameter("ReconcileMinutes")["AllowedValues"]
    assert len(shown) == 4
    for minutes, times, dollars in shown:
        assert int(minutes) in allowed
        assert int(times.replace(",", "")) == 30 * 24 * 60 / int(minutes)
        assert dollars == f"{30 * 24 * 60 / int(minutes) * 10 / 60 * 0.5 * ACU_HOUR:.2f}"
    assert f"{0.5 * ACU_HOUR * HOURS:.2f} $ at 0.5 ACU" in PAGE


def test_as_many_alarms_and_secrets_are_counted_as_there_are() -> None:
    types = [each["Type"] for each in deployed().values()]
    assert types.count("AWS::CloudWatch::Alarm") == 14
    assert types.count("AWS::SecretsManager::Secret") + 1 == 2  # and the one that RDS keeps for the master user


def test_the_alarms_that_are_not_counted_are_made_by_the_parameters_that_are_named() -> None:
    assert "(0.10 $; `DailySpendAlarmUsd` and `Auth=jwt` make one more each)" in PAGE
    for given, made in (({"DailySpendAlarmUsd": "10"}, "SpendAlarm"), (VARIANTS["tokens"], "AuthorizerAlarm")):
        more = deployed(**given).keys() - deployed().keys()
        assert [name for name in more if name.endswith("Alarm")] == [made]


def test_a_stack_without_outputs_is_taken_away_by_its_resources() -> None:
    """As what a creation that failed leaves: it has no outputs, and the database that it made is protected."""
    failed = section("A first deployment that failed")
    assert "$(output " not in failed
    assert "$(resource Database)" in failed
    assert properties("Database")["DeletionProtection"] is True
