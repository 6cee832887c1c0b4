"""Passwords that change: tokens that grow old, credentials and secrets that are rotated."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import Connection, sql

from bucketwise import aws_clients, secrets_manager
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, SecretUnavailable
from bucketwise.iam_token import iam_token
from bucketwise.settings import Settings
from local.postgres import Postgres
from tests.integration.aws_credentials import rotating_credentials
from tests.integration.index_database import (
    DIMENSIONS,
    MODEL,
    IndexDatabase,
    connected,
    empty_database,
    migrate_as_owner,
)
from tests.integration.rds_front import RdsFront
from tests.integration.tls_front import tls_front, write_certificate

KILL_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'bucketwise_ask'"


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that has made no client and read no credentials yet."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    _forget()
    yield
    _forget()


def _forget() -> None:
    aws_clients.session.cache_clear()
    secrets_manager._client.cache_clear()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    write_certificate(tmp_path / "certificate.pem", name="127.0.0.1")
    return tmp_path / "certificate.pem"


def settings(index: IndexDatabase, port: int, certificate: Path, **auth: str) -> Settings:
    return Settings.from_environment(
        {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(port),
            "DATABASE_NAME": index.name,
            "DATABASE_CA": str(certificate),
            "EMBEDDING_MODEL": MODEL,
            "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
            **auth,
        }
    )


def soon() -> Deadline:
    return Deadline.after(30)


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


# Tokens


@pytest.fixture
def rds(index_database: IndexDatabase, certificate: Path) -> Iterator[RdsFront]:
    with RdsFront(certificate, index_database.postgres.port).serving() as front:
        yield front


@pytest.fixture
def by_token(index_database: IndexDatabase, rds: RdsFront, certificate: Path) -> Iterator[Database]:
    given = settings(index_database, rds.port, certificate, DATABASE_USER="bucketwise_ask")
    database = Database(lambda deadline: connect(given, deadline))
    yield database
    database.close()


def test_a_token_is_what_the_sdk_would_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of/the+role=")
    given = Settings.from_environment({"DATABASE_HOST": "db.example.com", "DATABASE_USER": "an@odd+user"})
    rds = boto3.Session().client("rds")

    def by_the_sdk() -> str:
        return str(rds.generate_db_auth_token(DBHostname="db.example.com", Port=5432, DBUsername="an@odd+user"))

    before, ours, after = by_the_sdk(), iam_token(given), by_the_sdk()
    assert ours in {before, after}  # which differ if a second ends between them


def test_a_connection_that_opens_when_the_first_token_is_too_old_brings_a_new_one(
    by_token: Database, rds: RdsFront, index_database: IndexDatabase
) -> None:
    rds.good_for = 2.0
    first = by_token.run(backend, deadline=soon())
    time.sleep(3.1)
    assert index_database.count(KILL_ALL) == 1
    assert by_token.run(backend, deadline=soon()) != first
    assert (rds.refused, len(set(rds.tokens))) == (0, 2)


def test_a_refused_token_is_made_anew_once(by_token: Database, rds: RdsFront) -> None:
    rds.refuse_next = 1
    by_token.run(backend, deadline=soon())
    assert (rds.refused, len(rds.tokens)) == (1, 2)


def test_a_login_refused_twice_is_an_outage_and_the_next_one_is_tried(by_token: Database, rds: RdsFront) -> None:
    rds.refuse_next = 2
    with pytest.raises(DatabaseUnavailable) as raised:
        by_token.run(backend, deadline=soon())
    assert rds.tokens[0] not in str(raised.value)
    by_token.run(backend, deadline=soon())
    assert len(rds.tokens) == 3


def test_a_token_is_signed_with_the_roles_credentials_of_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    given = Settings.from_environment({"DATABASE_HOST": "db.example.com"})
    with rotating_credentials() as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        signers = [iam_token(given).partition("Credential=")[2].partition("%2F")[0] for _ in range(2)]
    assert signers[0].startswith("AKID")
    assert signers[0] != signers[1]


def test_without_credentials_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SecretUnavailable):
        iam_token(Settings.from_environment({"DATABASE_HOST": "db.example.com"}))


# Secrets


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
        yield settings(guarded, port, certificate, DATABASE_AUTH="secret", DATABASE_SECRET=secret.name)


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
