"""What the twin's server writes into its own log; a stack's has the same settings, see test_template_database.py."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import Postgres

PRIVATE = "what nobody else may read"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = tmp_path_factory.mktemp("logged")
    with Postgres.start(folder / "data", durable=False, log=folder / "postgres.log") as server:
        yield server


def log_of(server: Postgres) -> str:
    assert server.log is not None
    return server.log.read_text(errors="replace")


def cut_a_copy(connection: psycopg.Connection) -> None:
    """As ingest's is at the deadline: the error's context has the line that was read last."""
    connection.execute("SET statement_timeout = 200")
    with connection.cursor() as cursor, cursor.copy("COPY kept FROM STDIN") as copy:
        copy.write_row(["x" * 200_000])
        time.sleep(0.6)
        copy.write_row([PRIVATE])
        copy.write_row(["x" * 200_000])


def refuse_a_row(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO kept VALUES (%s)", (f"no {PRIVATE}",))


def misread_a_value(connection: psycopg.Connection) -> None:
    """PostgreSQL's message itself repeats it."""
    connection.execute("SELECT %s::text::bigint", (PRIVATE,))


def misspell_a_statement(connection: psycopg.Connection) -> None:
    connection.execute(b"SELECT '" + PRIVATE.encode() + b"' FROM nowhere")


@pytest.mark.parametrize("fail", [cut_a_copy, refuse_a_row, misread_a_value, misspell_a_statement])
def test_a_statement_that_fails_leaves_nothing_of_itself_in_the_log(
    server: Postgres, fail: Callable[[psycopg.Connection], None]
) -> None:
    with psycopg.connect(server.superuser_dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE kept (text text CHECK (text NOT LIKE 'no %'))")
        with pytest.raises(psycopg.Error):
            fail(connection)
    assert PRIVATE not in log_of(server)


def test_what_the_server_says_of_itself_is_in_the_log(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn("nobody-of-that-name", "postgres"))
    assert "ready to accept connections" in log_of(server)
    assert 'role "nobody-of-that-name" does not exist' in log_of(server)


def test_a_start_that_fails_tells_its_own_end_of_a_log_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "postgres.log").write_text("LOG:  could not bind: Address already in use\n")
    with Postgres.start(tmp_path / "data", durable=False, log=tmp_path / "postgres.log") as server:
        assert "Address already in use" not in server._process.tail()
        assert "ready to accept connections" in server._process.tail()
