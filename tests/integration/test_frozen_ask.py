"""The real ask function, its process frozen as Lambda freezes it, or its database asleep: what the caller gets."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench.served_ask import ask_configuration
from local import CODE, ROOT
from local.api import Api, Reply
from local.function import Function
from local.gateway import Gateway
from local.postgres import Postgres
from tests.integration.fault_proxy import FaultProxy
from tests.integration.index_database import (
    DIMENSIONS,
    MODEL,
    IndexDatabase,
    at_port,
    empty_database,
    migrate_as_owner,
)
from tests.integration.standby import begin_again_as_standby, promote

# Of an invocation, instead of a stack's 29.
SECONDS = 6.0
# More than hasty_ask takes for a freeze.
FROZEN_SECONDS = 1.5
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bucketwise_ask' AND datname = %s"


@dataclass(frozen=True, slots=True)
class ServedAsk:
    function: Function
    api: Api

    @property
    def pid(self) -> int:
        [environment] = self.function._idle
        return environment.pid

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            time.sleep(FROZEN_SECONDS)
            os.kill(self.pid, signal.SIGCONT)

    def search(self) -> Reply:
        """By keywords alone, as no model answers. Its time is an invocation's: a gateway's 502 would come after it."""
        self.api.get("/health")  # an environment that starts has not begun its time yet
        began = time.monotonic()
        reply = self.api.post("/search", {"question": "How much leave?"})
        assert time.monotonic() - began < SECONDS
        return reply


@contextmanager
def served(index: IndexDatabase, port: int, log: Path, **more: str) -> Iterator[ServedAsk]:
    variables = {
        **more,
        "DATABASE_URL": at_port(index.ask, port),
        "EMBEDDING_MODEL": MODEL,
        "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",  # nobody listens there
    }
    given = replace(
        ask_configuration(variables, log_file=log, seconds=SECONDS),
        handler="tests.integration.hasty_ask.lambda_handler",
        paths=(*CODE, ROOT),
    )
    with Function(given) as function:
        gateway = Gateway(function)
        gateway.start()
        try:
            yield ServedAsk(function, Api(gateway.url))
        finally:
            gateway.stop()


@pytest.fixture(scope="module")
def asleep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexDatabase]:
    """An index on a server that may be stopped."""
    with (
        Postgres.start(tmp_path_factory.mktemp("asleep") / "data", durable=False) as server,
        empty_database(server) as database,
    ):
        migrate_as_owner(database)
        yield database


@pytest.fixture(scope="module")
def proxy(asleep: IndexDatabase) -> Iterator[FaultProxy]:
    with FaultProxy(asleep.postgres.port).serving() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def ask(asleep: IndexDatabase, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedAsk]:
    with served(asleep, proxy.port, tmp_path_factory.mktemp("ask") / "ask.log") as ask:
        yield ask


@pytest.fixture(autouse=True)
def answering(ask: ServedAsk) -> None:
    assert ask.search().status == 200


@pytest.mark.parametrize("lost", [FaultProxy.cut, FaultProxy.silence], ids=["reset", "forgotten by the network"])
def test_a_connection_that_died_while_the_function_was_frozen_costs_one_new_connection(
    ask: ServedAsk, proxy: FaultProxy, lost: Callable[[FaultProxy], None]
) -> None:
    opened, pid = proxy.opened, ask.pid
    with ask.frozen():
        lost(proxy)
    assert ask.search().status == 200
    assert (ask.pid, proxy.opened) == (pid, opened + 1)


def test_a_connection_that_outlived_the_freeze_is_used_again(ask: ServedAsk, proxy: FaultProxy) -> None:
    opened = proxy.opened
    with ask.frozen():
        pass
    assert ask.search().status == 200
    assert proxy.opened == opened


def test_a_database_that_falls_asleep_is_a_503_until_it_is_awake(ask: ServedAsk, asleep: IndexDatabase) -> None:
    asleep.postgres.kill()
    try:
        assert_come_back_later(ask.search())
    finally:
        asleep.postgres.restart()
    assert ask.search().status == 200


def test_a_database_that_keeps_its_client_waiting_is_a_503_until_it_does_not(ask: ServedAsk, proxy: FaultProxy) -> None:
    proxy.delay(3 * SECONDS)
    proxy.cut()
    try:
        assert_come_back_later(ask.search())
    finally:
        proxy.delay(0)
    assert ask.search().status == 200


def test_a_database_that_wakes_up_in_time_is_waited_for(ask: ServedAsk, proxy: FaultProxy) -> None:
    proxy.delay(2)
    proxy.cut()
    try:
        assert ask.search().status == 200
    finally:
        proxy.delay(0)


def test_a_reader_answers_searches_and_what_a_budget_must_reserve_is_a_503_until_it_is_a_writer(
    ask: ServedAsk, asleep: IndexDatabase, proxy: FaultProxy, tmp_path: Path
) -> None:
    with served(asleep, proxy.port, tmp_path / "ask.log", BUDGET_CALLER_TOKENS="1000000") as budgeted:
        assert budgeted.search().status == 200
        begin_again_as_standby(asleep.postgres)
        try:
            assert ask.search().status == 200
            assert_come_back_later(budgeted.search())
        finally:
            promote(asleep.postgres)
        assert budgeted.search().status == 200


def test_an_environment_has_one_connection_whatever_happened_before(ask: ServedAsk, asleep: IndexDatabase) -> None:
    for path in ("/documents", "/health?deep=1", "/documents?key=none"):
        ask.api.send("GET", path, None)
    until = time.monotonic() + 20
    while asleep.count(SESSIONS, asleep.name) != 1:  # the server may notice late that a client has gone
        assert time.monotonic() < until
        time.sleep(0.1)


def assert_come_back_later(reply: Reply) -> None:
    assert reply.status == 503, reply
    assert reply.body["type"].removeprefix("urn:bucketwise:problem:") in {"too-slow", "database-unavailable"}
    assert int(reply.headers["Retry-After"]) > 0
