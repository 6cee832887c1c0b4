"""What the README says of a deployment is what the template does."""

import re

import pytest

from tests.unit.template_model import ROOT, of_type, parameter, stack

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## Deploy it to AWS\n", 1)[1].split("\n## ", 1)[0]
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in SECTION.splitlines() if row.startswith("| ")]
MINUTES_AWAKE = 10  # the pass, four minutes of idle_session_timeout, five of AutoPauseSeconds
ACU_HOUR = 0.12


def row(beginning: str) -> list[str]:
    [found] = [each for each in ROWS if each[0].startswith(beginning)]
    return found


def wake_ups(minutes: int) -> str:
    """What a month of comparisons costs a stack that nobody uses, in dollars."""
    return f"{30 * 1440 / minutes * MINUTES_AWAKE / 60 * 0.5 * ACU_HOUR:.2f}"


def test_the_parameters_that_the_readme_names_exist_and_take_the_values_it_gives() -> None:
    given = re.findall(r"`([A-Z][a-z]\w+)=(\w+)`", SECTION)
    assert {name for name, _ in given} >= {"ReconcileMinutes", "TagObjects", "NatGateway"}
    for name, value in given:
        assert value in [str(each) for each in parameter(name).get("AllowedValues", [value])]
    assert {"ExistingBucketName", "DocumentsPrefix", "ExistingBucketKmsKeyArn"} <= stack()["Parameters"].keys()


def test_the_outputs_that_the_readme_uses_exist() -> None:
    names = {name.title().replace("_", "") for name in re.findall(r'"\$([A-Z_]+)["/]', SECTION)}
    assert names - stack()["Outputs"].keys() == {"OpenaiApiKey", "AwsAccessKeyId"} & names


@pytest.mark.parametrize("column", [1, 2])
def test_the_costs_add_up(column: int) -> None:
    *items, total = [float(each[column].strip("*")) for each in ROWS if re.fullmatch(r"\**[\d.]+\**", each[column])]
    assert total == pytest.approx(sum(items))


def test_the_alarms_are_counted() -> None:
    assert f" {len(of_type('AWS::CloudWatch::Alarm'))} alarms (0.10 $)" in SECTION


def test_the_cost_of_waking_the_database_is_that_of_the_default_interval() -> None:
    default = parameter("ReconcileMinutes")["Default"]
    assert f"`ReconcileMinutes={default}`" in SECTION
    assert row("Aurora woken by reconcile")[1] == wake_ups(default)
    assert f"`ReconcileMinutes=60` that is {wake_ups(60)} $ a month instead of {wake_ups(default)} $" in SECTION
