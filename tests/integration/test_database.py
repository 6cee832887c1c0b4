"""Work on the database is whole, bounded in time, and outlives a connection that was lost."""

import socket
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import Connection

from bucketwise.database import IDLE_SECONDS, Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded, IndexMismatch
from tests.integration.index_database import IndexDatabase, connected, opened, settings_for
from tests.integration.test_local_function import wait_for

SESSIONS = """SELECT count(*) FROM pg_stat_activity
              WHERE usename = 'bucketwise_ingest' AND datname = current_database()"""

SOON = Deadline.after(3600)
KILL = "SELECT count(pg_terminate_backend(%s))"


@pytest.fixture(scope="module")
def notes(shared_index: IndexDatabase) -> IndexDatabase:
    with connected(shared_index.superuser) as connection:
        connection.execute("CREATE TABLE public.notes (note text)")
        connection.execute("GRANT ALL ON public.notes TO bucketwise_ingest")
    return shared_index


@pytest.fixture
def database(notes: IndexDatabase) -> Iterator[Database]:
    with connected(notes.superuser) as connection:
        connection.execute("TRUNCATE public.notes")
    with opened(notes.ingest) as database:
        yield database


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


def note(connection: Connection) -> int:
    connection.execute("INSERT INTO public.notes VALUES ('noted')")
    return backend(connection)


def written(notes: IndexDatabase) -> int:
    return notes.count("SELECT count(*) FROM public.notes")


class FailsFirst:
    """Work that notes something and then, the first time, meets with trouble."""

    def __init__(self, trouble: Callable[[Connection], object]) -> None:
        self._trouble = trouble
        self.runs = 0

    def __call__(self, connection: Connection) -> int:
        self.runs += 1
        pid = note(connection)
        if self.runs == 1:
            self._trouble(connection)
        return pid


def raise_in_database(condition: str) -> Callable[[Connection], object]:
    statement = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{condition}'; END $$".encode()
    return lambda connection: connection.execute(statement)


def test_nothing_is_connected_before_the_first_use() -> None:
    Database(lambda deadline: connect(settings_for("postgresql://nobody@127.0.0.1:1/none"), deadline)).close()


def test_work_is_committed_and_its_result_returned(database: Database, notes: IndexDatabase) -> None:
    first = database.run(note, deadline=SOON)
    assert database.run(note, deadline=SOON) == first
    assert written(notes) == 2


def test_work_that_raises_leaves_nothing_and_the_connection_goes_on(database: Database, notes: IndexDatabase) -> None:
    def spoilt(connection: Connection) -> None:
        note(connection)
        raise ZeroDivisionError

    before = database.run(backend, deadline=SOON)
    with pytest.raises(ZeroDivisionError):
        database.run(spoilt, deadline=SOON)
    assert written(notes) == 0
    assert database.run(backend, deadline=SOON) == before


def test_a_connection_lost_between_two_pieces_of_work_is_opened_again(database: Database, notes: IndexDatabase) -> None:
    lost = database.run(backend, deadline=SOON)
    assert notes.count(KILL, lost) == 1
    assert database.run(note, deadline=SOON) != lost
    assert written(notes) == 1


def test_a_connection_lost_within_the_work_has_all_of_it_run_again(database: Database, notes: IndexDatabase) -> None:
    work = FailsFirst(lambda connection: notes.count(KILL, backend(connection)) and connection.execute("SELECT 1"))
    database.run(work, deadline=SOON)
    assert (work.runs, written(notes)) == (2, 1)


@pytest.mark.parametrize("condition", ["40001", "40P01"], ids=["serialization failure", "deadlock"])
def test_work_that_the_database_asks_to_repeat_is_repeated_on_the_same_connection(
    database: Database, notes: IndexDatabase, condition: str
) -> None:
    before = database.run(backend, deadline=SOON)
    work = FailsFirst(raise_in_database(condition))
    assert database.run(work, deadline=SOON) == before
    assert (work.runs, written(notes)) == (2, 1)


def test_a_connection_lost_twice_is_an_outage_and_the_next_work_succeeds(
    database: Database, notes: IndexDatabase
) -> None:
    def lost(connection: Connection) -> None:
        note(connection)
        notes.count(KILL, backend(connection))
        connection.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        database.run(lost, deadline=SOON)
    database.run(note, deadline=SOON)
    assert written(notes) == 1


def test_a_server_that_is_down_is_an_outage() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else can take the port
        dsn = f"postgresql://bucketwise_ingest@127.0.0.1:{unheard.getsockname()[1]}/none"
        with opened(dsn) as database, pytest.raises(DatabaseUnavailable) as raised:
            database.run(note, deadline=SOON)
    assert "127.0.0.1" not in str(raised.value)


def test_a_statement_is_cancelled_at_the_deadline_and_the_connection_is_usable_afterwards(
    database: Database, notes: IndexDatabase
) -> None:
    def dawdle(connection: Connection) -> None:
        note(connection)
        connection.execute("SELECT pg_sleep(30)")

    before = database.run(backend, deadline=SOON)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        database.run(dawdle, deadline=Deadline.after(0.2))
    assert time.monotonic() - began < 5
    assert written(notes) == 0
    assert database.run(backend, deadline=SOON) == before


def test_one_deadline_is_not_left_behind_for_the_next_work(database: Database) -> None:
    database.run(backend, deadline=SOON)
    database.run(backend, deadline=Deadline.after(0.3))
    database.run(lambda connection: connection.execute("SELECT pg_sleep(0.4)"), deadline=SOON)


def test_work_that_waits_for_a_lock_ends_at_the_deadline(database: Database, notes: IndexDatabase) -> None:
    with connected(notes.superuser) as other, other.transaction():
        other.execute("LOCK TABLE public.notes")
        with pytest.raises(DeadlineExceeded):
            database.run(note, deadline=Deadline.after(0.2))


def test_a_lock_that_is_not_given_in_the_second_run_ends_it_as_it_does_in_the_first(database: Database) -> None:
    conditions = iter(["40P01", "55P03"])
    with pytest.raises(DeadlineExceeded):
        database.run(lambda connection: raise_in_database(next(conditions))(connection), deadline=SOON)


def test_work_is_not_begun_after_the_deadline(database: Database, notes: IndexDatabase) -> None:
    with pytest.raises(DeadlineExceeded):
        database.run(note, deadline=Deadline.after(-1))
    assert written(notes) == 0


def test_a_connection_that_died_in_a_freeze_is_noticed_before_the_work_and_not_counted_as_its_first_failure(
    database: Database, notes: IndexDatabase
) -> None:
    lost = database.run(backend, deadline=SOON)
    notes.count(KILL, lost)
    database._used_at -= IDLE_SECONDS + 1
    work = FailsFirst(raise_in_database("40P01"))
    assert database.run(work, deadline=SOON) != lost
    assert (work.runs, written(notes)) == (2, 1)


def test_a_connection_that_survived_a_freeze_is_kept(database: Database) -> None:
    before = database.run(backend, deadline=SOON)
    database._used_at -= IDLE_SECONDS + 1
    assert database.run(backend, deadline=SOON) == before


def test_a_closed_database_opens_again(database: Database) -> None:
    before = database.run(backend, deadline=SOON)
    database.close()
    assert database.run(backend, deadline=SOON) != before


def test_no_statement_is_prepared_however_often_it_runs(database: Database) -> None:
    def count(connection: Connection) -> int:
        row = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name <> %s", ("",)).fetchone()
        return int(row[0]) if row is not None else -1

    assert [database.run(count, deadline=SOON) for _ in range(20)] == [0] * 20


def test_nothing_of_one_work_stays_in_the_session(database: Database) -> None:
    database.run(note, deadline=Deadline.after(5))
    assert database._connection is not None
    assert database._connection.execute("SELECT * FROM pg_settings WHERE source = 'session'").fetchall() == []


def test_an_index_of_another_kind_is_refused_at_the_first_use(notes: IndexDatabase) -> None:
    database = Database(lambda deadline: connect(settings_for(notes.ingest, dimensions=9), deadline))
    with pytest.raises(IndexMismatch):
        database.run(note, deadline=SOON)
    # A session ends a moment after its connection is closed.
    assert wait_for(lambda: notes.count(SESSIONS) == 0)


def test_an_error_of_the_database_that_is_no_outage_stays_what_it_is(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.run(lambda connection: connection.execute("SELECT * FROM no_such_table"), deadline=SOON)
