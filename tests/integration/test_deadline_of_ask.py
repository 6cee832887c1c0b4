"""Each step of a request hanging in turn: the real function behind the real gateway replies before its time is over."""

import json
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from bench.faults import documents, questions, settings_at
from bench.machine import Machine, QuietTelemetry, machine_on
from bench.memory_bucket import MemoryBucket
from bench.retrieval import ingest
from bench.served_ask import served_ask
from bucketwise.settings import Settings
from local.api import Api, Reply
from local.model_server.client import LocalModels
from local.postgres import Postgres
from tests.integration.index_database import IndexDatabase
from tests.integration.silent_servers import FallingSilent, silent_server

# Of an invocation, instead of a stack's 29: what hangs here hangs for half a minute, or for ever.
SECONDS = 4.0
HANG_SECONDS = 30.0
QUESTION = questions()[0]
TO_THE_DATABASE: dict[str, tuple[str, str, object]] = {
    "ask": ("POST", "/ask", {"question": QUESTION}),
    "search": ("POST", "/search", {"question": QUESTION}),
    "documents": ("GET", "/documents", None),
    "health": ("GET", "/health?deep=1", None),
    "retries": ("POST", "/retries", {"key": "gate.md"}),
}
every_route = pytest.mark.parametrize("route", TO_THE_DATABASE)


@dataclass(frozen=True, slots=True)
class Served:
    """An index and the models; ``ask_at`` is the function that reaches its database at another port, made once each."""

    models: LocalModels
    variables: dict[str, str]
    superuser: str
    home: Path
    running: ExitStack
    functions: dict[int, Api] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(urlsplit(self.superuser).port or 0)

    def ask_at(self, port: int) -> Api:
        if port not in self.functions:
            parts = urlsplit(self.variables["DATABASE_URL"])
            moved = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}", query="sslmode=disable"))
            given = self.variables | {"DATABASE_URL": moved}
            log = self.home / f"ask-{port}.log"
            self.functions[port] = self.running.enter_context(served_ask(given, log_file=log, seconds=SECONDS))
        return self.functions[port]

    def fault(self, **what: Any) -> None:
        self._control("POST", json.dumps(what).encode())

    def no_more_faults(self) -> None:
        self._control("DELETE", None)

    def _control(self, method: str, body: bytes | None) -> None:
        url = f"{self.models.url.removesuffix('/v1')}/faults"
        urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()  # noqa: S310


@pytest.fixture(scope="module")
def served(
    postgres: Postgres,
    template: IndexDatabase,  # noqa: ARG001  # its administrator has to be the one who makes the server's roles
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    name = f"deadline_{uuid4().hex[:12]}"
    with LocalModels.start(faults=True) as models, ExitStack() as running:
        system = machine_on(postgres, settings_at(models.url), name=name)
        # In a process of its own, with which its connections end.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            pool.submit(fill, system.ingest).result()
        variables = settings_at(models.url) | {"DATABASE_URL": system.ask.database_url.get_secret_value()}
        superuser = postgres.dsn("postgres", name)
        yield Served(models, variables, superuser, tmp_path_factory.mktemp("ask"), running)


def fill(given: Settings) -> None:
    ingest(Machine(given, given, QuietTelemetry("fill")), MemoryBucket(documents()), list(documents()))


@pytest.fixture(scope="module")
def proxy(served: Served) -> Iterator[FallingSilent]:
    with FallingSilent(served.port).serving() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def silent_port() -> Iterator[int]:
    with silent_server() as port:
        yield port


@pytest.fixture
def hanging(served: Served) -> Iterator[Served]:
    yield served
    served.no_more_faults()


def sent_in_time(api: Api, route: str) -> Reply:
    """The reply, which the function gave: when its time is over, a gateway answers 502, later than this."""
    method, path, body = TO_THE_DATABASE[route]
    api.get("/health")  # an environment that starts has not begun its time yet
    began = time.monotonic()
    reply = api.send(method, path, json.dumps(body).encode() if body else None, content_type="application/json")
    assert time.monotonic() - began < SECONDS
    return reply


@pytest.mark.parametrize(
    "steps", [["embeddings"], ["rerank"], ["chat"], ["embeddings", "rerank", "chat"]], ids="+".join
)
def test_a_model_that_hangs_costs_what_it_makes_and_not_the_reply(hanging: Served, steps: list[str]) -> None:
    for step in steps:
        hanging.fault(kind="hang", route=step, seconds=HANG_SECONDS, times=2)
    reply = sent_in_time(hanging.ask_at(hanging.port), "ask")
    assert (reply.status, reply.body["degraded"]) == (200, True)
    assert (reply.body["answer"] is None) == ("chat" in steps)
    assert reply.body["passages" if "chat" in steps else "citations"]


@every_route
def test_a_database_that_falls_silent_is_a_typed_503(served: Served, proxy: FallingSilent, route: str) -> None:
    api = served.ask_at(proxy.port)
    assert api.get("/health", deep="1").status == 200
    proxy.silence()
    assert_unavailable(sent_in_time(api, route))
    assert sent_in_time(api, "search").status == 200  # over a new connection


@every_route
def test_a_database_that_takes_the_connection_and_says_nothing_is_a_typed_503(
    served: Served, silent_port: int, route: str
) -> None:
    assert_unavailable(sent_in_time(served.ask_at(silent_port), route))


@every_route
def test_a_database_that_is_down_is_a_typed_503_at_once(served: Served, route: str) -> None:
    assert_unavailable(sent_in_time(served.ask_at(9), route))  # nobody listens there


def test_a_statement_that_waits_in_the_database_is_a_typed_503(served: Served) -> None:
    api = served.ask_at(served.port)
    assert api.get("/health", deep="1").status == 200
    with psycopg.connect(served.superuser) as other:
        other.execute("LOCK TABLE bucketwise.chunks")
        assert_unavailable(sent_in_time(api, "search"))
    assert sent_in_time(api, "search").status == 200


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (503, "application/problem+json"), reply
    assert reply.body["type"].removeprefix("urn:bucketwise:problem:") in {"too-slow", "database-unavailable"}
    assert int(reply.headers["Retry-After"]) > 0
