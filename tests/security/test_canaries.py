"""Nothing private gets into logs, metrics, traces, errors or problem documents, whatever goes wrong with it."""

import json
from collections.abc import Iterator

import pytest

from tests.security import mishaps
from tests.security.watched_twin import Watched, watched


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """After everything has happened to it."""
    with watched(tmp_path_factory.mktemp("watched")) as system:
        mishaps.answer(system)
        mishaps.refuse_documents(system)
        mishaps.refuse_requests(system)
        mishaps.misbehave_as_a_model(system)
        mishaps.misbehave_as_a_database(system)
        mishaps.lose_the_database(system)
        mishaps.misdirect_events(system)
        mishaps.misconfigure(system)
        yield system


@pytest.mark.parametrize("function", ["ask", "ingest", "reconcile", "reindex", "migrate"])
def test_logs_and_metrics_hold_nothing_private(system: Watched, function: str) -> None:
    said = [line for line in system.logs[function].splitlines() if system.canaries.found_in(line)]
    assert said == []
    assert system.logs[function].count("\n") > 1


def test_the_databases_own_log_holds_nothing_private(system: Watched) -> None:
    """Of the server that every mishap met; an error of a statement would be in it by PostgreSQL's own settings."""
    log = (system.twin.logs / "postgres.log").read_text(errors="replace")
    assert [line for line in log.splitlines() if system.canaries.found_in(line)] == []
    assert log.count("ready to accept connections") >= 2  # it was lost, and started again


def test_metrics_were_among_the_logs(system: Watched) -> None:
    assert {name for name, log in system.logs.items() if '"_aws":' in log} >= {"ask", "ingest", "reconcile"}


def test_traces_hold_nothing_private(system: Watched) -> None:
    packets = system.twin.traces.packets
    assert [packet for packet in packets if system.canaries.found_in(packet)] == []
    assert any('"## search"' in packet or "## retrieve" in packet for packet in packets)
    assert any('"fault": true' in packet or '"error": true' in packet for packet in packets)


def test_problem_documents_hold_nothing_private(system: Watched) -> None:
    assert {reply.status for reply in system.replies} >= {400, 404, 409, 422, 500, 503}
    assert [reply for reply in system.replies if system.canaries.found_in(json.dumps(reply.body))] == []


def test_what_lambda_and_cloudformation_are_told_holds_nothing_private(system: Watched) -> None:
    assert len(system.results) > 12
    assert [told for told in system.results if system.canaries.found_in(told)] == []
