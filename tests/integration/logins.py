"""What tests of logins share: an environment that knows nothing yet, and ways to a database behind TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection

from bucketwise import aws_clients, secrets_manager
from bucketwise.deadline import Deadline
from bucketwise.settings import Settings
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase
from tests.integration.tls_front import write_certificate

KILL_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'bucketwise_ask'"


@contextmanager
def fresh_environment() -> Iterator[None]:
    """One that has made no client and read no credentials yet, and leaves none."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    aws_clients.session.cache_clear()
    secrets_manager._client.cache_clear()


def certificate_in(folder: Path) -> Path:
    write_certificate(folder / "certificate.pem", name="127.0.0.1")
    return folder / "certificate.pem"


def settings_behind(index: IndexDatabase, port: int, certificate: Path, **auth: str) -> Settings:
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
