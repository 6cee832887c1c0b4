"""The database, the network around it, and the migration."""

import re

import pytest

from local.postgres import LOG_SETTINGS
from tests.unit.template_model import (
    FUNCTIONS,
    MAPPING,
    ROOT,
    SCHEDULE,
    USERS,
    attribute,
    dependencies,
    deployed,
    made,
    of_type,
    parameter,
    properties,
    resource,
    stack,
    with_defaults,
)
from tests.unit.template_variants import VARIANTS

SPARE_CONNECTIONS = 5  # migrate, reconcile, reindex, an administrator, and what ends while its successor begins
USABLE_SHARE = 0.7
ANYWHERE = {"0.0.0.0/0", "::/0"}


def only_with(condition: str) -> set[str]:
    return {name for name, each in stack()["Resources"].items() if each.get("Condition") == condition}


def test_the_database_takes_tokens_of_iam_and_manages_its_master_password() -> None:
    given = properties("Database")
    assert given["EnableIAMDatabaseAuthentication"] is True
    assert given["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in given


def test_the_database_is_encrypted_at_rest_and_in_transit() -> None:
    assert properties("Database")["StorageEncrypted"] is True
    assert properties("Database")["DBClusterParameterGroupName"] == {"Ref": "DatabaseParameters"}
    assert properties("DatabaseParameters")["Parameters"]["rds.force_ssl"] == "1"


def test_the_databases_own_log_has_no_rows_and_no_statements_and_stays_with_it() -> None:
    """As the twin's, in which tests look for what must not be there. A log group that RDS makes keeps all for ever."""
    assert properties("DatabaseParameters")["Parameters"].items() >= LOG_SETTINGS.items()
    assert LOG_SETTINGS["log_min_messages"] == "log"
    assert "EnableCloudwatchLogsExports" not in properties("Database")


def test_the_database_is_not_deleted_by_mistake() -> None:
    cluster = resource("Database")
    assert cluster["Properties"]["DeletionProtection"] is True
    assert (cluster["DeletionPolicy"], cluster["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")


def test_the_database_is_backed_up_for_a_week_at_least() -> None:
    assert properties("Database")["BackupRetentionPeriod"] >= 7


def test_the_database_scales_between_two_parameters_and_pauses_at_0() -> None:
    scaling = properties("Database")["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"] == {"Ref": "DatabaseMinCapacity"}
    assert scaling["MaxCapacity"] == {"Ref": "DatabaseMaxCapacity"}
    condition, seconds, otherwise = scaling["SecondsUntilAutoPause"]["Fn::If"]
    zeros = [{"Fn::Equals": [{"Ref": "DatabaseMinCapacity"}, zero]} for zero in ("0", "0.0")]
    assert stack()["Conditions"][condition] == {"Fn::Or": zeros}
    assert (seconds, otherwise) == ({"Ref": "AutoPauseSeconds"}, {"Ref": "AWS::NoValue"})
    assert properties("DatabaseInstance")["DBInstanceClass"] == "db.serverless"


def test_the_database_is_postgresql_17_6_or_newer() -> None:
    major, minor = map(int, properties("Database")["EngineVersion"].split("."))
    assert properties("Database")["Engine"] == "aurora-postgresql"
    assert (major, minor) >= (17, 6)
    assert properties("DatabaseParameters")["Family"] == f"aurora-postgresql{major}"


def test_the_database_has_no_other_way_in() -> None:
    assert properties("DatabaseInstance")["PubliclyAccessible"] is False
    assert properties("Database")["EnableHttpEndpoint"] is False


def test_the_database_is_reachable_from_the_functions_alone() -> None:
    assert properties("Database")["VpcSecurityGroupIds"] == [{"Ref": "DatabaseSecurityGroup"}]
    [rule] = made("DatabaseSecurityGroup")["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "FunctionSecurityGroup"}
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 5432, 5432)
    assert [name for name, each in deployed().items() if each["Type"] == "AWS::EC2::SecurityGroupIngress"] == []


def test_no_security_group_lets_the_world_in() -> None:
    made = [
        each["Properties"]
        for given in VARIANTS.values()
        for each in deployed(**given).values()
        if each["Type"].startswith("AWS::EC2::SecurityGroup") and not each["Type"].endswith("Egress")
    ]
    rules = [rule for group in made for rule in group.get("SecurityGroupIngress", [group])]
    assert rules
    assert not [rule for rule in rules if rule.get("CidrIp", rule.get("CidrIpv6")) in ANYWHERE]


def test_functions_reach_tls_servers_and_the_database_and_nothing_else() -> None:
    [tls] = properties("FunctionSecurityGroup")["SecurityGroupEgress"]
    database = made("FunctionsToDatabase")
    assert (tls["IpProtocol"], tls["FromPort"], tls["ToPort"]) == ("tcp", 443, 443)
    assert (database["IpProtocol"], database["FromPort"], database["ToPort"]) == ("tcp", "5432", "5432")
    assert database["GroupId"] == attribute("FunctionSecurityGroup", "GroupId")
    assert database["DestinationSecurityGroupId"] == {"Ref": "DatabaseSecurityGroup"}
    assert "CidrIp" not in database
    assert [name for name, each in deployed().items() if each["Type"] == "AWS::EC2::SecurityGroupEgress"] == [
        "FunctionsToDatabase"
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_in_the_private_subnets(function: str) -> None:
    assert made(function)["VpcConfig"] == {
        "SubnetIds": [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}],
        "SecurityGroupIds": [{"Ref": "FunctionSecurityGroup"}],
    }


def test_private_subnets_are_in_two_zones_and_have_no_way_in_from_the_internet() -> None:
    zones = [properties(name)["AvailabilityZone"] for name in ("PrivateSubnetA", "PrivateSubnetB")]
    assert [zone["Fn::Select"][0] for zone in zones] == [0, 1]
    private = {"Ref": "PrivateRoutes"}
    gateways = [each for each in of_type("AWS::EC2::Route").values() if each["RouteTableId"] == private]
    assert all("GatewayId" not in route for route in gateways)
    for name, subnet in {"PrivateRouteA": "PrivateSubnetA", "PrivateRouteB": "PrivateSubnetB"}.items():
        assert properties(name) == {"SubnetId": {"Ref": subnet}, "RouteTableId": private}


def test_s3_is_reached_without_leaving_the_network() -> None:
    endpoint = properties("S3Endpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"] == {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}
    assert endpoint["RouteTableIds"] == [{"Ref": "PrivateRoutes"}]


def test_the_internet_is_reached_through_nat_unless_the_parameter_says_no() -> None:
    assert properties("NatRoute")["NatGatewayId"] == {"Ref": "Nat"}
    assert properties("NatRoute")["RouteTableId"] == {"Ref": "PrivateRoutes"}
    assert "Nat" in deployed()
    assert "Nat" not in deployed(NatGateway="false")


def test_without_nat_there_is_no_internet_gateway_and_nothing_to_pay_for_it() -> None:
    costly = ("AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::InternetGateway", "AWS::EC2::Route")
    assert {name for kind in costly for name in of_type(kind)} <= only_with("HasNat")


def test_without_nat_secrets_and_the_queue_are_reached_by_endpoints() -> None:
    interfaces = {
        given["ServiceName"]["Fn::Sub"].rsplit(".", 1)[1]: name
        for name, given in of_type("AWS::EC2::VPCEndpoint").items()
        if given["VpcEndpointType"] == "Interface" and given["PrivateDnsEnabled"]
    }
    assert interfaces.keys() == {"secretsmanager", "sqs"}
    assert set(interfaces.values()) <= deployed(NatGateway="false").keys() - deployed().keys()
    assert not [name for name, given in of_type("AWS::EC2::VPCEndpoint").items() if "PolicyDocument" in given]


def test_connections_suffice_for_every_concurrency_that_the_parameters_allow() -> None:
    connections = int(with_defaults(properties("DatabaseParameters")["Parameters"]["max_connections"]))
    most = parameter("AskConcurrency")["MaxValue"] + parameter("IngestMaximumConcurrency")["MaxValue"]
    assert most + SPARE_CONNECTIONS <= USABLE_SHARE * connections


def test_questions_that_no_concurrency_bounds_leave_connections_for_everything_else() -> None:
    """With AskConcurrency=0 the account's quota is the bound, which may be higher than what the database takes."""
    assert "ReservedConcurrentExecutions" not in made("AskFunction", AskConcurrency="0")
    roles = (ROOT / "layers/bucketwise/bucketwise/migrations/roles.sql").read_text(encoding="utf-8")
    [of_ask] = re.findall(r"ALTER ROLE bucketwise_ask CONNECTION LIMIT (\d+);", roles)
    connections = int(properties("DatabaseParameters")["Parameters"]["max_connections"])
    ingest = parameter("IngestMaximumConcurrency")["MaxValue"]
    assert parameter("AskConcurrency")["MaxValue"] < int(of_ask)
    assert int(of_ask) + ingest + SPARE_CONNECTIONS <= connections


def test_of_an_existing_server_the_number_is_told_that_its_connections_must_suffice_for() -> None:
    told = parameter("ExistingDatabaseHost")["Description"]
    assert f"AskConcurrency + IngestMaximumConcurrency + {SPARE_CONNECTIONS} at most seven tenths" in told


def test_by_default_asks_concurrency_is_bounded() -> None:
    assert 0 < parameter("AskConcurrency")["Default"] <= parameter("AskConcurrency")["MaxValue"]


def test_the_migration_runs_again_when_its_content_or_the_kind_of_index_changes() -> None:
    given = properties("Migration")
    assert given["ServiceToken"] == attribute("MigrateFunction")
    assert given["ContentHash"] == {"Ref": "MigrationHash"}
    assert given["EmbeddingModel"] == {"Ref": "EmbeddingModel"}
    assert given["EmbeddingDimensions"] == {"Ref": "EmbeddingDimensions"}


def test_a_migration_without_an_answer_is_given_up_after_the_functions_time_limit() -> None:
    limit = properties("MigrateFunction")["Timeout"]
    assert limit < properties("Migration")["ServiceTimeout"] <= 2 * limit


@pytest.mark.parametrize(
    ("variant", "needed"),
    [
        (
            "everything made",
            {"DatabaseInstance", "FunctionsToDatabase", "NatRoute", "InternetRoute", "PublicRoute", "Nat"},
        ),
        ("everything made", {"PrivateRouteA", "PrivateRouteB", "S3Endpoint", "MigrateRole"}),
        ("no NAT", {"DatabaseInstance", "PrivateRouteA", "PrivateRouteB", "S3Endpoint", "SecretsManagerEndpoint"}),
        ("existing VPC", {"DatabaseInstance", "FunctionsToDatabase"}),
        ("existing VPC without internet", {"DatabaseInstance", "FunctionsToDatabase", "SecretsManagerEndpoint"}),
        ("existing cluster", {"FunctionsToDatabase", "ExistingDatabaseIngress"}),
        ("existing server", {"FunctionsToDatabase", "NatRoute", "S3Endpoint"}),
        ("proxy", {"DatabaseInstance", "ProxyTargets", "FunctionsToProxy", "ProxyToDatabase"}),
    ],
)
def test_the_migration_runs_when_database_and_network_are_there_and_before_they_go(
    variant: str, needed: set[str]
) -> None:
    assert needed - dependencies("Migration", **VARIANTS[variant]) == set()


@pytest.mark.parametrize("name", [*USERS, MAPPING, SCHEDULE])
def test_the_other_functions_wait_for_the_migration(name: str) -> None:
    assert "Migration" in dependencies(name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_depends_on_itself(variant: str) -> None:
    given = VARIANTS[variant]
    assert [name for name in deployed(**given) if name in dependencies(name, **given)] == []
