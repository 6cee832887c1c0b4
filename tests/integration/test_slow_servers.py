"""Servers that keep a client waiting: no call, statement or connection outlasts the time it was given."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg import Connection

from bucketwise.connection import GRACE_SECONDS
from bucketwise.database import IDLE_SECONDS, PING_SECONDS, Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded, ModelUnavailable
from bucketwise.model_calls import model_client
from tests.integration.index_database import IndexDatabase, at_port, settings_for
from tests.integration.silent_servers import FallingSilent, silent_server, trickling_server

# Of a machine that has other things to do too; far below what a server here would keep its client for.
LATE_SECONDS = 3.0

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WITH_A_LENGTH = HEAD + b"Content-Length: 100000\r\n\r\n"
IN_THE_HEAD = HEAD + b"X-Slow:"


@contextmanager
def ended_by(deadline: Deadline) -> Iterator[None]:
    """A bound, and no measure: without one, these servers keep a client for half a minute."""
    yield
    assert deadline.remaining() > -LATE_SECONDS


@pytest.mark.parametrize("reply", [WITH_A_LENGTH, IN_THE_HEAD], ids=["in the body", "in the head"])
def test_a_reply_that_trickles_in_ends_with_the_time_of_its_call(reply: bytes) -> None:
    with trickling_server(reply) as port:
        settings = settings_for("postgresql://nowhere.test").model_copy(
            update={"openai_base_url": f"http://127.0.0.1:{port}/v1"}
        )
        deadline = Deadline.after(0.5)
        with model_client(settings) as client, ended_by(deadline), pytest.raises(ModelUnavailable):
            OpenAIEmbedder(client, "m", 3).embed(["text"], deadline=deadline)


def database_at(dsn: str, port: int) -> Database:
    return Database(lambda deadline: connect(settings_for(at_port(dsn, port)), deadline))


def test_a_database_that_takes_a_connection_and_says_nothing_is_left_in_time(shared_index: IndexDatabase) -> None:
    with silent_server() as port:
        deadline = Deadline.after(3)
        with ended_by(deadline), pytest.raises((DatabaseUnavailable, DeadlineExceeded)):
            database_at(shared_index.ask, port).run(answer, deadline=deadline)


def test_no_connection_is_begun_that_could_not_be_made_in_time(shared_index: IndexDatabase) -> None:
    deadline = Deadline.after(1.5)
    with silent_server() as port, pytest.raises(DeadlineExceeded):
        database_at(shared_index.ask, port).run(answer, deadline=deadline)
    assert deadline.remaining() > 0


@pytest.fixture
def proxy(shared_index: IndexDatabase) -> Iterator[FallingSilent]:
    with FallingSilent(shared_index.postgres.port).serving() as proxy:
        yield proxy


@pytest.fixture
def database(shared_index: IndexDatabase, proxy: FallingSilent) -> Iterator[Database]:
    """Connected through the proxy."""
    database = database_at(shared_index.ask, proxy.port)
    assert database.run(answer, deadline=Deadline.after(30)) == (1,)
    yield database
    database.close()


def answer(connection: Connection) -> object:
    return connection.execute("SELECT 1").fetchone()


def test_a_database_that_falls_silent_is_left_in_time_and_the_next_work_has_a_new_connection(
    database: Database, proxy: FallingSilent
) -> None:
    deadline = Deadline.after(1)
    proxy.silence()
    with ended_by(deadline), pytest.raises(DeadlineExceeded):
        database.run(answer, deadline=deadline)
    assert database.run(answer, deadline=Deadline.after(30)) == (1,)


def test_a_connection_that_fell_silent_in_a_freeze_costs_the_question_and_not_the_request(
    database: Database, proxy: FallingSilent
) -> None:
    proxy.silence()
    database._used_at -= IDLE_SECONDS + 1
    with ended_by(Deadline.after(PING_SECONDS + GRACE_SECONDS)):
        assert database.run(answer, deadline=Deadline.after(25)) == (1,)
