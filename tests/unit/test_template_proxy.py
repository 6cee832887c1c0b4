"""The stack with an RDS Proxy in front of its database."""

from typing import Any

import pytest

from tests.unit.template_model import (
    ROLES,
    USERS,
    attribute,
    deployed,
    made,
    parameter,
    resources_for,
    variables,
)
from tests.unit.template_variants import VARIANTS

PROXY = VARIANTS["proxy"]
THROUGH = ("IngestFunction", "ReconcileFunction", "AskFunction")
PAST = ("ReindexFunction", "MigrateFunction")
USABLE_PERCENT = 70


def test_there_is_no_proxy_unless_it_is_asked_for() -> None:
    assert not [name for name in deployed() if "Proxy" in name]
    assert parameter("DatabaseProxy")["Default"] == "false"


def test_the_proxy_is_in_the_private_subnets_and_speaks_tls_alone() -> None:
    proxy = made("Proxy", **PROXY)
    assert proxy["RequireTLS"] is True
    assert proxy["EngineFamily"] == "POSTGRESQL"
    assert proxy["VpcSubnetIds"] == [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]
    assert proxy["VpcSecurityGroupIds"] == [{"Ref": "ProxySecurityGroup"}]


def test_tokens_are_taken_and_given_and_no_password_is_kept_for_the_proxy() -> None:
    assert made("Proxy", **PROXY)["DefaultAuthScheme"] == "IAM_AUTH"
    assert "Auth" not in made("Proxy", **PROXY)


def test_the_proxy_may_log_in_as_the_users_that_go_through_it_and_do_nothing_else() -> None:
    [policy] = made("ProxyRole", **PROXY)["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    users = {each["Fn::Sub"].rpartition("/")[2] for each in statement["Resource"]}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "rds-db:connect")
    assert users == {USERS[function] for function in THROUGH}
    assert all(":dbuser:${Database.DBClusterResourceId}/" in each["Fn::Sub"] for each in statement["Resource"])


def test_only_this_accounts_proxies_may_take_the_proxys_role() -> None:
    [trust] = made("ProxyRole", **PROXY)["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "rds.amazonaws.com"}, "sts:AssumeRole")
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("function", THROUGH)
def test_questions_and_documents_go_through_the_proxy(function: str) -> None:
    given = variables(function, **PROXY)
    assert given["DATABASE_HOST"] == attribute("Proxy", "Endpoint")
    assert given["DATABASE_AUTH"] == "iam"
    assert given["DATABASE_CA"] == "public"  # its certificate is of Amazon Trust Services, not of RDS
    # arn:aws:rds:REGION:ACCOUNT:db-proxy:prx-...
    assert {"Fn::Select": [6, {"Fn::Split": [":", attribute("Proxy", "DBProxyArn")]}]} in may_log_in_to(function)


def may_log_in_to(function: str) -> list[Any]:
    """Resource ids of servers, on each as the function's own user."""
    texts = [each["Fn::Sub"] for each in resources_for(ROLES[function], "rds-db:connect", **PROXY)]
    assert all(resource.endswith(f":dbuser:${{Id}}/{USERS[function]}") for resource, _ in texts)
    return [put_in["Id"] for _, put_in in texts]


@pytest.mark.parametrize("function", THROUGH)
def test_functions_may_log_in_to_the_database_until_they_know_of_the_proxy(function: str) -> None:
    """Roles are changed first, and the functions when the proxy is there and the migration has run."""
    assert attribute("Database", "DBClusterResourceId") in may_log_in_to(function)


@pytest.mark.parametrize("function", PAST)
def test_who_changes_the_schema_goes_to_the_writer(function: str) -> None:
    given = variables(function, **PROXY)
    assert (given["DATABASE_HOST"], given["DATABASE_CA"]) == (attribute("Database", "Endpoint.Address"), "")


def test_the_proxy_is_between_the_functions_and_the_database_and_nowhere_else() -> None:
    [functions_in] = made("ProxySecurityGroup", **PROXY)["SecurityGroupIngress"]
    database_in = made("ProxyIngress", **PROXY)
    assert functions_in["SourceSecurityGroupId"] == {"Ref": "FunctionSecurityGroup"}
    assert database_in["SourceSecurityGroupId"] == {"Ref": "ProxySecurityGroup"}
    assert database_in["GroupId"] == attribute("DatabaseSecurityGroup", "GroupId")
    ways = {
        each["Properties"]["GroupId"]["Fn::GetAtt"][0]: each["Properties"]["DestinationSecurityGroupId"]["Ref"]
        for name, each in deployed(**PROXY).items()
        if each["Type"] == "AWS::EC2::SecurityGroupEgress" and name != "FunctionsToDatabase"
    }
    assert ways == {"FunctionSecurityGroup": "ProxySecurityGroup", "ProxySecurityGroup": "DatabaseSecurityGroup"}


def test_the_proxy_opens_no_more_connections_than_the_functions_may() -> None:
    targets = made("ProxyTargets", **PROXY)
    assert targets["DBClusterIdentifiers"] == [{"Ref": "Database"}]
    assert targets["ConnectionPoolConfigurationInfo"]["MaxConnectionsPercent"] == USABLE_PERCENT


def test_the_functions_wait_until_the_proxy_has_a_database() -> None:
    """Questions do not need the migration's way to the database, but they need theirs."""
    assert made("Migration", **PROXY)["Proxy"] == {
        "Fn::Sub": "${ProxyTargets} ${FunctionsToProxy} ${ProxyIngress} ${ProxyToDatabase}"
    }
    assert made("Migration")["Proxy"] == ""
