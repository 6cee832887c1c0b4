"""The database of the local twin: real PostgreSQL with pgvector, owned by a role without privileges."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from local.postgres import DatabaseInUse, Postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    deep = tmp_path_factory.mktemp("twin") / ("deep" * 30)  # no Unix socket would fit below it
    with Postgres.start(deep / "pg", durable=False) as postgres:
        yield postgres


def test_the_product_connects_over_tcp_as_a_role_without_privileges(server: Postgres) -> None:
    with psycopg.connect(server.create_database("bucketwise")) as connection:
        assert connection.info.hostaddr == "127.0.0.1"
        rights = "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == ("bucketwise", False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE intruder SUPERUSER")


def test_that_role_can_make_tables_with_vectors_in_its_database(server: Postgres) -> None:
    with psycopg.connect(server.create_database("vectors")) as connection:
        connection.execute("CREATE TABLE chunks (embedding halfvec(3))")
        connection.execute("INSERT INTO chunks VALUES ('[1,2,3]')")
        nearest = connection.execute("SELECT embedding <-> '[1,2,4]' FROM chunks").fetchone()
        assert nearest == (1.0,)


def test_creating_a_database_again_keeps_what_is_in_it(server: Postgres) -> None:
    name = 'with "quotes" and ümlaut'
    with psycopg.connect(server.create_database(name)) as connection:
        connection.execute("CREATE TABLE kept ()")
    with psycopg.connect(server.create_database(name)) as connection:
        assert connection.info.dbname == name
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


def test_databases_can_be_created_at_the_same_time(server: Postgres) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(server.create_database, ["one", "two", "one", "two"]))
    assert made[0] == made[2]
    assert made[1] == made[3]


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(server: Postgres) -> None:
    with pytest.raises(DatabaseInUse, match="another PostgreSQL runs on"):
        Postgres.start(server.data, durable=False)
    assert server.alive


def test_a_restart_breaks_connections_and_keeps_the_port_and_what_was_committed(server: Postgres) -> None:
    dsn = server.create_database("restarted")
    port = server.port
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.commit()
        server.restart()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert server.port == port
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_server_starts_again_after_it_was_killed_without_a_chance_to_clean_up(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    with Postgres.start(data, durable=True) as first:
        dsn = first.create_database("kept")
        first._process.send_signal(signal.SIGKILL)
        first._process.wait(10)
        assert (data / "postmaster.pid").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    with Postgres.start(data, durable=True) as second:
        psycopg.connect(second.create_database("kept")).close()


def test_what_a_killed_initialisation_left_behind_does_not_stop_the_next_start(tmp_path: Path) -> None:
    ruin = tmp_path / "pg.new"
    ruin.mkdir()
    (ruin / "PG_VERSION").write_text("18\n")
    with Postgres.start(tmp_path / "pg", durable=False) as postgres:
        assert postgres.alive
    assert not ruin.exists()
