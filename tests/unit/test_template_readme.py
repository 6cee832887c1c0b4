"""What the README says of a deployment is what the template does."""

import re

import pytest

from tests.unit.template_model import ROOT, deployed, parameter, properties, stack
from tests.unit.template_variants import VARIANTS

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## Deploy it to AWS\n", 1)[1].split("\n## ", 1)[0]
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in SECTION.splitlines() if row.startswith("| ")]
MINUTES_AWAKE = 10  # the pass, four minutes of idle_session_timeout, five of AutoPauseSeconds
ACU_HOUR = 0.12
COLUMNS_OF_COSTS = 3


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


def test_every_way_to_deploy_names_parameters_that_there_are() -> None:
    ways = ROWS[ROWS.index(["to have", "give"]) + 1 : ROWS.index(["", "idle", "10,000 questions"])]
    named = {name for _, given in ways for name in re.findall(r"`([A-Z][A-Za-z]+)[`=]", given)}
    assert len(ways) > 8
    assert named <= stack()["Parameters"].keys()
    existing = {name for name in stack()["Parameters"] if name.startswith("Existing")}
    assert existing - named == {"ExistingDatabasePort", "ExistingDatabaseName"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_way_to_deploy_is_in_the_readme(variant: str) -> None:
    given = {name for name in VARIANTS[variant] if name.startswith(("Existing", "Database", "NatGateway", "Make"))}
    unsaid = {"ExistingDatabasePort", "ExistingDatabaseName", "DatabaseMinCapacity", "MakeDashboard"}
    assert [name for name in given - unsaid if f"`{name}" not in SECTION] == []


def test_the_number_of_connections_that_a_database_must_have_is_that_of_the_template() -> None:
    told = "`AskConcurrency` + `IngestMaximumConcurrency` + 5 at seven tenths"
    assert told in SECTION
    assert (
        told.replace("`", "").replace("at seven", "at most seven") in parameter("ExistingDatabaseHost")["Description"]
    )


def test_the_outputs_that_the_readme_uses_exist() -> None:
    names = {name.title().replace("_", "") for name in re.findall(r'"\$([A-Z_]+)["/]', SECTION)}
    assert names - stack()["Outputs"].keys() == {"OpenaiApiKey", "AwsAccessKeyId"} & names


@pytest.mark.parametrize("column", [1, 2])
def test_the_costs_add_up(column: int) -> None:
    costs = [each[column].strip("*") for each in ROWS if len(each) == COLUMNS_OF_COSTS]
    *items, total = [float(text) for text in costs if re.fullmatch(r"[\d.]+", text)]
    assert total == pytest.approx(sum(items))


def test_the_secrets_and_alarms_of_a_default_deployment_are_counted() -> None:
    types = [each["Type"] for each in deployed().values()]
    alarms = types.count("AWS::CloudWatch::Alarm")
    secrets = types.count("AWS::SecretsManager::Secret") + 1  # and the one that RDS keeps for the master user
    cost = f"{secrets * 0.40 + alarms * 0.10:.2f}"
    assert row("2 secrets") == [f"{secrets} secrets (0.40 $) and {alarms} alarms (0.10 $)", cost, cost]


def test_which_key_encrypts_a_secret_that_is_named_is_told_with_each_and_in_the_readme() -> None:
    named = [name for name in stack()["Parameters"] if name.endswith("SecretArn")]
    assert len(named) == 6
    told = "encrypted with Secrets Manager's own KMS key"
    assert [name for name in named if told not in parameter(name)["Description"]] == []
    assert told in " ".join(SECTION.split())


def test_a_change_of_tenants_is_waited_for_as_long_as_a_worker_may_take() -> None:
    changing = " ".join(README.split("**Changing it.**", 1)[1].split("\n\n", 1)[0].split())
    assert "for up to five minutes: [have the comparison made](#deploy-it-to-aws) after that" in changing
    assert properties("IngestFunction")["Timeout"] == 5 * 60


def test_security_promises_of_a_changed_setting_what_reliability_does() -> None:
    promise = "when all is quiet after a comparison that began after the change, no other tenant has it"
    for page in ("reliability", "security"):
        assert promise in " ".join((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").split())


def test_the_cost_of_waking_the_database_is_that_of_the_default_interval() -> None:
    default = parameter("ReconcileMinutes")["Default"]
    assert f"`ReconcileMinutes={default}`" in SECTION
    assert row("Aurora woken by reconcile")[1] == wake_ups(default)
    assert f"`ReconcileMinutes=60` that is {wake_ups(60)} $ a month instead of {wake_ups(default)} $" in SECTION
