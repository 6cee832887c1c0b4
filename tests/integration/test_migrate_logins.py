"""The administrator who migrates: who may log in to RDS by password before the first migration, and maybe not after."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from local.postgres import Postgres
from migrate.handler import lambda_handler
from tests.integration.custom_resource import Context, administered, applied, environment
from tests.integration.logins import certificate_in, fresh_environment
from tests.integration.rds_front import RdsFront

__all__ = ["administered", "environment"]

MEMBERSHIPS = """
    SELECT set_option, inherit_option FROM pg_auth_members
    WHERE member = 'master'::regrole AND roleid = 'bucketwise_migrate'::regrole AND (set_option OR inherit_option)"""


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The administrator's login, in Secrets Manager."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.get_host_and_port()[1]}")
        name = f"login-{uuid4().hex}"
        login = json.dumps({"username": "master", "password": "good before"})
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=login)
        with fresh_environment():
            yield name
    finally:
        server.stop()


def test_the_administrator_is_no_member_of_the_owner_after_a_migration(administered: str) -> None:
    assert lambda_handler({}, Context())["succeeded"]
    assert lambda_handler({}, Context())["succeeded"]
    with psycopg.connect(administered) as connection:
        assert connection.execute(MEMBERSHIPS).fetchall() == []
        assert connection.execute("SELECT current_user").fetchone() == ("master",)


def test_an_administrator_whose_password_is_not_taken_any_more_logs_in_by_token(
    administered: str, secret: str, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_in(tmp_path)
    with RdsFront(certificate, postgres.port).serving() as rds:
        monkeypatch.delenv("DATABASE_URL")
        for name, value in {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(rds.port),
            "DATABASE_NAME": administered.rsplit("/", 1)[1],
            "DATABASE_CA": str(certificate),
            "DATABASE_AUTH": "secret",
            "DATABASE_SECRET": secret,
        }.items():
            monkeypatch.setenv(name, value)
        outcome = lambda_handler({}, Context())
        assert outcome["succeeded"], outcome
        assert rds.tokens[0] == "good before"
        assert "DBUser=master" in rds.tokens[1]
    assert applied(administered) != []


def test_a_setting_that_is_not_the_schemas_does_not_fail_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT_FOLDERS", "true")
    monkeypatch.setenv("PREFIX", "no/slash")
    assert lambda_handler({}, Context())["succeeded"]
