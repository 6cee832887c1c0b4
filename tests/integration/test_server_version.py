"""The age of a real server is looked at before anything is migrated."""

import psycopg
import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import IndexMismatch
from bucketwise.server_version import check_server
from bucketwise.settings import Settings
from migrate.handler import bring_up_to_date
from tests.integration.index_database import IndexDatabase


def test_the_server_of_the_tests_is_new_enough(index_database: IndexDatabase) -> None:
    with psycopg.connect(index_database.superuser) as superuser, psycopg.connect(index_database.owner) as owner:
        assert check_server(superuser) == check_server(owner) == []


def test_a_server_that_is_too_old_is_not_migrated(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bucketwise.server_version.PGVECTOR", (99,))
    settings = Settings.from_environment({"DATABASE_URL": index_database.superuser})
    with pytest.raises(IndexMismatch, match="99 or newer is needed"):
        bring_up_to_date(settings, Deadline.after(60))
