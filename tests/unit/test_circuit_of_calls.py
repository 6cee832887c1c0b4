"""Calls to models that a circuit stops."""

import httpx2
import pytest

from bucketwise.circuit import FAILURES, LASTING_SECONDS, Circuit
from bucketwise.errors import ModelRefused, ModelReplyInvalid, ModelUnavailable
from tests.unit.failing_model import GOOD, Clock, ask, clock, problem, served

__all__ = ["clock"]


def test_a_server_that_fails_again_and_again_is_not_called_any_more(clock: Clock) -> None:
    server, circuit = served(*[problem(500)] * FAILURES, GOOD), Circuit(clock=clock.monotonic)
    with pytest.raises(ModelUnavailable, match="500"):
        ask(server, tries=FAILURES + 1, seconds=100, circuit=circuit)
    pauses = len(clock.pauses)
    with pytest.raises(ModelUnavailable, match="left alone"):
        ask(server, tries=3, circuit=circuit)
    assert (len(server.requests), len(clock.pauses)) == (FAILURES, pauses)


def test_a_wrong_key_stops_further_calls_at_once_and_for_longer(clock: Clock) -> None:
    server, circuit = served(problem(401), GOOD), Circuit(clock=clock.monotonic)
    with pytest.raises(ModelRefused):
        ask(server, circuit=circuit)
    clock.now += LASTING_SECONDS - 1
    with pytest.raises(ModelUnavailable):
        ask(server, circuit=circuit)
    clock.now += 1
    assert ask(server, circuit=circuit) == [1.0]


@pytest.mark.parametrize("reply", [problem(400), problem(403), problem(422), httpx2.Response(200, text="[]")])
def test_what_is_wrong_with_one_request_alone_stops_no_others(reply: httpx2.Response, clock: Clock) -> None:
    server = served(*[reply] * (FAILURES + 1), GOOD)
    circuit = Circuit(clock=clock.monotonic)
    for _ in range(FAILURES + 1):
        with pytest.raises((ModelRefused, ModelReplyInvalid)):
            ask(server, circuit=circuit)
    assert ask(server, circuit=circuit) == [1.0]
