"""What each function may do, and on what."""

import json
from typing import Any

import pytest

from tests.unit.template_model import (
    EVERYTHING,
    FUNCTIONS,
    ROLES,
    USERS,
    actions,
    attribute,
    dependencies,
    listed,
    of_type,
    properties,
    resources_for,
    stack,
    statements,
)
from tests.unit.template_variants import VARIANTS

# Actions for which AWS knows no finer resource: traces, and network interfaces that are yet to be made.
UNBOUND = ("xray:", "ec2:")
SECRETS: dict[str, Any] = {
    "IngestRole": [{"Ref": "ModelKeySecret"}],
    "AskRole": [{"Ref": "ModelKeySecret"}],
    "ReconcileRole": [],
    "ReindexRole": [{"Ref": "ModelKeySecret"}],
    "MigrateRole": [attribute("Database", "MasterUserSecret.SecretArn")],
}
OF_EVERY_FUNCTION = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}
OF_ITS_OWN = {
    "IngestRole": {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
        "sqs:SendMessage",
        "rds-db:connect",
        "secretsmanager:GetSecretValue",
    },
    "AskRole": {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "sqs:SendMessage",
        "rds-db:connect",
        "secretsmanager:GetSecretValue",
    },
    "ReconcileRole": {
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
        "rds-db:connect",
    },
    "ReindexRole": {"rds-db:connect", "secretsmanager:GetSecretValue"},
    "MigrateRole": {"rds-db:connect", "secretsmanager:GetSecretValue"},
}
BUCKET = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Name}", {"Name": {"Ref": "DocumentsBucket"}}]}
DOCUMENTS = {
    "Fn::Sub": ["arn:${AWS::Partition}:s3:::${Name}/${DocumentsPrefix}*", {"Name": {"Ref": "DocumentsBucket"}}]
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
        for statement in statements(role, **EVERYTHING)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    ]
    assert unbound
    assert [action for action in unbound if not action.startswith(UNBOUND)] == []


@every_role
def test_no_role_may_do_a_whole_family_of_things(role: str) -> None:
    assert not [action for action in actions(role, **EVERYTHING) if "*" in action]


@every_role
def test_a_role_may_do_these_things_and_no_others(role: str) -> None:
    assert actions(role) == OF_EVERY_FUNCTION | OF_ITS_OWN[role]


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
def test_a_role_may_read_the_one_secret_that_its_function_needs(role: str) -> None:
    assert resources_for(role, "secretsmanager:GetSecretValue") == SECRETS[role]


def test_the_secret_of_a_reranker_may_be_read_by_ask_alone_and_only_if_there_is_one() -> None:
    secret = {"RerankKeySecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:rerank"}
    allowed = {role: resources_for(role, "secretsmanager:GetSecretValue", **secret) for role in ROLES.values()}
    assert allowed == SECRETS | {"AskRole": [*SECRETS["AskRole"], {"Ref": "RerankKeySecretArn"}]}


@pytest.mark.parametrize("function", USERS)
def test_a_role_may_log_in_as_one_database_user(function: str) -> None:
    [allowed] = resources_for(ROLES[function], "rds-db:connect")
    assert allowed["Fn::Sub"] == [
        f"arn:${{AWS::Partition}}:rds-db:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:${{Id}}/{USERS[function]}",
        {"Id": attribute("Database", "DBClusterResourceId")},
    ]


@pytest.mark.parametrize(
    ("given", "server", "user"),
    [
        ({}, attribute("Database", "DBClusterResourceId"), "bucketwise_master"),
        (VARIANTS["existing cluster"], {"Ref": "ExistingDatabaseResourceId"}, {"Ref": "ExistingDatabaseAdminUser"}),
    ],
)
def test_migrate_may_log_in_by_token_as_the_administrator_alone(given: dict[str, str], server: Any, user: Any) -> None:
    [allowed] = resources_for("MigrateRole", "rds-db:connect", **given)
    assert allowed["Fn::Sub"][1] == {"Id": server, "User": user}


@every_role
def test_a_functions_code_may_not_do_what_lambda_does_to_network_interfaces(role: str) -> None:
    allowed, denied = (
        {action for each in statements(role) if each["Effect"] == effect for action in listed(each["Action"])}
        for effect in ("Allow", "Deny")
    )
    [only] = [each for each in statements(role) if each["Effect"] == "Deny"]
    assert denied == {action for action in allowed if action.startswith("ec2:")} != set()
    assert only["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}


@pytest.mark.parametrize("role", ["IngestRole", "AskRole"])
def test_documents_may_be_read_in_every_version(role: str) -> None:
    """Ask signs links with its role: a link can do no more than the role."""
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert resources_for(role, action) == [DOCUMENTS]


@pytest.mark.parametrize("role", ["IngestRole", "ReconcileRole"])
@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:ListBucketVersions"])
def test_the_bucket_may_be_listed(role: str, action: str) -> None:
    """Without the right, S3 says to ingest of a missing object that it is forbidden."""
    assert resources_for(role, action) == [BUCKET]


@every_role
def test_a_role_uses_the_queue_of_ingest_alone(role: str) -> None:
    used = {action for action in actions(role) if action.startswith("sqs:")}
    assert [resources_for(role, action) for action in used] == [[attribute("IngestQueue")]] * len(used)


def test_ingest_may_tag_documents_only_if_it_shall() -> None:
    tags = {f"s3:{verb}Object{which}Tagging" for verb in ("Get", "Put") for which in ("", "Version")}
    assert actions("IngestRole", TagObjects="true") - actions("IngestRole") == tags
    assert [resources_for("IngestRole", action, TagObjects="true") for action in tags] == [[DOCUMENTS]] * len(tags)
