"""Event source, functions and their roles, and what must never be."""

from tests.unit import test_template_alarms as alarms
from tests.unit import test_template_api as api
from tests.unit import test_template_functions as functions
from tests.unit import test_template_reconcile as reconcile
from tests.unit import test_template_roles as roles
from tests.unit.template_faults.fault import Fault

MAPPING = [
    Fault(
        "ingest mapping: ReportBatchItemFailures",
        "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
        functions.test_a_failed_message_comes_back_alone,
    ),
    Fault(
        "ingest mapping: small batch",
        "BatchSize: 1",
        "BatchSize: 10",
        functions.test_a_document_has_an_invocation_to_itself,
    ),
    Fault(
        "ingest mapping: ScalingConfig.MaximumConcurrency",
        "            ScalingConfig: {MaximumConcurrency: !Ref IngestMaximumConcurrency}\n",
        "",
        functions.test_the_queue_is_worked_on_by_a_bounded_number_of_invocations,
    ),
    Fault(
        "ingest mapping: no FilterCriteria",
        "            BatchSize: 1\n",
        '            BatchSize: 1\n            FilterCriteria: {Filters: [{Pattern: \'{"body": {"Records": [{}]}}\'}]}\n',
        functions.test_no_message_is_filtered_out_for_sqs_deletes_what_is,
    ),
]

INGEST = [
    Fault(
        "ingest function: at least 1769 MB",
        "MemorySize: 2048",
        "MemorySize: 1024",
        functions.test_ingest_has_a_whole_processor,
    ),
    Fault(
        "ingest function: reserved concurrency is a parameter, 0 for none",
        "!If [ReservesIngest, !Ref IngestReservedConcurrency, !Ref AWS::NoValue]",
        "!If [ReservesIngest, !Ref IngestReservedConcurrency, 0]",
        functions.test_reserved_concurrency_is_a_parameter_and_0_reserves_none,
    ),
]

ASK = [
    Fault(
        "ask function: timeout below the integration's 29 s",
        "Timeout: 28",
        "Timeout: 29",
        api.test_ask_ends_before_the_gateway_gives_up,
    ),
    Fault(
        "ask function: reserved concurrency is a parameter, 0 for none",
        "ReservesAsk: !Not [!Equals [!Ref AskConcurrency, 0]]",
        "ReservesAsk: !Not [!Equals [!Ref AskConcurrency, 1]]",
        functions.test_reserved_concurrency_is_a_parameter_and_0_reserves_none,
    ),
]

EVERY = [
    Fault(
        "functions: python3.13",
        "    Runtime: python3.13\n",
        "    Runtime: python3.12\n",
        functions.test_a_function_runs_on_python_3_13_and_by_default_on_arm64,
    ),
    Fault(
        "functions: arm64",
        "    Default: arm64\n",
        "    Default: x86_64\n",
        functions.test_a_function_runs_on_python_3_13_and_by_default_on_arm64,
    ),
    Fault(
        "functions: an explicit role each",
        "      Role: !GetAtt ReindexRole.Arn\n",
        "      Role: !GetAtt MigrateRole.Arn\n",
        functions.test_a_function_has_a_role_of_its_own,
    ),
    Fault(
        "functions: no managed policy",
        "  ReconcileRole:\n    Type: AWS::IAM::Role\n    Properties:\n",
        "  ReconcileRole:\n    Type: AWS::IAM::Role\n    Properties:\n"
        '      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"]\n',
        roles.test_a_role_has_no_managed_policy,
    ),
    Fault(
        "functions: rds-db:connect per database user",
        "dbuser:${Id}/bucketwise_migrate",
        "dbuser:${Id}/*",
        roles.test_a_role_may_log_in_as_one_database_user,
    ),
    Fault(
        "functions: s3:GetObject* on the bucket",
        "                Action: [s3:GetObject, s3:GetObjectVersion]\n                Resource: &documents\n",
        "                Action: [s3:GetObject]\n                Resource: &documents\n",
        roles.test_documents_may_be_read_in_every_version,
    ),
    Fault(
        "functions: s3:ListBucket for ingest",
        "[s3:ListBucketVersions, s3:ListBucket]",
        "[s3:ListBucketVersions]",
        roles.test_the_bucket_may_be_listed,
    ),
    Fault(
        "functions: s3:ListBucket for reconcile",
        "[s3:ListBucket, s3:ListBucketVersions]",
        "[s3:ListBucketVersions]",
        roles.test_the_bucket_may_be_listed,
    ),
    Fault(
        "functions: one secret's ARN",
        "                Resource: *admin-login\n",
        '                Resource: !Sub "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"\n',
        roles.test_a_role_may_read_the_one_secret_that_its_function_needs,
    ),
    Fault(
        "functions: JSON logs",
        "      LoggingConfig: {LogFormat: JSON, LogGroup: !Ref AskLogs}\n",
        "      LoggingConfig: {LogFormat: Text, LogGroup: !Ref AskLogs}\n",
        functions.test_a_function_writes_json_to_a_log_group_of_its_own_that_forgets,
    ),
    Fault(
        "functions: own log group",
        "LogGroup: !Ref ReindexLogs",
        "LogGroup: !Ref IngestLogs",
        functions.test_a_function_writes_json_to_a_log_group_of_its_own_that_forgets,
    ),
    Fault(
        "functions: log group with retention",
        "    Properties: {RetentionInDays: !Ref LogRetentionDays}\n\n  AskLogs:",
        "\n  AskLogs:",
        functions.test_a_function_writes_json_to_a_log_group_of_its_own_that_forgets,
    ),
    *(
        Fault(
            f"functions: {name} is false",
            f'\n        {name}: "false"',
            f'\n        {name}: "true"',
            functions.test_nothing_private_goes_into_logs_and_traces,
        )
        for name in functions.OFF
    ),
    Fault(
        "functions: no secret value in the environment",
        '        OPENAI_API_KEY: ""\n',
        '        OPENAI_API_KEY: !Sub "{{resolve:secretsmanager:${ModelKeySecret}}}"\n',
        functions.test_no_secret_is_in_an_environment_or_a_parameter,
    ),
    Fault(
        "functions: metrics of each stack apart",
        "POWERTOOLS_METRICS_NAMESPACE: &metrics !Sub Bucketwise/${AWS::StackName}",
        "POWERTOOLS_METRICS_NAMESPACE: &metrics Bucketwise",
        functions.test_metrics_go_to_the_namespace_and_service_that_alarms_watch,
    ),
    Fault(
        "reconcile: the schedule's role is taken by this account's schedules alone",
        "            Principal: {Service: scheduler.amazonaws.com}\n            Action: sts:AssumeRole\n"
        '            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}\n',
        "            Principal: {Service: scheduler.amazonaws.com}\n            Action: sts:AssumeRole\n",
        reconcile.test_only_this_accounts_schedules_may_take_the_schedules_role,
    ),
]

NEVER = [
    Fault(
        "never: a function URL",
        "      Timeout: 28  #",
        "      FunctionUrlConfig: {AuthType: NONE}\n      Timeout: 28  #",
        functions.test_no_function_has_a_url,
    ),
    Fault(
        "never: any *FullAccess",
        "policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        "policy/CloudWatchLogsFullAccess",
        roles.test_nothing_has_full_access,
    ),
    Fault(
        'never: Resource "*" where a finer one is known',
        "                Action: [logs:CreateLogStream, logs:PutLogEvents]\n                Resource: !GetAtt AskLogs.Arn\n",
        '                Action: [logs:CreateLogStream, logs:PutLogEvents]\n                Resource: "*"\n',
        roles.test_a_role_may_do_things_on_anything_only_where_aws_knows_nothing_finer,
    ),
    Fault(
        "never: a parameter that no group shows",
        "MigrationHash, SnapStart, Release]",
        "MigrationHash, SnapStart]",
        alarms.test_every_parameter_is_shown_in_a_group,
    ),
]

FAULTS = [*MAPPING, *INGEST, *ASK, *EVERY, *NEVER]
