"""When a failing server is left alone, for how long, and what ends that."""

from dataclasses import dataclass

import pytest

from bucketwise.circuit import FAILURES, LASTING_SECONDS, OPEN_SECONDS, SHORTEST_SECONDS, Circuit
from bucketwise.errors import ModelRefused, ModelUnavailable


@dataclass
class WallClock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def circuit(clock: WallClock) -> Circuit:
    return Circuit(clock=clock)


def fail(circuit: Circuit, times: int = 1, *, retry_after: float | None = None, given: float = 10.0) -> None:
    for _ in range(times):
        circuit.failed(ModelUnavailable("500", retry_after=retry_after), given_seconds=given)


def refuses(circuit: Circuit) -> float | None:
    """The seconds after which to come again, or None if a call is let through."""
    try:
        circuit.admit()
    except ModelUnavailable as error:
        return error.retry_after
    return None


def test_it_opens_after_failures_in_a_row_and_tells_for_how_long(circuit: Circuit, clock: WallClock) -> None:
    fail(circuit, FAILURES - 1)
    assert refuses(circuit) is None
    fail(circuit)
    clock.now += 1
    assert refuses(circuit) == OPEN_SECONDS - 1


def test_an_answer_in_between_starts_the_count_anew(circuit: Circuit) -> None:
    fail(circuit, FAILURES - 1)
    circuit.succeeded()
    fail(circuit, FAILURES - 1)
    assert refuses(circuit) is None


def test_when_its_time_is_over_one_call_is_let_through_and_the_others_wait(circuit: Circuit, clock: WallClock) -> None:
    fail(circuit, FAILURES)
    clock.now += OPEN_SECONDS
    assert refuses(circuit) is None
    assert refuses(circuit) == OPEN_SECONDS


def test_the_call_that_was_let_through_decides(circuit: Circuit, clock: WallClock) -> None:
    fail(circuit, FAILURES)
    clock.now += OPEN_SECONDS
    circuit.admit()
    fail(circuit)
    assert refuses(circuit) == OPEN_SECONDS
    clock.now += OPEN_SECONDS
    circuit.admit()
    circuit.succeeded()
    assert refuses(circuit) is None
    fail(circuit, FAILURES - 1)
    assert refuses(circuit) is None


def test_a_refused_account_opens_it_at_once_and_for_longer(circuit: Circuit) -> None:
    circuit.failed(ModelRefused("401", lasting=True), given_seconds=10)
    assert refuses(circuit) == LASTING_SECONDS


def test_a_refused_request_says_nothing_against_the_server(circuit: Circuit) -> None:
    fail(circuit, FAILURES - 1)
    circuit.failed(ModelRefused("400"), given_seconds=10)
    fail(circuit, FAILURES - 1)
    assert refuses(circuit) is None


def test_a_call_that_was_given_no_time_says_nothing_against_the_server(circuit: Circuit) -> None:
    fail(circuit, 10 * FAILURES, given=SHORTEST_SECONDS / 2)
    assert refuses(circuit) is None


@pytest.mark.parametrize(
    ("asked", "waits"), [(None, OPEN_SECONDS), (1, OPEN_SECONDS), (30, 30), (86_400, LASTING_SECONDS)]
)
def test_a_server_that_asks_for_more_time_is_given_it_within_reason(
    circuit: Circuit, asked: float | None, waits: float
) -> None:
    fail(circuit, FAILURES, retry_after=asked)
    assert refuses(circuit) == waits


def test_hours_of_a_freeze_are_counted(circuit: Circuit, clock: WallClock) -> None:
    fail(circuit, FAILURES)
    clock.now += 3 * 3600
    assert refuses(circuit) is None


def test_a_clock_that_was_set_back_does_not_keep_it_open(circuit: Circuit, clock: WallClock) -> None:
    fail(circuit, FAILURES)
    clock.now -= 3600
    assert refuses(circuit) is None
