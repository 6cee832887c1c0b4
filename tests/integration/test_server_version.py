"""The age of a real server is looked at before anything is migrated."""

import psycopg
import pytest
from psycopg import Connection

from bucketwise.deadline import Deadline
from bucketwise.errors import IndexMismatch
from bucketwise.server_version import check_server, update_pgvector
from bucketwise.settings import Settings
from migrate.handler import bring_up_to_date
from tests.integration.index_database import IndexDatabase


def test_the_server_of_the_tests_is_new_enough(index_database: IndexDatabase) -> None:
    with psycopg.connect(index_database.superuser) as superuser, psycopg.connect(index_database.owner) as owner:
        assert check_server(superuser) == check_server(owner) == []


def installed(connection: Connection) -> str:
    [[version]] = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchall()
    return str(version)


def test_an_older_pgvector_is_updated_by_its_owner_alone_and_a_newer_one_by_nobody(
    index_database: IndexDatabase,
) -> None:
    is_said_to_be = "UPDATE pg_extension SET extversion = %s WHERE extname = 'vector'"
    with psycopg.connect(index_database.superuser) as superuser, psycopg.connect(index_database.owner) as owner:
        newest = installed(superuser)
        superuser.execute(is_said_to_be, ("0.8.0",))
        superuser.commit()
        check_server(superuser)
        update_pgvector(owner)
        assert installed(superuser) == "0.8.0"
        update_pgvector(superuser)
        assert installed(superuser) == newest
        superuser.execute(is_said_to_be, ("0.100.0",))
        update_pgvector(superuser)
        assert installed(superuser) == "0.100.0"


def test_a_server_that_is_too_old_is_not_migrated(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bucketwise.server_version.PGVECTOR", (99,))
    settings = Settings.from_environment({"DATABASE_URL": index_database.superuser})
    with pytest.raises(IndexMismatch, match="99 or newer is needed"):
        bring_up_to_date(settings, Deadline.after(60))
