"""One PostgreSQL for all integration tests, and databases on it that hold an index."""

from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from tests.integration.index_database import IndexDatabase, copied_database, empty_database, migrate_as_owner


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres.start(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        # The roles are made by the administrator, whichever test comes first and whoever it is to the server.
        with empty_database(server):
            pass
        yield server
        assert server.alive, server._process.tail()  # a server that ended by itself says why


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[IndexDatabase]:
    """Migrated, empty, and never connected to again, so that it can be copied."""
    with empty_database(postgres) as database:
        migrate_as_owner(database)
        yield database


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[IndexDatabase]:
    """A database without a schema."""
    with empty_database(postgres) as database:
        yield database


@pytest.fixture
def index_database(template: IndexDatabase) -> Iterator[IndexDatabase]:
    """A database of one test's own, migrated and empty."""
    with copied_database(template) as database:
        yield database


@pytest.fixture(scope="module")
def shared_index(template: IndexDatabase) -> Iterator[IndexDatabase]:
    """A database of one module's own, whose tests keep apart by using tenants of their own."""
    with copied_database(template) as database:
        yield database
