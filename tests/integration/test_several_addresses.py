"""A host with several addresses gets no more time than one with a single one, and is reached by any that answers."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from authorize.fetching import FETCH_SECONDS, KeysUnavailable, fetch_json
from bucketwise.connection import CONNECT_SECONDS, open_connection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded, InvalidSettings, ModelUnavailable
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from local.model_server.client import LocalModels
from tests.integration.index_database import IndexDatabase, settings_for
from tests.integration.oidc_provider import KEYS, oidc_provider
from tests.integration.silent_servers import deaf_server, silent_server

HOST = "several.test"
OWN, OTHER = "127.0.0.1", "127.0.0.2"
# Of a machine that has other things to do too.
LATE_SECONDS = 2.5

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Lets HOST have these addresses, in this order."""
    system = socket.getaddrinfo

    def resolve(*addresses: str) -> None:
        def found(host: Any, port: Any, *more: Any, **named: Any) -> Any:
            if host not in (HOST, HOST.encode()):
                return system(host, port, *more, **named)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, int(port))) for each in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return resolve


@contextmanager
def ended_by(deadline: Deadline) -> Iterator[None]:
    yield
    assert deadline.remaining() > -LATE_SECONDS


def embedder_at(port: int) -> OpenAIEmbedder:
    settings = settings_for("postgresql://nowhere.test").model_copy(
        update={"openai_base_url": f"http://{HOST}:{port}/v1"}
    )
    return OpenAIEmbedder(model_client(settings), "wordllama-256", 256)


def database_at(role: str, name: str, port: int) -> Database:
    settings = settings_for(f"postgresql://{role}@{HOST}:{port}/{name}?sslmode=disable&connect_timeout=60")
    return Database(lambda deadline: connect(settings, deadline))


def answer(connection: Connection) -> object:
    return connection.execute("SELECT 1").fetchone()


def test_a_model_of_which_no_address_answers_is_left_in_time(resolve: Resolve) -> None:
    resolve(*[OWN] * 6)
    with deaf_server() as port:
        deadline = Deadline.after(2)
        with ended_by(deadline), pytest.raises(ModelUnavailable):
            embedder_at(port).embed(["text"], deadline=deadline)


def test_a_model_is_reached_by_the_address_that_answers(resolve: Resolve) -> None:
    resolve(OTHER, OTHER, OWN)
    with LocalModels.start() as models:
        port = int(models.url.removesuffix("/v1").rpartition(":")[2])
        with deaf_server(OTHER, port):
            assert embedder_at(port).embed(["text"], deadline=Deadline.after(6)).vectors


def test_a_model_whose_name_nobody_knows_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ModelUnavailable):
        embedder_at(9).embed(["text"], deadline=Deadline.after(5), tries=1)


@pytest.mark.parametrize("server", [deaf_server, silent_server])
def test_a_database_of_which_no_address_answers_is_left_in_time(resolve: Resolve, server: Any) -> None:
    resolve(*[OWN] * 4)
    with server() as port:
        deadline = Deadline.after(5)
        with ended_by(deadline), pytest.raises((DatabaseUnavailable, DeadlineExceeded)):
            database_at("nobody", "nothing", port).run(answer, deadline=deadline)


def test_a_database_without_a_deadline_has_the_time_to_connect_once_for_all_addresses(resolve: Resolve) -> None:
    resolve(*[OWN] * 8)
    with silent_server() as port:
        settings = settings_for(f"postgresql://nobody@{HOST}:{port}/nothing?sslmode=disable")
        with ended_by(Deadline.after(CONNECT_SECONDS)), pytest.raises(Exception, match="timeout"):
            open_connection(settings)


def test_a_database_is_reached_by_the_address_that_answers(resolve: Resolve, shared_index: IndexDatabase) -> None:
    resolve(OTHER, OWN)
    with silent_server(OTHER, shared_index.postgres.port):
        deadline = Deadline.after(8)
        database = database_at("bucketwise_ask", shared_index.name, shared_index.postgres.port)
        assert database.run(answer, deadline=deadline) == (1,)
        database.close()


@pytest.mark.parametrize("url", ["postgresql://me:secret@[::1/db", "host=localhost secret", "postgresql://h/?secret=1"])
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        open_connection(Settings.from_environment({"DATABASE_URL": url}))
    assert "secret" not in str(raised.value)


def test_a_provider_of_which_no_address_answers_is_left_in_time(resolve: Resolve) -> None:
    resolve(*[OWN] * 4)
    with deaf_server() as port, ended_by(Deadline.after(FETCH_SECONDS)), pytest.raises(KeysUnavailable):
        fetch_json(f"https://{HOST}:{port}/keys")


def test_a_provider_is_reached_by_the_address_that_answers(
    resolve: Resolve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(OTHER, OTHER, OWN)
    with oidc_provider(tmp_path, HOST) as provider:
        monkeypatch.setenv("SSL_CERT_FILE", str(provider.certificate))
        with deaf_server(OTHER, int(provider.issuer.rpartition(":")[2])):
            began = time.monotonic()
            assert fetch_json(f"{provider.issuer}{KEYS}")["keys"]
            assert time.monotonic() - began < FETCH_SECONDS + LATE_SECONDS
