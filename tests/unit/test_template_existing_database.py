"""The stack with a PostgreSQL server that was there before."""

from typing import Any

import pytest

from migrate.handler import SCHEMA_SETTINGS
from tests.unit.template_model import (
    FUNCTIONS,
    ROLES,
    USERS,
    actions,
    attribute,
    decided,
    deployed,
    made,
    resources_for,
    variables,
)
from tests.unit.template_variants import EXISTING_CLUSTER, EXISTING_SERVER, VARIANTS

OWN = {
    "Database",
    "DatabaseInstance",
    "DatabaseParameters",
    "DatabaseSubnets",
    "DatabaseSecurityGroup",
    "ConnectionAlarm",
}
LOGINS = {
    "IngestFunction": {"Ref": "ExistingDatabaseIngestSecretArn"},
    "ReconcileFunction": {"Ref": "ExistingDatabaseIngestSecretArn"},
    "ReindexFunction": {"Ref": "ExistingDatabaseOwnerSecretArn"},
    "AskFunction": {"Ref": "ExistingDatabaseAskSecretArn"},
    "MigrateFunction": {"Ref": "ExistingDatabaseAdminSecretArn"},
}
ROOT_CERTIFICATE = {"Ref": "ExistingDatabaseCaSecretArn"}

every_function = pytest.mark.parametrize("function", FUNCTIONS)
either = pytest.mark.parametrize("given", [EXISTING_CLUSTER, EXISTING_SERVER], ids=["cluster", "server"])


@either
def test_with_an_existing_database_none_is_made_nor_watched(given: dict[str, str]) -> None:
    assert deployed().keys() - deployed(**given).keys() >= OWN
    assert not [each["Type"] for each in deployed(**given).values() if each["Type"].startswith("AWS::RDS::")]
    assert "DatabaseCluster" not in decided("Outputs", **given)
    assert decided("Outputs", **given)["DatabaseEndpoint"]["Value"] == {"Ref": "ExistingDatabaseHost"}


@every_function
@either
def test_every_function_goes_to_the_existing_database(function: str, given: dict[str, str]) -> None:
    names = ("DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME")
    assert [variables(function, **given)[name] for name in names] == [
        {"Ref": f"ExistingDatabase{what}"} for what in ("Host", "Port", "Name")
    ]


@pytest.mark.parametrize("function", USERS)
def test_on_a_cluster_each_function_logs_in_by_token_as_its_user_and_as_no_other(function: str) -> None:
    given = variables(function, **EXISTING_CLUSTER)
    assert (given["DATABASE_AUTH"], given["DATABASE_USER"], given["DATABASE_SECRET"]) == ("iam", USERS[function], "")
    [allowed] = resources_for(ROLES[function], "rds-db:connect", **EXISTING_CLUSTER)
    assert allowed["Fn::Sub"] == [
        f"arn:${{AWS::Partition}}:rds-db:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:${{Id}}/{USERS[function]}",
        {"Id": {"Ref": "ExistingDatabaseResourceId"}},
    ]


@every_function
def test_on_another_server_each_function_logs_in_with_its_secret_and_may_read_no_other(function: str) -> None:
    given = variables(function, **EXISTING_SERVER)
    assert (given["DATABASE_AUTH"], given["DATABASE_SECRET"]) == ("secret", LOGINS[function])
    readable = resources_for(ROLES[function], "secretsmanager:GetSecretValue", **EXISTING_SERVER)
    assert LOGINS[function] in readable
    assert [each for each in readable if each not in (LOGINS[function], {"Ref": "ModelKeySecret"})] == []
    assert "rds-db:connect" not in actions(ROLES[function], **EXISTING_SERVER)


def test_migrate_logs_in_as_the_administrator_of_a_cluster() -> None:
    given = variables("MigrateFunction", **EXISTING_CLUSTER)
    login = (given["DATABASE_AUTH"], given["DATABASE_SECRET"])
    assert login == ("secret", {"Ref": "ExistingDatabaseAdminSecretArn"})
    assert resources_for("MigrateRole", "secretsmanager:GetSecretValue", **EXISTING_CLUSTER) == [login[1]]


@every_function
@pytest.mark.parametrize(
    ("variant", "believed"),
    [
        ("everything made", ""),
        ("existing cluster", ""),
        ("existing server", "public"),
        ("existing server, certified by its owner", ROOT_CERTIFICATE),
    ],
)
def test_the_servers_certificate_is_checked_against_whom_it_is_from(function: str, variant: str, believed: Any) -> None:
    given = VARIANTS[variant]
    readable = resources_for(ROLES[function], "secretsmanager:GetSecretValue", **given)
    assert variables(function, **given)["DATABASE_CA"] == believed
    assert (ROOT_CERTIFICATE in readable) == (believed == ROOT_CERTIFICATE)


def test_the_servers_security_group_lets_the_functions_in_and_the_functions_go_nowhere_else() -> None:
    way_in, way_out = (made(name, **EXISTING_CLUSTER) for name in ("ExistingDatabaseIngress", "FunctionsToDatabase"))
    group, port = {"Ref": "ExistingDatabaseSecurityGroupId"}, {"Ref": "ExistingDatabasePort"}
    assert (way_in["GroupId"], way_in["SourceSecurityGroupId"]) == (group, {"Ref": "FunctionSecurityGroup"})
    assert (way_in["FromPort"], way_in["ToPort"], way_in["IpProtocol"]) == (port, port, "tcp")
    assert (way_out["DestinationSecurityGroupId"], way_out["FromPort"], way_out["ToPort"]) == (group, port, port)
    assert "CidrIp" not in way_out


def test_a_server_without_a_security_group_is_reached_by_its_port_alone() -> None:
    way_out = made("FunctionsToDatabase", **EXISTING_SERVER)
    port = {"Ref": "ExistingDatabasePort"}
    assert (way_out["CidrIp"], way_out["FromPort"], way_out["ToPort"]) == ("0.0.0.0/0", port, port)
    assert "DestinationSecurityGroupId" not in way_out
    assert "ExistingDatabaseIngress" not in deployed(**EXISTING_SERVER)


def test_the_migration_waits_until_the_functions_are_let_in() -> None:
    assert made("Migration", **EXISTING_CLUSTER)["Ingress"] == {"Ref": "ExistingDatabaseIngress"}
    assert deployed(**EXISTING_CLUSTER)["Migration"]["DependsOn"] == "FunctionsToDatabase"


@pytest.mark.parametrize("variant", ["everything made", "existing cluster", "existing server, certified by its owner"])
def test_the_migration_runs_again_when_anything_changes_that_it_reads(variant: str) -> None:
    """CloudFormation looks at the properties alone, and not at the environment of the function behind them."""
    given = VARIANTS[variant]
    read = {
        name: value
        for name, value in variables("MigrateFunction", **given).items()
        if name.startswith(SCHEMA_SETTINGS) and isinstance(value, dict)
    }
    told = made("Migration", **given).values()
    assert len(read) >= 5
    # The endpoint's address is the writer instance's by another name.
    own = {"DATABASE_HOST": attribute("Database", "Endpoint.Address")}
    assert {name: value for name, value in read.items() if value not in told and value != own.get(name)} == {}


def test_the_migration_runs_again_for_a_server_that_proves_itself_otherwise() -> None:
    public = made("Migration", **EXISTING_SERVER)
    own = made("Migration", **EXISTING_SERVER | {"ExistingDatabaseCa": "rds"})
    assert (public["Ca"], own["Ca"]) == ("public", "")


@pytest.mark.parametrize("name", ["FunctionsToDatabase", "Migration"])
def test_an_own_database_needs_nothing_of_an_existing_one(name: str) -> None:
    assert "Existing" not in str(deployed()[name])
    assert deployed()["Database"]["Properties"]["MasterUsername"]
    assert resources_for("MigrateRole", "secretsmanager:GetSecretValue") == [
        attribute("Database", "MasterUserSecret.SecretArn")
    ]
