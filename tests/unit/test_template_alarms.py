"""Alarms, outputs, and the template as a whole. The dashboard is tested in test_template_dashboard.py."""

import json
import os
import re
import subprocess
from typing import Any

import pytest

from bucketwise.telemetry import Metric
from tests.unit.template_model import (
    ROOT,
    SAM,
    STAGE,
    attribute,
    deployed,
    needs_sam,
    of_type,
    parameter,
    properties,
    stack,
    variables,
)
from tests.unit.template_variants import EXISTING_SERVER, VARIANTS

OUTPUTS = {
    "ApiUrl",
    "BucketName",
    "QueueUrl",
    "DeadLetterQueueUrl",
    "ModelKeySecretArn",
    "DatabaseCluster",
    "DatabaseEndpoint",
    "FunctionSecurityGroupId",
    "MigrateFunctionName",
    "ReconcileFunctionName",
    "ReindexFunctionName",
}
USABLE_SHARE = 0.7
NAMESPACE = {"Fn::Sub": "Bucketwise/${AWS::StackName}"}
LONGEST_DELAY = 900  # seconds, SQS: what is put off is tried again after this time at the latest
HOUR = 3600
BETWEEN_PASSES = {"Fn::FindInMap": ["ReconcilePeriods", {"Ref": "ReconcileMinutes"}, "Seconds"]}


def alarm(namespace: Any, metric: str, **dimensions: Any) -> dict[str, Any]:
    """The one alarm on a metric."""
    wanted = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    [found] = [
        given
        for given in of_type("AWS::CloudWatch::Alarm").values()
        if (given["Namespace"], given["MetricName"], given["Dimensions"]) == (namespace, metric, wanted)
    ]
    return found


def service_of(function: str) -> str:
    found: str = variables(function)["POWERTOOLS_SERVICE_NAME"]
    return found


def test_a_message_in_the_dead_letter_queue_raises_an_alarm() -> None:
    dead = alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=attribute("DeadLetterQueue", "QueueName"))
    assert (dead["Statistic"], dead["Threshold"]) == ("Maximum", 0)


def test_documents_that_wait_too_long_raise_an_alarm() -> None:
    age = alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=attribute("IngestQueue", "QueueName"))
    hidden = properties("IngestQueue")["VisibilityTimeout"]
    assert age["Statistic"] == "Maximum"
    assert hidden < age["Threshold"] < properties("IngestQueue")["MessageRetentionPeriod"]


def test_server_errors_of_the_api_raise_an_alarm() -> None:
    errors = alarm("AWS/ApiGateway", "5XXError", ApiName=properties("Api")["Name"], Stage="live")
    assert errors["Statistic"] == "Sum"


def test_an_invocation_of_ask_without_an_answer_raises_an_alarm() -> None:
    crashes = alarm("AWS/Lambda", "Errors", FunctionName={"Ref": "AskFunction"})
    assert (crashes["Statistic"], crashes["Threshold"]) == ("Sum", 0)


def counted_in_the_log_of_requests(metric: str) -> str:
    """The pattern of the lines that the metric counts, one each, where an alarm without dimensions looks for it."""
    [found] = [
        each
        for each in of_type("AWS::Logs::MetricFilter").values()
        if each["MetricTransformations"] == [{"MetricNamespace": NAMESPACE, "MetricName": metric, "MetricValue": "1"}]
    ]
    assert found["LogGroupName"] == {"Ref": "ApiLogs"}
    pattern: str = found["FilterPattern"]
    assert set(re.findall(r"\$\.(\w+)", pattern)) <= json.loads(properties(STAGE)["AccessLogSetting"]["Format"]).keys()
    return pattern


def test_server_errors_that_the_gateway_makes_itself_raise_an_alarm() -> None:
    """CloudWatch counts them as 4XXError: all whose status the template changes."""
    assert counted_in_the_log_of_requests("GatewayErrors") == '{ ($.status = "5*") && ($.error != "-") }'
    errors = alarm(NAMESPACE, "GatewayErrors")
    assert (errors["Statistic"], errors["Threshold"]) == ("Sum", 5)


def test_tokens_that_cannot_be_checked_raise_an_alarm_and_those_that_are_not_good_do_not() -> None:
    """For API Gateway, one that is not good is no failure of the authorizer: it is UNAUTHORIZED."""
    assert counted_in_the_log_of_requests("AuthorizerFailures") == '{ $.error = "AUTHORIZER_*" }'
    failures = alarm(NAMESPACE, "AuthorizerFailures")
    assert (failures["Statistic"], failures["Threshold"]) == ("Sum", 0)
    made = properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"].keys()
    assert {name for name in made if name.startswith("AUTHORIZER_")} == {
        "AUTHORIZER_FAILURE",
        "AUTHORIZER_CONFIGURATION_ERROR",
    }
    assert "AuthorizerAlarm" in deployed(**VARIANTS["tokens"]).keys() - deployed().keys()


@pytest.mark.parametrize("function", ["AskFunction", "IngestFunction"])
def test_a_throttled_function_raises_an_alarm(function: str) -> None:
    throttles = alarm("AWS/Lambda", "Throttles", FunctionName={"Ref": function})
    assert (throttles["Statistic"], throttles["Threshold"]) == ("Sum", 0)


def test_seven_tenths_of_the_connections_raise_an_alarm() -> None:
    connections = alarm("AWS/RDS", "DatabaseConnections", DBClusterIdentifier={"Ref": "Database"})
    most = int(properties("DatabaseParameters")["Parameters"]["max_connections"])
    assert connections["Statistic"] == "Maximum"
    assert connections["Threshold"] == pytest.approx(USABLE_SHARE * most)


def test_an_existing_database_is_not_watched() -> None:
    assert "ConnectionAlarm" in deployed()
    assert "ConnectionAlarm" not in deployed(**EXISTING_SERVER)


def test_a_failed_document_raises_an_alarm() -> None:
    failed = alarm(NAMESPACE, Metric.DOCUMENTS_FAILED.value[0], service="ingest")
    assert (failed["Statistic"], failed["Threshold"]) == ("Sum", 0)


def test_documents_that_are_put_off_for_an_hour_raise_an_alarm() -> None:
    """One document is enough: no period without a try of it."""
    postponed = alarm(NAMESPACE, "DocumentsPostponed", service=service_of("IngestFunction"))
    assert (postponed["Statistic"], postponed["Threshold"]) == ("Sum", 0)
    assert postponed["Period"] > LONGEST_DELAY + properties("IngestFunction")["Timeout"]
    assert postponed["Period"] * postponed["EvaluationPeriods"] == HOUR


def test_a_bucket_and_an_index_that_differ_in_two_passes_raise_an_alarm() -> None:
    """Also if a pass takes three of the times between two: its drift is told once, at its end."""
    drift = alarm(NAMESPACE, "ReconcileDrift", service=service_of("ReconcileFunction"))
    assert (drift["Statistic"], drift["Threshold"], drift["DatapointsToAlarm"]) == ("Maximum", 0, 2)
    assert drift["EvaluationPeriods"] == 1 + 3
    assert drift["Period"] == BETWEEN_PASSES


def test_a_period_of_that_alarm_is_the_time_between_two_passes() -> None:
    seconds = {minutes: given["Seconds"] for minutes, given in stack()["Mappings"]["ReconcilePeriods"].items()}
    assert seconds == {str(minutes): 60 * minutes for minutes in parameter("ReconcileMinutes")["AllowedValues"]}


def test_a_pass_that_fails_twice_raises_an_alarm() -> None:
    errors = alarm("AWS/Lambda", "Errors", FunctionName={"Ref": "ReconcileFunction"})
    [tries] = of_type("AWS::Lambda::EventInvokeConfig").values()
    assert (errors["Statistic"], errors["Threshold"]) == ("Sum", tries["MaximumRetryAttempts"])
    assert (errors["Period"], errors["EvaluationPeriods"]) == (BETWEEN_PASSES, 1)


def test_answers_that_are_degraded_for_a_while_raise_an_alarm() -> None:
    degraded = alarm(NAMESPACE, Metric.ANSWERS_DEGRADED.value[0], service=service_of("AskFunction"))
    assert (degraded["Statistic"], degraded["Threshold"]) == ("Sum", 0)
    assert degraded["EvaluationPeriods"] > 1  # one failing call is no news


def test_a_spent_budget_raises_an_alarm() -> None:
    spent = alarm(NAMESPACE, Metric.BUDGET_EXCEEDED.value[0], service=service_of("AskFunction"))
    assert (spent["Statistic"], spent["Threshold"]) == ("Sum", 0)


def test_a_days_spending_raises_an_alarm_if_it_is_bounded() -> None:
    cost = alarm(NAMESPACE, Metric.COST_USD.value[0], service=service_of("AskFunction"))
    assert (cost["Statistic"], cost["Period"], cost["Threshold"]) == ("Sum", 24 * HOUR, {"Ref": "DailySpendAlarmUsd"})
    assert stack()["Resources"]["SpendAlarm"]["Condition"] == "HasSpendAlarm"
    assert parameter("DailySpendAlarmUsd")["Default"] == 0


def test_an_alarms_periods_are_of_a_length_that_cloudwatch_takes() -> None:
    """A day in all, or a week if each has an hour at least (its API reference, "PutMetricAlarm")."""
    longest = max(given["Seconds"] for given in stack()["Mappings"]["ReconcilePeriods"].values())
    for given in of_type("AWS::CloudWatch::Alarm").values():
        period = longest if isinstance(given["Period"], dict) else given["Period"]
        assert period % 60 == 0
        assert period * given["EvaluationPeriods"] <= (7 * 24 * HOUR if period >= HOUR else 24 * HOUR)


def test_an_alarm_says_what_is_wrong_and_tells_the_topic_if_there_is_one() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    actions = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert [name for name, given in alarms.items() if given["AlarmActions"] != actions] == []
    assert [name for name, given in alarms.items() if not given["AlarmDescription"]] == []
    assert {given["ComparisonOperator"] for given in alarms.values()} == {"GreaterThanThreshold"}


def test_silence_is_no_alarm() -> None:
    assert {given["TreatMissingData"] for given in of_type("AWS::CloudWatch::Alarm").values()} == {"notBreaching"}


def test_the_stack_tells_where_everything_is() -> None:
    assert stack()["Outputs"].keys() == OUTPUTS
    assert all(output.get("Description") for output in stack()["Outputs"].values())


def test_every_parameter_has_a_default_and_says_what_it_is_for() -> None:
    parameters = stack()["Parameters"]
    assert [name for name, each in parameters.items() if "Default" not in each or not each.get("Description")] == []


def test_every_parameter_is_shown_in_a_group() -> None:
    groups = stack()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(stack()["Parameters"])


def test_the_linter_of_cloudformation_finds_nothing() -> None:
    needs_sam()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = kept | {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    command = [str(SAM / "sam"), "validate", "--lint", "--template", str(ROOT / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
