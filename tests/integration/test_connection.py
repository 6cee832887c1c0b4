"""The three ways to log in, and TLS that proves who the server is."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from bucketwise import secrets_manager
from bucketwise.connection import connection_parameters, open_connection
from bucketwise.errors import InvalidSettings, SecretUnavailable
from bucketwise.model_calls import model_client
from bucketwise.roots import RDS_ROOTS, root_certificates
from bucketwise.settings import Settings
from bucketwise.snapstart import before_snapshot
from local.postgres import Postgres
from tests.integration.tls_front import tls_front, write_certificate

HOST = {"DATABASE_HOST": "db.example.com", "DATABASE_USER": "bucketwise_ask"}


KeepSecret = Callable[[str], str]


@pytest.fixture
def keep_secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeepSecret]:
    """Puts a text into a real Secrets Manager server, which boto3 talks to from here on; returns its name."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    secrets_manager._client.cache_clear()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def keep(text: str) -> str:
        name = f"secret-{uuid4().hex}"
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=text)
        return name

    yield keep
    server.stop()
    secrets_manager._client.cache_clear()


def test_an_iam_token_is_signed_for_this_host_and_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    where, options = connection_parameters(Settings.from_environment(HOST))
    token = urlsplit(f"//{options['password']}")
    assert (where, options["user"], options["sslmode"]) == ("", "bucketwise_ask", "verify-full")
    assert (token.hostname, token.port) == ("db.example.com", 5432)
    assert parse_qs(token.query)["DBUser"] == ["bucketwise_ask"]
    assert "eu-west-1" in token.query


def test_a_password_comes_from_the_secret(keep_secret: KeepSecret) -> None:
    name = keep_secret(json.dumps({"username": "master", "password": "p w", "engine": "postgres"}))
    given = HOST | {"DATABASE_AUTH": "secret", "DATABASE_SECRET": name}
    _, options = connection_parameters(Settings.from_environment(given))
    assert (options["user"], options["password"]) == ("master", "p w")


@pytest.mark.parametrize("text", ["not json", '{"username": "x"}', "[]"])
def test_a_secret_of_another_form_is_a_clear_error_without_its_text(keep_secret: KeepSecret, text: str) -> None:
    given = HOST | {"DATABASE_AUTH": "secret", "DATABASE_SECRET": keep_secret(text)}
    with pytest.raises(SecretUnavailable) as raised:
        connection_parameters(Settings.from_environment(given))
    assert text not in str(raised.value)


def test_a_missing_secret_is_a_clear_error(keep_secret: KeepSecret) -> None:
    keep_secret("another")
    given = HOST | {"DATABASE_AUTH": "secret", "DATABASE_SECRET": "nowhere"}
    with pytest.raises(SecretUnavailable, match="ResourceNotFoundException"):
        connection_parameters(Settings.from_environment(given))


def test_the_models_key_comes_from_its_secret(keep_secret: KeepSecret) -> None:
    name = keep_secret("sk-from-the-secret\n")
    given = Settings.from_environment({"DATABASE_URL": "unused", "OPENAI_API_KEY_SECRET": name})
    assert model_client(given).api_key == "sk-from-the-secret"


def test_amazons_roots_come_with_the_package_and_can_be_loaded() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(RDS_ROOTS)
    roots: list[dict[str, Any]] = context.get_ca_certs()
    subjects = [dict(part[0] for part in root["subject"]) for root in roots]
    assert len(subjects) > 80
    assert {subject["organizationName"] for subject in subjects} == {"Amazon Web Services, Inc."}


def test_without_a_setting_amazons_roots_are_believed() -> None:
    _, options = connection_parameters(Settings.from_environment(HOST))
    assert options["sslrootcert"] == str(RDS_ROOTS)


def test_public_authorities_are_those_that_a_proxy_of_rds_is_certified_by() -> None:
    """Amazon Root CA 1 to 4, and Starfield's that signs across (RDS Proxy's guide, "Using TLS/SSL")."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root_certificates("public"))
    roots: list[dict[str, Any]] = context.get_ca_certs()
    names = {dict(part[0] for part in root["subject"]).get("commonName") for root in roots}
    assert {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)} <= names
    assert len(roots) > 100


BEGINS, ENDS = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    "text",
    ["", BEGINS, "sk-not-a-certificate", "# Käse", f"{BEGINS}\nKäse\n{ENDS}", f"{BEGINS}\nsk-\n{ENDS}"],
    ids=["nothing", "cut off", "a key", "a comment", "not ASCII", "not base64"],
)
def test_a_secret_without_a_certificate_is_a_clear_error_without_its_text(keep_secret: KeepSecret, text: str) -> None:
    with pytest.raises(SecretUnavailable, match="DATABASE_CA") as raised:
        root_certificates(arn_of(keep_secret(text or " ")))
    assert "sk-" not in str(raised.value)


def test_a_secret_that_is_not_text_holds_no_certificate(keep_secret: KeepSecret) -> None:
    name = keep_secret("text")
    boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretBinary=b"bytes")
    with pytest.raises(SecretUnavailable, match="DATABASE_CA"):
        root_certificates(arn_of(name))


def test_comments_and_a_key_beside_certificates_are_left_out(keep_secret: KeepSecret, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_certificate(tmp_path / name, name=name)
    one, two = ((tmp_path / name).read_text(encoding="ascii") for name in ("one", "two"))
    file = root_certificates(arn_of(keep_secret(f"# Wurzel für Köln\n{one}\n# 第二\n{two}")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    assert len(context.get_ca_certs()) == 2
    assert "PRIVATE KEY" not in file.read_text(encoding="ascii")


def test_a_root_certificate_is_read_once_and_again_after_a_snapshot(keep_secret: KeepSecret, tmp_path: Path) -> None:
    for name in ("before", "after"):
        write_certificate(tmp_path / name, name=name)
    before, after = ((tmp_path / name).read_text(encoding="ascii") for name in ("before", "after"))
    name = keep_secret(before)
    arn = arn_of(name)
    read = root_certificates(arn)
    boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretString=after)
    assert root_certificates(arn) == read
    before_snapshot()
    assert root_certificates(arn).read_text(encoding="ascii") in after


def arn_of(name: str) -> str:
    arn: str = boto3.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
    return arn


def test_settings_without_a_database_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="DATABASE_HOST"):
        Settings.from_environment({})
    with pytest.raises(InvalidSettings, match="DATABASE_SECRET"):
        Settings.from_environment(HOST | {"DATABASE_AUTH": "secret"})


@pytest.mark.parametrize("kept_in", ["file", "secret"])
@pytest.mark.parametrize(
    ("certified", "trusted", "trust"),
    [
        ("127.0.0.1", "own", True),
        ("db.example.com", "own", False),  # a certificate for another host
        ("127.0.0.1", "other", False),  # a certificate that no trusted root signed
    ],
)
def test_the_server_must_prove_that_it_is_the_host_asked_for(
    postgres: Postgres,
    keep_secret: KeepSecret,
    tmp_path: Path,
    certified: str,
    trusted: str,
    trust: bool,
    kept_in: str,
) -> None:
    write_certificate(tmp_path / "own", name=certified)
    write_certificate(tmp_path / "other", name=certified)
    login = keep_secret(json.dumps({"username": "postgres", "password": "any"}))
    path = tmp_path / trusted
    ca = str(path) if kept_in == "file" else arn_of(keep_secret(path.read_text(encoding="ascii")))
    with tls_front(tmp_path / "own", to_port=postgres.port) as port:
        settings = Settings.from_environment(
            {
                "DATABASE_HOST": "127.0.0.1",
                "DATABASE_PORT": str(port),
                "DATABASE_NAME": "postgres",
                "DATABASE_AUTH": "secret",
                "DATABASE_SECRET": login,
                "DATABASE_CA": ca,
            }
        )
        if trust:
            with open_connection(settings) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        else:
            with pytest.raises(psycopg.OperationalError, match="certificate"):
                open_connection(settings)
