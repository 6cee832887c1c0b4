"""Tokens that grow old, are refused, or were signed with credentials of before: the next login has a new one."""

import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from bucketwise.database import Database, connect
from bucketwise.errors import DatabaseUnavailable, SecretUnavailable
from bucketwise.iam_token import iam_token
from bucketwise.settings import Settings
from tests.integration.aws_credentials import rotating_credentials
from tests.integration.index_database import IndexDatabase
from tests.integration.logins import KILL_ALL, backend, certificate_in, fresh_environment, settings_behind, soon
from tests.integration.rds_front import RdsFront


@pytest.fixture(autouse=True)
def _fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with fresh_environment():
        yield


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_in(tmp_path)


@pytest.fixture
def rds(index_database: IndexDatabase, certificate: Path) -> Iterator[RdsFront]:
    with RdsFront(certificate, index_database.postgres.port).serving() as front:
        yield front


@pytest.fixture
def by_token(index_database: IndexDatabase, rds: RdsFront, certificate: Path) -> Iterator[Database]:
    given = settings_behind(index_database, rds.port, certificate, DATABASE_USER="bucketwise_ask")
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
