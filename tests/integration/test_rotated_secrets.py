"""A password that Secrets Manager rotates: open sessions go on, and the next login has the new one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import sql

from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable
from bucketwise.settings import Settings
from local.postgres import Postgres
from tests.integration.index_database import IndexDatabase, connected, empty_database, migrate_as_owner
from tests.integration.logins import KILL_ALL, backend, certificate_in, fresh_environment, settings_behind, soon
from tests.integration.tls_front import tls_front


@pytest.fixture(autouse=True)
def _fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with fresh_environment():
        yield


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_in(tmp_path)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexDatabase]:
    """An index on a server that lets ask's role in by password alone."""
    with (
        Postgres.start(tmp_path_factory.mktemp("guarded") / "data", durable=False) as server,
        empty_database(server) as database,
    ):
        migrate_as_owner(database)
        rules = server.data / "pg_hba.conf"
        rules.write_text(f"host all bucketwise_ask 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        with connected(server.superuser_dsn) as superuser:
            superuser.execute("SELECT pg_reload_conf()")
        yield database


class Secret:
    """In Secrets Manager, and the password of ask's role, which a rotation changes one after the other."""

    def __init__(self, client: Any, index: IndexDatabase) -> None:
        self._client, self._index = client, index
        self.name = f"secret-{uuid4().hex}"
        client.create_secret(Name=self.name, SecretString="none yet")

    def set_password(self, password: str) -> None:
        with connected(self._index.superuser) as superuser:
            superuser.execute(sql.SQL("ALTER ROLE bucketwise_ask PASSWORD {}").format(password))

    def tell(self, password: str) -> None:
        text = json.dumps({"username": "bucketwise_ask", "password": password})
        self._client.put_secret_value(SecretId=self.name, SecretString=text)


@pytest.fixture
def secret(guarded: IndexDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secret]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    secret = Secret(boto3.Session().client("secretsmanager"), guarded)
    secret.set_password("the first")
    secret.tell("the first")
    yield secret
    server.stop()


@pytest.fixture
def by_secret(guarded: IndexDatabase, secret: Secret, certificate: Path) -> Iterator[Settings]:
    with tls_front(certificate, to_port=guarded.postgres.port) as port:
        yield settings_behind(guarded, port, certificate, DATABASE_AUTH="secret", DATABASE_SECRET=secret.name)


Opened = Callable[[Callable[[Deadline], BoundedConnection]], Database]


@pytest.fixture
def opened() -> Iterator[Opened]:
    made: list[Database] = []

    def open_by(opener: Callable[[Deadline], BoundedConnection]) -> Database:
        made.append(Database(opener))
        return made[-1]

    yield open_by
    for database in made:
        database.close()


def test_after_a_rotation_an_open_session_goes_on_and_the_next_one_has_the_new_password(
    by_secret: Settings, secret: Secret, guarded: IndexDatabase, opened: Opened
) -> None:
    database = opened(lambda deadline: connect(by_secret, deadline))
    before = database.run(backend, deadline=soon())
    secret.set_password("the second")
    secret.tell("the second")
    assert database.run(backend, deadline=soon()) == before
    assert guarded.count(KILL_ALL) == 1
    assert database.run(backend, deadline=soon()) != before


def test_a_login_that_a_rotation_overtook_reads_the_secret_again(
    by_secret: Settings, secret: Secret, opened: Opened
) -> None:
    secret.set_password("the second")  # and the secret still tells the first
    refused: list[str] = []

    def open_while_rotating(deadline: Deadline) -> BoundedConnection:
        try:
            return connect(by_secret, deadline)
        except psycopg.OperationalError as error:
            refused.append(str(error))
            secret.tell("the second")
            raise

    opened(open_while_rotating).run(backend, deadline=soon())
    assert ["password authentication failed" in each for each in refused] == [True]
    assert "the first" not in refused[0]


def test_between_the_two_steps_of_a_rotation_there_is_an_outage_that_ends_with_it(
    by_secret: Settings, secret: Secret, opened: Opened
) -> None:
    database = opened(lambda deadline: connect(by_secret, deadline))
    secret.set_password("the second")
    with pytest.raises(DatabaseUnavailable):
        database.run(backend, deadline=soon())
    secret.tell("the second")
    database.run(backend, deadline=soon())
