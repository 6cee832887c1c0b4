"""One PostgreSQL for all integration tests."""

from collections.abc import Iterator

import pytest

from local.postgres import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres.start(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server
