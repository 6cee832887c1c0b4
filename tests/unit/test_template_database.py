"""The template's database, network, migration and alarms, rule by rule, on what SAM makes of it."""

from tests.unit.template_model import as_list, default, needs_sam, of_type, properties, resource, translated

pytestmark = needs_sam


def test_the_database_is_encrypted_backed_up_and_hard_to_lose() -> None:
    cluster = properties("Database")
    assert cluster["StorageEncrypted"] is cluster["DeletionProtection"] is True
    assert cluster["BackupRetentionPeriod"] >= 7
    assert resource("Database")["DeletionPolicy"] == resource("Database")["UpdateReplacePolicy"] == "Snapshot"


def test_the_database_takes_iam_logins_over_tls_and_keeps_its_own_master_password() -> None:
    cluster = properties("Database")
    assert cluster["EnableIAMDatabaseAuthentication"] is cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert properties("DatabaseParameters")["Parameters"]["rds.force_ssl"] == "1"


def test_the_database_is_new_enough_for_pgvector() -> None:
    major, minor = map(int, properties("Database")["EngineVersion"].split("."))
    assert (major, minor) >= (17, 6)
    assert properties("DatabaseParameters")["Family"] == f"aurora-postgresql{major}"


def test_the_database_scales_and_may_pause() -> None:
    scaling = properties("Database")["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"] == {"Ref": "DatabaseMinimumCapacity"}
    assert scaling["MaxCapacity"] == {"Ref": "DatabaseMaximumCapacity"}
    assert scaling["SecondsUntilAutoPause"]["Fn::If"][0] == "Pauses"
    assert properties("DatabaseInstance")["DBInstanceClass"] == "db.serverless"


def test_the_database_is_reached_from_the_functions_alone() -> None:
    assert properties("DatabaseInstance")["PubliclyAccessible"] is False
    [rule] = properties("DatabaseSecurityGroup")["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "FunctionSecurityGroup"}
    assert properties("Database")["VpcSecurityGroupIds"] == [{"Ref": "DatabaseSecurityGroup"}]


def test_functions_and_database_are_in_private_subnets_of_two_zones() -> None:
    private = [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]
    assert properties("DatabaseSubnets")["SubnetIds"] == private
    for name in ("IngestFunction", "AskFunction", "MigrateFunction"):
        assert properties(name)["VpcConfig"]["SubnetIds"] == private
    zones = [properties(name)["AvailabilityZone"]["Fn::Select"][0] for name in ("PrivateSubnetA", "PrivateSubnetB")]
    assert zones == [0, 1]


def test_s3_is_reached_without_the_nat_gateway_and_the_rest_through_it() -> None:
    assert properties("S3Endpoint")["VpcEndpointType"] == "Gateway"
    assert properties("S3Endpoint")["RouteTableIds"] == [{"Ref": "PrivateRoutes"}]
    assert properties("NatRoute")["NatGatewayId"] == {"Ref": "Nat"}


def test_all_connections_that_can_be_opened_fit_into_seven_tenths_of_what_there_are() -> None:
    assert properties("DatabaseParameters")["Parameters"]["max_connections"] == {"Ref": "DatabaseMaximumConnections"}
    most = default("AskReservedConcurrency") + default("IngestMaximumConcurrency") + 5
    assert most <= 0.7 * default("DatabaseMaximumConnections")
    assert properties("AskFunction")["ReservedConcurrentExecutions"]["Fn::If"][1] == {"Ref": "AskReservedConcurrency"}


def test_the_migration_runs_when_its_content_changes_and_answers_in_time() -> None:
    migration = properties("Migration")
    assert migration["ContentHash"] == {"Ref": "MigrationHash"}
    assert int(migration["ServiceTimeout"]) > properties("MigrateFunction")["Timeout"]


def test_the_migration_runs_while_database_and_way_out_are_there_and_before_they_go() -> None:
    after = set(as_list(resource("Migration")["DependsOn"]))
    assert {"DatabaseInstance", "NatRoute", "PrivateRouteA", "PrivateRouteB", "MigratePolicy"} <= after


def test_only_the_migration_reads_the_master_password() -> None:
    secret = {"Fn::GetAtt": ["Database", "MasterUserSecret.SecretArn"]}
    assert properties("MigrateFunction")["Environment"]["Variables"]["DATABASE_SECRET"] == secret
    readers = {
        name
        for name, policy in of_type("AWS::IAM::RolePolicy").items()
        if any(secret == each["Resource"] for each in policy["Properties"]["PolicyDocument"]["Statement"])
    }
    assert readers == {"MigratePolicy"}


def test_what_goes_wrong_is_alarmed() -> None:
    watched = {
        alarm["Properties"]["MetricName"]: alarm["Properties"] for alarm in of_type("AWS::CloudWatch::Alarm").values()
    }
    assert watched.keys() == {
        "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "5XXError", "Throttles",
        "DatabaseConnections", "DocumentsFailed",
    }  # fmt: skip
    assert watched["DatabaseConnections"]["Threshold"] <= 0.7 * default("DatabaseMaximumConnections")
    assert all(alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic" for alarm in watched.values())


def test_the_outputs_say_where_to_go() -> None:
    assert {"ApiUrl", "BucketName", "ModelKeySecretArn"} <= translated()["Outputs"].keys()
