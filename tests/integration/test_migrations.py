"""The schema is made once and whole, whoever asks for it and however often, or not at all."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from bucketwise import migrations as package
from bucketwise.database import connect
from bucketwise.deadline import Deadline
from bucketwise.errors import IndexMismatch
from bucketwise.migrations import LOCK, Migration, check_index, migrate, migrations
from tests.integration.index_database import (
    DIMENSIONS,
    MODEL,
    IndexDatabase,
    connected,
    migrate_as_owner,
    settings_for,
)

KIND: dict[str, Any] = {"embedding_model": MODEL, "dimensions": DIMENSIONS}
TABLES = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'bucketwise'"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
KILL_OWNERS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE usename = 'bucketwise_migrate' AND datname = current_database()"""


def applied(database: IndexDatabase) -> list[tuple[int, str]]:
    with connected(database.superuser) as connection:
        rows = connection.execute("SELECT number, name FROM bucketwise.schema_migrations ORDER BY applied_at")
        return [(row[0], row[1]) for row in rows]


def wait_until(happens: Callable[[], bool]) -> None:
    for _ in range(500):
        if happens():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen in 5 s")


def pretend(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Migration]], list[Migration]]) -> None:
    changed = change(migrations())
    monkeypatch.setattr(package, "migrations", lambda: changed)


def test_files_are_applied_in_order_and_each_once_by_a_role_without_privileges(empty: IndexDatabase) -> None:
    names = [migration.name for migration in migrations()]
    assert migrate_as_owner(empty) == names
    assert [name for _, name in applied(empty)] == names == sorted(names)
    assert migrate_as_owner(empty) == []
    assert empty.count("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'bucketwise%%' AND rolsuper") == 0


def test_numbers_of_files_are_those_of_their_order_without_a_gap() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_the_settings_of_the_index_are_those_it_was_made_with(empty: IndexDatabase) -> None:
    with connected(empty.owner) as connection:
        migrate(connection, embedding_model='it\'s a "model"', dimensions=3)
        check_index(connection, embedding_model='it\'s a "model"', dimensions=3)
        kind = connection.execute(
            """SELECT format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = 'bucketwise.embeddings'::regclass AND attname = 'embedding'"""
        )
        assert kind.fetchall() == [("halfvec(3)",)]


def test_ask_cannot_take_the_connections_that_others_need(index_database: IndexDatabase) -> None:
    with connected(index_database.superuser) as connection:
        limits = connection.execute("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'bucketwise\\_%'")
        assert dict(limits.fetchall()) == {"bucketwise_migrate": -1, "bucketwise_ingest": -1, "bucketwise_ask": 300}


def test_eight_at_once_apply_each_file_once(empty: IndexDatabase) -> None:
    start = threading.Barrier(8)

    def one(_: int) -> list[str]:
        start.wait()
        return migrate_as_owner(empty)

    with ThreadPoolExecutor(8) as pool:
        done = sorted(pool.map(one, range(8)))
    assert done == [[]] * 7 + [[migration.name for migration in migrations()]]
    assert len(applied(empty)) == len(migrations())


def test_one_that_is_killed_while_it_waits_does_no_harm(empty: IndexDatabase) -> None:
    with ThreadPoolExecutor(1) as pool, connected(empty.superuser) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        waiting = pool.submit(migrate_as_owner, empty)
        wait_until(lambda: empty.count(WAITING) == 1)
        assert empty.count(KILL_OWNERS) == 1
        with pytest.raises(psycopg.OperationalError):
            waiting.result(timeout=5)
        other.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
    assert empty.count(TABLES) == 0
    assert len(migrate_as_owner(empty)) == len(migrations())


def test_one_that_is_killed_in_the_middle_leaves_nothing_half_done(
    empty: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Migration(90, "0090_pause.sql", "CREATE TABLE bucketwise.half_done (); SELECT pg_sleep(30);")
    with monkeypatch.context() as patched, ThreadPoolExecutor(1) as pool:
        pretend(patched, lambda found: [*found, pause])
        killed = pool.submit(migrate_as_owner, empty)
        wait_until(lambda: empty.count("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == 1)
        assert empty.count(KILL_OWNERS) == 1
        with pytest.raises(psycopg.OperationalError):
            killed.result(timeout=5)
    assert empty.count(TABLES) == 0
    assert len(migrate_as_owner(empty)) == len(migrations())


def test_a_file_that_fails_leaves_the_schema_as_it_was(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index_database.count(TABLES)
    broken = Migration(90, "0090_broken.sql", "CREATE TABLE bucketwise.half_done (); SELECT no_such_column;")
    pretend(monkeypatch, lambda found: [*found, broken])
    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate_as_owner(index_database)
    assert index_database.count(TABLES) == before


def test_only_new_files_are_applied_to_an_older_schema(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Migration(90, "0090_later.sql", "CREATE TABLE bucketwise.later ();")
    pretend(monkeypatch, lambda found: [*found, later])
    with connected(index_database.owner) as connection:
        with pytest.raises(IndexMismatch, match="older than migration 90: run the migrations"):
            check_index(connection, **KIND)
        assert migrate(connection, **KIND) == ["0090_later.sql"]
        check_index(connection, **KIND)


def test_what_a_newer_version_applied_is_left_alone(index_database: IndexDatabase) -> None:
    newer = "INSERT INTO bucketwise.schema_migrations (number, name, digest) VALUES (999, '0999_newer.sql', 'x')"
    with connected(index_database.owner) as connection:
        connection.execute(newer)
        assert migrate(connection, **KIND) == []
        check_index(connection, **KIND)
    assert (999, "0999_newer.sql") in applied(index_database)


def test_a_file_that_was_edited_after_it_was_applied_is_named(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(found: list[Migration]) -> list[Migration]:
        return [Migration(found[0].number, found[0].name, found[0].text + " "), *found[1:]]

    pretend(monkeypatch, edit)
    with pytest.raises(IndexMismatch, match=r"0001_index\.sql was changed"):
        migrate_as_owner(index_database)


@pytest.mark.parametrize(("model", "dimensions"), [("other", DIMENSIONS), (MODEL, 9)])
@pytest.mark.parametrize("with_schema_work", [True, False])
def test_an_index_of_other_vectors_is_refused_by_naming_both_settings(
    index_database: IndexDatabase, model: str, dimensions: int, with_schema_work: bool
) -> None:
    def use(connection: Connection) -> None:
        if with_schema_work:
            migrate(connection, embedding_model=model, dimensions=dimensions)
        else:
            check_index(connection, embedding_model=model, dimensions=dimensions)

    with connected(index_database.owner) as connection:
        with pytest.raises(IndexMismatch, match="EMBEDDING_MODEL") as raised:
            use(connection)
        text = str(raised.value)
        assert f"{MODEL} with {DIMENSIONS} dimensions" in text
        assert f"EMBEDDING_DIMENSIONS say {model} with {dimensions}" in text
        check_index(connection, **KIND)


@pytest.mark.parametrize("role", ["bucketwise_migrate", "bucketwise_ingest", "bucketwise_ask"])
def test_a_database_without_a_schema_says_what_to_do(empty: IndexDatabase, role: str) -> None:
    with pytest.raises(IndexMismatch, match="run the migrations"):
        connect(settings_for(empty.dsn(role)), Deadline.after(10))
    assert empty.count("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", role) == 0


def test_a_role_without_rights_on_the_index_is_turned_away(index_database: IndexDatabase) -> None:
    with connected(index_database.superuser) as superuser:
        superuser.execute("CREATE ROLE stranger LOGIN")
    with connected(index_database.dsn("stranger")) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            check_index(connection, **KIND)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            migrate(connection, **KIND)
    with connected(index_database.superuser) as superuser:
        superuser.execute("DROP ROLE stranger")
