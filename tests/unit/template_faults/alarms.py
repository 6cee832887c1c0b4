"""Alarms."""

from tests.unit import test_template_alarms as alarms
from tests.unit import test_template_dashboard as dashboard
from tests.unit.template_faults.fault import Fault

FAULTS = [
    Fault(
        "alarms: DLQ above 0",
        "Dimensions: [{Name: QueueName, Value: !GetAtt DeadLetterQueue.QueueName}]",
        "Dimensions: [{Name: QueueName, Value: !Ref DeadLetterQueue}]",  # its URL
        alarms.test_a_message_in_the_dead_letter_queue_raises_an_alarm,
    ),
    Fault(
        "alarms: age of the oldest message",
        "Threshold: 3600\n",
        "Threshold: 600\n",
        alarms.test_documents_that_wait_too_long_raise_an_alarm,
    ),
    Fault(
        "alarms: 5xx",
        "MetricName: 5XXError",
        "MetricName: 4XXError",
        alarms.test_server_errors_of_the_api_raise_an_alarm,
    ),
    Fault(
        "alarms: 5xx that API Gateway makes itself",
        '{ ($.status = "5*") && ($.error != "-") }',
        '{ $.status = "5*" }',
        alarms.test_server_errors_that_the_gateway_makes_itself_raise_an_alarm,
    ),
    Fault(
        "alarms: tokens that cannot be checked, and no others",
        '{ $.error = "AUTHORIZER_*" }',
        '{ $.error = "*UTHORIZE*" }',
        alarms.test_tokens_that_cannot_be_checked_raise_an_alarm_and_those_that_are_not_good_do_not,
    ),
    Fault(
        "alarms: invocations without an answer",
        "      MetricName: Errors\n      Dimensions: [{Name: FunctionName, Value: !Ref AskFunction}]\n",
        "      MetricName: Errors\n      Dimensions: [{Name: FunctionName, Value: !Ref AskVersion}]\n",
        alarms.test_an_invocation_of_ask_without_an_answer_raises_an_alarm,
    ),
    Fault(
        "alarms: a metric is looked for under the dimensions that it is sent with",
        '"ParsersLost", "service", "ingest", "reason", "hung"],',
        '"ParsersLost", "service", "ingest"],',
        dashboard.test_metrics_are_looked_for_under_the_dimensions_that_they_are_sent_with,
    ),
    Fault(
        "alarms: the dashboard shows each reason of a lost parser",
        '"ParsersLost", "service", "ingest", "reason", "limits"],',
        '"ParsersLost", "service", "ingest", "reason", "lost"],',
        dashboard.test_a_lost_parser_is_shown_however_it_was_lost,
    ),
    Fault(
        "alarms: throttles",
        "MetricName: Throttles\n      Dimensions: [{Name: FunctionName, Value: !Ref AskFunction}]",
        "MetricName: Throttles\n      Dimensions: [{Name: FunctionName, Value: ask}]",
        alarms.test_a_throttled_function_raises_an_alarm,
    ),
    Fault(
        "alarms: connections above 70 %",
        "Threshold: 280",
        "Threshold: 400",
        alarms.test_seven_tenths_of_the_connections_raise_an_alarm,
    ),
    Fault(
        "alarms: failed documents",
        "      Namespace: *metrics\n      MetricName: DocumentsFailed\n",
        "      Namespace: Bucketwise\n      MetricName: DocumentsFailed\n",
        alarms.test_a_failed_document_raises_an_alarm,
    ),
    Fault(
        "alarms: documents that are put off",
        "EvaluationPeriods: 2\n      Threshold: 0\n      ComparisonOperator: GreaterThanThreshold\n"
        "      TreatMissingData: notBreaching\n      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]\n\n"
        "  ReconcileDriftAlarm",
        "EvaluationPeriods: 1\n      Threshold: 0\n      ComparisonOperator: GreaterThanThreshold\n"
        "      TreatMissingData: notBreaching\n      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]\n\n"
        "  ReconcileDriftAlarm",
        alarms.test_documents_that_are_put_off_for_an_hour_raise_an_alarm,
    ),
    Fault(
        "alarms: reconcile drift",
        "MetricName: ReconcileDrift",
        "MetricName: ReconcileObjects",
        alarms.test_a_bucket_and_an_index_that_differ_in_two_passes_raise_an_alarm,
    ),
    Fault(
        "alarms: reconcile drift of comparisons that take long",
        "EvaluationPeriods: 4  #",
        "EvaluationPeriods: 2  #",
        alarms.test_a_bucket_and_an_index_that_differ_in_two_passes_raise_an_alarm,
    ),
    Fault(
        "alarms: spend",
        "      Period: 86400\n",
        "      Period: 3600\n",
        alarms.test_a_days_spending_raises_an_alarm_if_it_is_bounded,
    ),
    Fault(
        "alarms: no alarm on a database that the stack did not make",
        "  ConnectionAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: MakesDatabase\n",
        "  ConnectionAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: MakesVpc\n",
        alarms.test_an_existing_database_is_not_watched,
    ),
]
