"""Connections that were cut, or lead to a server that sleeps or became a reader: the next work is done all the same."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import Connection, sql

from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded
from local.postgres import Postgres
from tests.integration.fault_proxy import FaultProxy
from tests.integration.index_database import (
    IndexDatabase,
    at_port,
    connected,
    empty_database,
    migrate_as_owner,
    settings_for,
)
from tests.integration.standby import begin_again_as_standby, promote

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'bucketwise'"


@pytest.fixture(scope="module")
def other_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that its tests may stop, and begin again as a reader."""
    with Postgres.start(tmp_path_factory.mktemp("other") / "data", durable=False) as server:
        yield server


@pytest.fixture
def writer(index_database: IndexDatabase) -> IndexDatabase:
    """Where the address leads to after the failover."""
    with_notes(index_database)
    return index_database


@pytest.fixture
def old_writer(other_postgres: Postgres, writer: IndexDatabase) -> Iterator[IndexDatabase]:
    """Where it leads to before."""
    with empty_database(other_postgres, writer.name) as database:
        migrate_as_owner(database)
        with_notes(database)
        yield database


def with_notes(database: IndexDatabase) -> None:
    with connected(database.superuser) as connection:
        connection.execute("CREATE TABLE public.notes (note text)")
        connection.execute("GRANT ALL ON public.notes TO bucketwise_ingest")


@pytest.fixture
def proxy(writer: IndexDatabase) -> Iterator[FaultProxy]:
    with FaultProxy(writer.postgres.port).serving() as proxy:
        yield proxy


@pytest.fixture
def database(writer: IndexDatabase, proxy: FaultProxy) -> Iterator[Database]:
    """By way of the proxy."""
    settings = settings_for(at_port(writer.ingest, proxy.port))
    database = Database(lambda deadline: connect(settings, deadline))
    yield database
    database.close()


def soon() -> Deadline:
    return Deadline.after(30)


def note(connection: Connection) -> int:
    connection.execute("INSERT INTO public.notes VALUES ('noted')")
    return connection.info.backend_pid


def read(connection: Connection) -> object:
    return connection.execute("SELECT count(*) FROM public.notes").fetchone()


def written(index: IndexDatabase) -> int:
    return index.count("SELECT count(*) FROM public.notes")


def test_after_a_reset_work_is_done_over_one_new_connection(
    database: Database, proxy: FaultProxy, writer: IndexDatabase
) -> None:
    first = database.run(note, deadline=soon())
    proxy.cut()
    assert database.run(note, deadline=soon()) != first
    assert (proxy.opened, written(writer)) == (2, 2)


def test_a_writer_that_has_become_a_reader_is_left_for_the_new_writer(
    database: Database, proxy: FaultProxy, writer: IndexDatabase, old_writer: IndexDatabase
) -> None:
    proxy.lead_to(old_writer.postgres.port)
    database.run(note, deadline=soon())
    make_reader(old_writer, True)
    proxy.lead_to(writer.postgres.port)
    try:
        database.run(note, deadline=soon())
        assert (proxy.opened, written(old_writer), written(writer)) == (2, 1, 1)
        database.run(note, deadline=soon())
        assert (proxy.opened, written(writer)) == (2, 2)
    finally:
        make_reader(old_writer, False)


def test_an_address_that_leads_to_a_reader_for_a_while_is_an_outage_for_writes_alone(
    database: Database, proxy: FaultProxy, old_writer: IndexDatabase
) -> None:
    proxy.lead_to(old_writer.postgres.port)
    database.run(note, deadline=soon())
    begin_again_as_standby(old_writer.postgres)
    try:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                database.run(note, deadline=soon())
        before = proxy.opened
        assert database.run(read, deadline=soon()) == (1,)
        assert proxy.opened == before  # what can be read is, over the connection that is there
    finally:
        promote(old_writer.postgres)
    database.run(note, deadline=soon())
    assert written(old_writer) == 2


def make_reader(index: IndexDatabase, is_reader: bool) -> None:
    """As open sessions meet it too, from their next transaction on."""
    value = "on" if is_reader else "off"
    with connected(index.superuser) as superuser:
        superuser.execute("SET default_transaction_read_only = off")
        superuser.execute(sql.SQL("ALTER SYSTEM SET default_transaction_read_only = {}").format(value))
        superuser.execute("SELECT pg_reload_conf()")
    shown = "SELECT count(*) FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = %s"
    wait_for(lambda: index.count(shown, value) == 1)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def test_a_database_that_refuses_is_an_outage_at_once_and_the_first_work_after_it_is_done(
    database: Database, proxy: FaultProxy, writer: IndexDatabase
) -> None:
    proxy.refuse()
    deadline = soon()
    with pytest.raises(DatabaseUnavailable):
        database.run(note, deadline=deadline)
    assert deadline.remaining() > 20
    proxy.listen()
    database.run(note, deadline=soon())
    assert written(writer) == 1


def test_a_database_that_wakes_up_within_the_deadline_is_waited_for(
    database: Database, proxy: FaultProxy, writer: IndexDatabase
) -> None:
    proxy.delay(4)
    database.run(note, deadline=soon())
    assert (proxy.opened, written(writer)) == (1, 1)


def test_a_database_that_does_not_wake_up_in_time_costs_the_deadline_and_no_more(
    database: Database, proxy: FaultProxy, writer: IndexDatabase
) -> None:
    proxy.delay(15)
    deadline = Deadline.after(3)
    with pytest.raises((DatabaseUnavailable, DeadlineExceeded)):
        database.run(note, deadline=deadline)
    assert deadline.remaining() > -3
    proxy.delay(0)
    database.run(note, deadline=soon())
    assert written(writer) == 1


class Opener:
    """Opens for a Database, and sees that everything it opened before is closed by then."""

    def __init__(self, dsn: str) -> None:
        self._settings = settings_for(dsn)
        self.opened: list[BoundedConnection] = []
        self.were_open: list[int] = []

    def __call__(self, deadline: Deadline) -> BoundedConnection:
        self.were_open.append(sum(not connection.closed for connection in self.opened))
        self.opened.append(connect(self._settings, deadline))
        return self.opened[-1]


def test_threads_errors_and_lost_connections_leave_one_connection_and_closing_leaves_none(
    proxy: FaultProxy, writer: IndexDatabase
) -> None:
    opener = Opener(at_port(writer.ingest, proxy.port))
    database = Database(opener)
    started = threading.Barrier(8)

    def trouble(number: int) -> None:
        started.wait()
        for turn in range(12):
            try:
                match (number + turn) % 4:
                    case 0:
                        database.run(note, deadline=soon())
                    case 1:
                        database.run(lambda connection: connection.execute("SELECT 1/0"), deadline=soon())
                    case 2:
                        database.run(lambda c: c.execute("SELECT pg_sleep(5)"), deadline=Deadline.after(0.05))
                    case 3:
                        database.run(
                            lambda c: c.execute("SELECT pg_terminate_backend(pg_backend_pid())"), deadline=soon()
                        )
            except (psycopg.Error, DatabaseUnavailable, DeadlineExceeded):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trouble, range(8)))
    assert len(opener.opened) > 20
    assert set(opener.were_open) == {0}
    database.run(read, deadline=soon())
    wait_for(lambda: writer.count(SESSIONS, writer.name) == 1)
    database.close()
    wait_for(lambda: writer.count(SESSIONS, writer.name) == 0)


@pytest.mark.parametrize(
    ("role", "statement"), [("bucketwise_ask", "30s"), ("bucketwise_ingest", "15min"), ("bucketwise_migrate", "0")]
)
def test_no_role_may_hold_an_idle_session_a_transaction_or_a_statement_for_long(
    writer: IndexDatabase, role: str, statement: str
) -> None:
    with connected(writer.dsn(role)) as connection:
        names = ("idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout")
        shown = [connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
    assert shown == [("4min",), ("30s",), (statement,)]
