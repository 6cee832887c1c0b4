"""What the dashboard shows, and that it and the alarms look for metrics where they are sent."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from bucketwise.telemetry import Metric, Telemetry
from ingest.sandbox.losses import How
from tests.unit.template_model import ROOT, made, of_type, variables
from tests.unit.template_variants import VARIANTS

NAMESPACE = {"Fn::Sub": "Bucketwise/${AWS::StackName}"}
# Those of AWS's own metrics.
DIMENSIONS = {
    "AWS/SQS": {"QueueName"},
    "AWS/RDS": {"DBClusterIdentifier"},
    "AWS/Lambda": {"FunctionName"},
    "AWS/ApiGateway": {"ApiName", "Stage"},
}
SOURCES = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "functions").rglob("*.py")))
WITH_REASON = {Metric[name] for name in re.findall(r"count_with_reason\(Metric\.(\w+)", SOURCES)}


def service_of(function: str) -> str:
    found: str = variables(function)["POWERTOOLS_SERVICE_NAME"]
    return found


def widgets(**given: str) -> list[dict[str, Any]]:
    text, put_in = made("Dashboard", **given)["DashboardBody"]["Fn::Sub"]
    for name, value in put_in.items():
        text = text.replace(f"${{{name}}}", value["Fn::Sub"] if isinstance(value, dict) else value)
    body: dict[str, list[dict[str, Any]]] = json.loads(text)
    return body["widgets"]


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    shown = [metric for widget in widgets() for metric in widget["properties"]["metrics"]]
    services = {service_of(name) for name in ("AskFunction", "IngestFunction")}
    own = {(metric[1], metric[3]) for metric in shown if metric[0] == NAMESPACE["Fn::Sub"]}
    assert {name for name, _ in own} <= {metric.value[0] for metric in Metric}
    assert {service for _, service in own} <= services
    wanted = {
        Metric.CITATIONS_VERIFIED, Metric.CITATIONS_DROPPED, Metric.ANSWERS_REFUSED, Metric.ANSWERS_DEGRADED,
        Metric.CACHE_HIT, Metric.CACHE_MISS, Metric.BUDGET_EXCEEDED, Metric.TIME_TO_ANSWER,
    }  # fmt: skip
    assert {metric.value[0] for metric in wanted} <= {name for name, _ in own}
    assert {metric[0] for metric in shown} == {NAMESPACE["Fn::Sub"], "AWS/SQS", "AWS/RDS"}


def watched() -> list[tuple[str, str, dict[str, Any]]]:
    """Namespace, name and dimensions of each metric that the dashboard or an alarm looks at."""
    shown = [[part for part in each if isinstance(part, str)] for widget in widgets() for each in metrics_of(widget)]
    lines = [(each[0], each[1], dict(zip(each[2::2], each[3::2], strict=True))) for each in shown]
    alarms = [
        (
            NAMESPACE["Fn::Sub"] if each["Namespace"] == NAMESPACE else each["Namespace"],
            each["MetricName"],
            {given["Name"]: given["Value"] for given in each["Dimensions"]},
        )
        for each in of_type("AWS::CloudWatch::Alarm").values()
    ]
    return lines + alarms


def metrics_of(widget: dict[str, Any]) -> list[list[Any]]:
    found: list[list[Any]] = widget["properties"]["metrics"]
    return found


def test_metrics_are_looked_for_under_the_dimensions_that_they_are_sent_with() -> None:
    """CloudWatch adds up nothing: a metric with two dimensions has no data under one of them."""
    own = {metric.value[0]: dimensions_sent(metric) for metric in Metric}
    counted_in_logs = {
        each["MetricTransformations"][0]["MetricName"]: set[str]()
        for each in of_type("AWS::Logs::MetricFilter").values()
    }
    sent = own | counted_in_logs
    wrong = [
        (name, given)
        for namespace, name, given in watched()
        if given.keys() != (sent[name] if namespace == NAMESPACE["Fn::Sub"] else DIMENSIONS[namespace])
    ]
    assert wrong == []


def dimensions_sent(metric: Metric) -> set[str]:
    telemetry = Telemetry("ingest")
    with redirect_stdout(StringIO()) as said:
        if metric in WITH_REASON:
            telemetry.count_with_reason(metric, "reason")
        else:
            telemetry.count(metric, 1)
            telemetry.metrics.flush_metrics()
    [document] = json.loads(said.getvalue())["_aws"]["CloudWatchMetrics"]
    [names] = document["Dimensions"]
    return set(names)


def test_a_lost_parser_is_shown_however_it_was_lost() -> None:
    assert {Metric.PARSERS_LOST, Metric.FAILED_REQUESTS} == WITH_REASON
    shown = {given["reason"] for _, name, given in watched() if name == Metric.PARSERS_LOST.value[0]}
    assert shown == {how.value for how in How}


def test_the_dashboard_shows_no_database_that_the_stack_did_not_make() -> None:
    texts = json.dumps(widgets(**VARIANTS["existing server"]))
    assert "AWS/SQS" in texts
    assert "AWS/RDS" not in texts


def test_the_dashboards_widgets_do_not_lie_on_each_other() -> None:
    taken = [
        (column, row)
        for widget in widgets()
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24
