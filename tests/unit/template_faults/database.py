"""Database, network, migration and connections."""

from tests.unit import test_template_database as database
from tests.unit import test_template_existing_database as existing
from tests.unit import test_template_existing_network as network
from tests.unit import test_template_proxy as proxy
from tests.unit import test_template_variants as variants
from tests.unit.template_faults.fault import Fault

DATABASE = [
    Fault(
        "database: IAM authentication",
        "      EnableIAMDatabaseAuthentication: true\n",
        "",
        database.test_the_database_takes_tokens_of_iam_and_manages_its_master_password,
    ),
    Fault(
        "database: managed master password",
        "      ManageMasterUserPassword: true\n",
        "      MasterUserPassword: changed-later\n",
        database.test_the_database_takes_tokens_of_iam_and_manages_its_master_password,
    ),
    Fault(
        "database: encryption",
        "StorageEncrypted: true",
        "StorageEncrypted: false",
        database.test_the_database_is_encrypted_at_rest_and_in_transit,
    ),
    Fault(
        "database: deletion protection",
        "DeletionProtection: true",
        "DeletionProtection: false",
        database.test_the_database_is_not_deleted_by_mistake,
    ),
    Fault(
        "database: snapshot policies",
        "    UpdateReplacePolicy: Snapshot\n",
        "    UpdateReplacePolicy: Delete\n",
        database.test_the_database_is_not_deleted_by_mistake,
    ),
    Fault(
        "database: rds.force_ssl=1",
        'rds.force_ssl: "1"',
        'rds.force_ssl: "0"',
        database.test_the_database_is_encrypted_at_rest_and_in_transit,
    ),
    Fault(
        "database: no rows in its log",
        "        log_min_messages: log\n",
        "",
        database.test_the_databases_own_log_has_no_rows_and_no_statements_and_stays_with_it,
    ),
    Fault(
        "database: its log stays with it",
        "      CopyTagsToSnapshot: true\n",
        "      CopyTagsToSnapshot: true\n      EnableCloudwatchLogsExports: [postgresql]\n",
        database.test_the_databases_own_log_has_no_rows_and_no_statements_and_stays_with_it,
    ),
    Fault(
        "database: backups of at least 7 days",
        "BackupRetentionPeriod: 7",
        "BackupRetentionPeriod: 1",
        database.test_the_database_is_backed_up_for_a_week_at_least,
    ),
    Fault(
        "database: not public",
        "PubliclyAccessible: false",
        "PubliclyAccessible: true",
        database.test_the_database_has_no_other_way_in,
    ),
    Fault(
        "database: reachable only from the functions' security group",
        "GroupDescription: The database, reachable from the functions alone\n      VpcId: *vpc\n      SecurityGroupIngress:\n",
        "GroupDescription: The database, reachable from the functions alone\n      VpcId: *vpc\n      SecurityGroupIngress:\n"
        "        - {IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 10.0.0.0/8, Description: all of ours}\n",
        database.test_the_database_is_reachable_from_the_functions_alone,
    ),
    Fault(
        "database: ServerlessV2ScalingConfiguration with auto-pause",
        "        SecondsUntilAutoPause: !If [Pauses, !Ref AutoPauseSeconds, !Ref AWS::NoValue]\n",
        "",
        database.test_the_database_scales_between_two_parameters_and_pauses_at_0,
    ),
    Fault(
        "database: engine at least 17.6",
        'EngineVersion: "17.7"',
        'EngineVersion: "17.5"',
        database.test_the_database_is_postgresql_17_6_or_newer,
    ),
    Fault(
        "database: an existing one is logged in to as a user of the function's own",
        "                  Resource: !Ref ExistingDatabaseAskSecretArn\n",
        "                  Resource: !Ref ExistingDatabaseAdminSecretArn\n",
        existing.test_on_another_server_each_function_logs_in_with_its_secret_and_may_read_no_other,
    ),
    Fault(
        "database: an existing one proves who it is",
        "!If [IsSignedInPublic, public, \"\"]",
        "!If [IsSignedInPublic, \"\", \"\"]",
        existing.test_the_servers_certificate_is_checked_against_whom_it_is_from,
    ),
    Fault("database: its proxy speaks TLS", "RequireTLS: true", "RequireTLS: false",
          proxy.test_the_proxy_is_in_the_private_subnets_and_speaks_tls_alone),
    Fault(
        "database: functions may go to it until they know of its proxy",
        "                      - Id: *server-id\n                    - !If\n                      - MakesProxy\n",
        "                      - Id: *proxy-id\n                    - !If\n                      - MakesProxy\n",
        proxy.test_functions_may_log_in_to_the_database_until_they_know_of_the_proxy,
    ),
    Fault(
        "database: its proxy logs in as the functions' users",
        "${Database.DBClusterResourceId}/bucketwise_ask\n",
        "${Database.DBClusterResourceId}/*\n",
        proxy.test_the_proxy_may_log_in_as_the_users_that_go_through_it_and_do_nothing_else,
    ),
]  # fmt: skip

NETWORK = [
    Fault(
        "network: private subnets in two zones",
        "      CidrBlock: 10.20.16.0/20\n      AvailabilityZone: !Select [1,",
        "      CidrBlock: 10.20.16.0/20\n      AvailabilityZone: !Select [0,",
        database.test_private_subnets_are_in_two_zones_and_have_no_way_in_from_the_internet,
    ),
    Fault(
        "network: functions in the private subnets",
        "!If [MakesVpc, [!Ref PrivateSubnetA, !Ref PrivateSubnetB],",
        "!If [MakesVpc, [!Ref PublicSubnet, !Ref PrivateSubnetB],",
        database.test_a_function_is_in_the_private_subnets,
    ),
    Fault(
        "network: S3 gateway endpoint",
        "      RouteTableIds: [!Ref PrivateRoutes]\n",
        "      RouteTableIds: [!Ref PublicRoutes]\n",
        database.test_s3_is_reached_without_leaving_the_network,
    ),
    Fault(
        "network: endpoints admit whom their private names lead there",
        "CidrIp: 100.64.0.0/10",
        "CidrIp: 100.64.0.0/16",
        network.test_endpoints_admit_whom_their_private_names_lead_there,
    ),
    Fault(
        "network: endpoints of the stack's own network admit the functions alone",
        "        - - *from-functions\n",
        "          - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8, Description: all}\n"
        "        - - *from-functions\n",
        network.test_endpoints_of_a_network_that_the_stack_makes_admit_the_functions_alone,
    ),
    Fault(
        "network: egress by NAT, a parameter",
        'HasNat: !And [!Condition MakesVpc, !Equals [!Ref NatGateway, "true"]]',
        'HasNat: !Or [!Condition MakesVpc, !Equals [!Ref NatGateway, "true"]]',
        database.test_the_internet_is_reached_through_nat_unless_the_parameter_says_no,
    ),
    Fault(
        "network: functions reach TLS servers and the database alone",
        "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0, Description: AWS and the model}",
        '{IpProtocol: "-1", CidrIp: 0.0.0.0/0, Description: AWS and the model}',
        database.test_functions_reach_tls_servers_and_the_database_and_nothing_else,
    ),
    Fault(
        "network: nothing is referred to that a condition left out",
        '      Routes: !If [MakesVpc, !Sub "${PrivateRouteA} ${PrivateRouteB} ${S3Endpoint}", !Ref ExistingVpcId]\n',
        '      Routes: !Sub "${PrivateRouteA} ${PrivateRouteB} ${S3Endpoint}"\n',
        variants.test_nothing_refers_to_what_a_condition_left_out,
    ),
    Fault(
        "network: combinations that cannot work are refused",
        '      - Assert: !Not [!Equals [!Ref OpenAiBaseUrl, "https://api.openai.com/v1"]]\n',
        '      - Assert: !Not [!Equals [!Ref OpenAiBaseUrl, ""]]\n',
        variants.test_a_combination_that_cannot_work_is_refused_before_anything_is_made,
    ),
]

MIGRATION = [
    Fault(
        "migration: custom resource with a content hash",
        "      ContentHash: !Ref MigrationHash\n",
        "",
        database.test_the_migration_runs_again_when_its_content_or_the_kind_of_index_changes,
    ),
    Fault(
        "migration: runs again on another existing database",
        "      Database: *database\n",
        "",
        existing.test_the_migration_runs_again_when_anything_changes_that_it_reads,
    ),
    Fault(
        "migration: ServiceTimeout",
        "ServiceTimeout: 360",
        "ServiceTimeout: 3600",
        database.test_a_migration_without_an_answer_is_given_up_after_the_functions_time_limit,
    ),
    Fault(
        "migration: depends on the writer instance",
        "!If [MakesDatabase, !Ref DatabaseInstance, !Ref ExistingDatabaseHost]",
        "!If [MakesDatabase, !Ref Database, !Ref ExistingDatabaseHost]",
        database.test_the_migration_runs_when_database_and_network_are_there_and_before_they_go,
    ),
    Fault(
        "migration: depends on routes",
        "${PrivateRouteA} ${PrivateRouteB} ${S3Endpoint}",
        "${PrivateRouteA} ${S3Endpoint}",
        database.test_the_migration_runs_when_database_and_network_are_there_and_before_they_go,
    ),
    Fault(
        "migration: depends on NAT",
        '!If [HasNat, !Sub "${NatRoute} ${PublicRoute}",',
        '!If [HasNat, "",',
        database.test_the_migration_runs_when_database_and_network_are_there_and_before_they_go,
    ),
    Fault(
        "migration: the other functions depend on it",
        "  AskFunction:\n    Type: AWS::Serverless::Function\n    DependsOn: Migration\n",
        "  AskFunction:\n    Type: AWS::Serverless::Function\n",
        database.test_the_other_functions_wait_for_the_migration,
    ),
]

CONNECTIONS = [
    Fault(
        "connections: ask's limit + MaximumConcurrency + 5 at most 0.7 of max_connections",
        "    MaxValue: 200\n    Description: >-\n      Questions answered at once",
        "    MaxValue: 201\n    Description: >-\n      Questions answered at once",
        database.test_connections_suffice_for_every_concurrency_that_the_parameters_allow,
    ),
    Fault(
        "connections: some are left when nothing bounds ask",
        'max_connections: "400"',
        'max_connections: "370"',
        database.test_questions_that_no_concurrency_bounds_leave_connections_for_everything_else,
    ),
    Fault(
        "connections: a proxy opens no more",
        "MaxConnectionsPercent: 70",
        "MaxConnectionsPercent: 100",
        proxy.test_the_proxy_opens_no_more_connections_than_the_functions_may,
    ),
]

FAULTS = [*DATABASE, *NETWORK, *MIGRATION, *CONNECTIONS]
