"""What each function may do, and on what."""

import json
from typing import Any

import pytest

from tests.unit.template_model import (
    FUNCTIONS,
    ROLES,
    attribute,
    dependencies,
    listed,
    of_type,
    properties,
    resources_for,
    stack,
    statements,
)

# Actions for which AWS knows no finer resource: traces, and network interfaces that are yet to be made.
UNBOUND = ("xray:", "ec2:")
SECRETS: dict[str, Any] = {
    "IngestRole": {"Ref": "ModelKeySecret"},
    "AskRole": {"Ref": "ModelKeySecret"},
    "MigrateRole": attribute("Database", "MasterUserSecret.SecretArn"),
}

every_role = pytest.mark.parametrize("role", ROLES.values())


@every_role
def test_a_role_has_no_managed_policy(role: str) -> None:
    assert "ManagedPolicyArns" not in properties(role)


def test_nothing_has_full_access() -> None:
    assert "FullAccess" not in json.dumps(stack())


@every_role
def test_a_role_is_lambdas_alone(role: str) -> None:
    [trust] = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


@every_role
def test_a_role_may_do_things_on_anything_only_where_aws_knows_nothing_finer(role: str) -> None:
    unbound = [
        action
        for statement in statements(role)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    ]
    assert unbound
    assert [action for action in unbound if not action.startswith(UNBOUND)] == []


@every_role
def test_no_role_may_do_a_whole_family_of_things(role: str) -> None:
    assert not [action for statement in statements(role) for action in listed(statement["Action"]) if "*" in action]


@every_role
def test_a_role_is_whole_before_its_function_is_made(role: str) -> None:
    """Lambda refuses a function in a network, or a mapping, whose role may not use it yet."""
    assert {name for name, given in of_type("AWS::IAM::RolePolicy").items() if given["RoleName"] == {"Ref": role}} == (
        set()
    )
    assert resources_for(role, "ec2:CreateNetworkInterface") == ["*"]
    [function] = [name for name in FUNCTIONS if ROLES[name] == role]
    assert role in dependencies(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_write_to_its_own_log_group_and_no_other(function: str) -> None:
    group = properties(function)["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources_for(ROLES[function], "logs:PutLogEvents") == [attribute(group)]
    assert resources_for(ROLES[function], "logs:CreateLogStream") == [attribute(group)]


@every_role
def test_a_role_may_read_one_secret(role: str) -> None:
    assert resources_for(role, "secretsmanager:GetSecretValue") == [SECRETS[role]]


@pytest.mark.parametrize(("role", "user"), [("IngestRole", "bucketwise_ingest"), ("AskRole", "bucketwise_ask")])
def test_a_role_may_log_in_as_one_database_user(role: str, user: str) -> None:
    [allowed] = resources_for(role, "rds-db:connect")
    assert allowed["Fn::Sub"] == (
        "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:"
        f"${{Database.DBClusterResourceId}}/{user}"
    )


@pytest.mark.parametrize("role", ["IngestRole", "AskRole"])
def test_documents_may_be_read_in_every_version(role: str) -> None:
    """Ask signs links with its role: a link can do no more than the role."""
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert resources_for(role, action) == [{"Fn::Sub": "${DocumentsBucket.Arn}/*"}]


def test_ingest_is_told_that_a_missing_object_is_missing_rather_than_forbidden() -> None:
    assert resources_for("IngestRole", "s3:ListBucket") == [attribute("DocumentsBucket")]


@pytest.mark.parametrize(
    "action",
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
)
def test_ingest_may_take_messages_and_change_when_they_come_back(action: str) -> None:
    assert resources_for("IngestRole", action) == [attribute("IngestQueue")]


def test_ask_may_put_a_retry_into_the_queue() -> None:
    assert resources_for("AskRole", "sqs:SendMessage") == [attribute("IngestQueue")]


def test_ask_can_do_nothing_else() -> None:
    services = {action.split(":")[0] for each in statements("AskRole") for action in listed(each["Action"])}
    assert services == {"ec2", "xray", "logs", "s3", "sqs", "rds-db", "secretsmanager"}
    assert resources_for("AskRole", "sqs:ReceiveMessage") == []


def test_migrate_can_do_nothing_else() -> None:
    services = {action.split(":")[0] for each in statements("MigrateRole") for action in listed(each["Action"])}
    assert services == {"ec2", "xray", "logs", "secretsmanager"}
