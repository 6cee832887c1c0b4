"""Logs and metrics: written whatever happens, and with nobody's words in them."""

import json
from collections.abc import Callable, Iterator
from traceback import format_exception
from typing import Any

import pytest

from bucketwise.errors import ModelUnavailable
from bucketwise.telemetry import NAMESPACE, Metric, Telemetry, UnexpectedFailure
from tests.unit.fakes import log_to_current_stdout

Printed = Callable[[], list[dict[str, Any]]]
SECRET = "the merger with Acme"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry("test")
    log_to_current_stdout(telemetry)
    telemetry.metrics.clear_metrics()
    yield telemetry
    telemetry.metrics.clear_metrics()


@pytest.fixture
def printed(capfd: pytest.CaptureFixture[str]) -> Printed:
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_what_was_counted_is_written_when_the_handler_returns(telemetry: Telemetry, printed: Printed) -> None:
    def handler(event: dict[str, Any], context: object) -> tuple[object, object]:
        telemetry.count(Metric.PROMPT_TOKENS, 12)
        telemetry.count(Metric.COST_USD, 0.5)
        return event, context

    assert telemetry.metrics_flushed(handler)({"a": 1}, "context") == ({"a": 1}, "context")
    [document] = printed()
    [described] = document["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == NAMESPACE
    assert {each["Name"]: each["Unit"] for each in described["Metrics"]} == {"PromptTokens": "Count", "CostUSD": "None"}
    assert (document["PromptTokens"], document["CostUSD"]) == ([12.0], [0.5])


def test_metrics_go_to_the_namespace_that_the_stack_names(monkeypatch: pytest.MonkeyPatch, printed: Printed) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Bucketwise/mine")
    telemetry = Telemetry("test")
    telemetry.count(Metric.PROMPT_TOKENS, 1)
    telemetry.count_with_reason(Metric.PARSERS_LOST, "hung")
    telemetry.metrics_flushed(lambda _event, _context: None)({}, None)
    assert {each["Namespace"] for document in printed() for each in document["_aws"]["CloudWatchMetrics"]} == {
        "Bucketwise/mine"
    }


def test_what_was_counted_is_written_also_when_the_handler_raises(telemetry: Telemetry, printed: Printed) -> None:
    def handler(event: dict[str, Any], context: object) -> None:
        telemetry.count(Metric.CHUNKS_EMBEDDED, len(event))
        raise ZeroDivisionError(context)

    with pytest.raises(ZeroDivisionError):
        telemetry.metrics_flushed(handler)({"a": 1}, None)
    [document] = printed()
    assert document["ChunksEmbedded"] == [1.0]


def test_an_invocation_that_counted_nothing_writes_nothing(telemetry: Telemetry, printed: Printed) -> None:
    telemetry.metrics_flushed(lambda _event, _context: None)({}, None)
    assert printed() == []


def test_an_invocation_does_not_write_what_an_earlier_one_counted(telemetry: Telemetry, printed: Printed) -> None:
    def handler(event: dict[str, Any], _: object) -> None:
        telemetry.count(Metric.PROMPT_TOKENS, event["tokens"])

    flushed = telemetry.metrics_flushed(handler)
    flushed({"tokens": 1}, None)
    flushed({"tokens": 2}, None)
    assert [document["PromptTokens"] for document in printed()] == [[1.0], [2.0]]


def test_a_reason_is_a_dimension_of_its_own_metric_alone(telemetry: Telemetry, printed: Printed) -> None:
    def handler(_event: dict[str, Any], _context: object) -> None:
        telemetry.count(Metric.PROMPT_TOKENS, 12)
        telemetry.count_with_reason(Metric.FAILED_REQUESTS, "too-slow")

    telemetry.metrics_flushed(handler)({}, None)
    with_reason, others = printed()
    assert with_reason["reason"] == "too-slow"
    assert with_reason["FailedRequests"] == [1.0]
    assert sorted(with_reason["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["reason", "service"]
    assert "reason" not in others
    assert others["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_the_text_of_our_own_error_is_logged(telemetry: Telemetry, printed: Printed) -> None:
    with pytest.raises(ModelUnavailable), telemetry.failures_logged(attempt=2):
        raise ModelUnavailable("the model's server answered 503")
    [line] = printed()
    assert (line["level"], line["error"], line["attempt"]) == ("ERROR", "ModelUnavailable", 2)
    assert line["text"] == "the model's server answered 503"


def raise_with_a_cause() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def raise_ours_with_a_cause() -> None:
    try:
        raise_with_a_cause()
    except KeyError as error:
        raise ModelUnavailable("no answer") from error


def test_the_text_of_anothers_error_is_not_logged_but_where_it_came_from_is(
    telemetry: Telemetry, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnexpectedFailure, match=r"^KeyError$") as raised, telemetry.failures_logged():
        raise_with_a_cause()
    assert SECRET not in "".join(format_exception(raised.value))
    output = capfd.readouterr()
    assert SECRET not in output.out + output.err
    line = json.loads(output.out)
    assert line["error"] == "KeyError"
    assert line["frames"][-1].startswith("test_telemetry.py:")


def test_the_text_of_a_cause_of_our_own_error_is_not_logged(
    telemetry: Telemetry, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelUnavailable) as raised, telemetry.failures_logged():
        raise_ours_with_a_cause()
    assert SECRET not in "".join(format_exception(raised.value))
    output = capfd.readouterr()
    assert "no answer" in output.out
    assert SECRET not in output.out + output.err


def test_what_goes_well_is_not_logged(telemetry: Telemetry, printed: Printed) -> None:
    with telemetry.failures_logged():
        pass
    assert printed() == []


@pytest.mark.parametrize("failure", [None, ZeroDivisionError(SECRET)])
def test_a_step_is_timed_whether_or_not_it_fails(
    failure: Exception | None, telemetry: Telemetry, capfd: pytest.CaptureFixture[str]
) -> None:
    def handler(_event: dict[str, Any], _context: object) -> None:
        with telemetry.step("search", Metric.RETRIEVAL_LATENCY):
            if failure is not None:
                raise failure

    try:
        telemetry.metrics_flushed(handler)({}, None)
    except ZeroDivisionError:
        assert failure is not None
    output = capfd.readouterr()
    assert SECRET not in output.out + output.err
    [milliseconds] = json.loads(output.out)["RetrievalLatency"]
    assert 0 <= milliseconds < 1000


def test_a_step_without_a_metric_counts_nothing(telemetry: Telemetry, printed: Printed) -> None:
    def handler(_event: dict[str, Any], _context: object) -> None:
        with telemetry.step("search"):
            pass

    telemetry.metrics_flushed(handler)({}, None)
    assert printed() == []


def test_metric_names_are_distinct() -> None:
    names = [metric.value[0] for metric in Metric]
    assert len(set(names)) == len(names)
