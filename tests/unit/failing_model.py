"""A model server that fails as it was told to, asked through ``call_model`` on a clock of the test's own."""

from typing import Any

import httpx2
import pytest

from bucketwise import deadline as deadline_module
from bucketwise import model_calls
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.model_calls import call_model
from tests.unit.fakes import ScriptedServer, client_to

SECRET = "the merger with Acme"
GOOD = httpx2.Response(200, json={"data": [{"index": 0, "embedding": [1.0]}]})


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(model_calls, "time", clock)
    monkeypatch.setattr(deadline_module, "time", clock)
    return clock


def problem(status: int, *, code: Any = None, kind: Any = None, **headers: str) -> httpx2.Response:
    body = {"error": {"message": f"bad input: {SECRET}", "code": code, "type": kind, "param": SECRET}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=body, headers=named)


def ask(
    server: ScriptedServer,
    *,
    tries: int = 1,
    seconds: float = 10,
    most: float = 60,
    circuit: Circuit | None = None,
) -> object:
    client = client_to(server)
    return call_model(
        lambda timeout: client.embeddings.create(model="m", input=SECRET, timeout=timeout).data[0].embedding,
        deadline=Deadline.after(seconds),
        tries=tries,
        most_seconds=most,
        circuit=circuit,
    )


def served(*replies: httpx2.Response | Exception) -> ScriptedServer:
    return ScriptedServer(list(replies))
