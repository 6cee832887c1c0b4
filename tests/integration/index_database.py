"""A database that holds an index, and the ways in which the roles of the project come to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import Connection, sql

from bucketwise.database import Database, connect
from bucketwise.migrations import migrate, prepare_database
from bucketwise.settings import Settings
from local.postgres import Postgres

MODEL = "model-for-tests"
DIMENSIONS = 8
# Like the master user of RDS: no superuser, but one who makes roles, and the same one for all databases.
ADMINISTRATOR = "master"


@dataclass(frozen=True, slots=True)
class IndexDatabase:
    """``bucketwise_migrate`` owns its schema, as in AWS; no role but ``superuser`` is one."""

    postgres: Postgres
    name: str

    @property
    def superuser(self) -> str:
        return self.dsn("postgres")

    @property
    def owner(self) -> str:
        return self.dsn("bucketwise_migrate")

    @property
    def ingest(self) -> str:
        return self.dsn("bucketwise_ingest")

    @property
    def ask(self) -> str:
        return self.dsn("bucketwise_ask")

    def dsn(self, role: str) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.postgres.port}/{self.name}"

    def count(self, query: str, *parameters: object) -> int:
        """What a superuser sees as the one number that ``query`` gives."""
        with connected(self.superuser) as connection:
            row = connection.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@contextmanager
def opened(dsn: str) -> Iterator[Database]:
    """The product's own Database for a role of an index."""
    database = Database(lambda deadline: connect(settings_for(dsn), deadline))
    try:
        yield database
    finally:
        database.close()


def settings_for(dsn: str, *, model: str = MODEL, dimensions: int = DIMENSIONS) -> Settings:
    return Settings.from_environment(
        {"DATABASE_URL": dsn, "EMBEDDING_MODEL": model, "EMBEDDING_DIMENSIONS": str(dimensions)}
    )


def at_port(dsn: str, port: int) -> str:
    """The same database by another way."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}", query="sslmode=disable"))


@contextmanager
def empty_database(postgres: Postgres, name: str | None = None) -> Iterator[IndexDatabase]:
    """With the extension and the roles, and no schema."""
    with _new_database(postgres, template="template1", name=name) as database:
        with connected(database.superuser) as superuser:
            superuser.execute("CREATE EXTENSION vector")  # on RDS its master user may
        _prepare(database)
        yield database


@contextmanager
def copied_database(template: IndexDatabase) -> Iterator[IndexDatabase]:
    with _new_database(template.postgres, template=template.name) as database:
        _prepare(database)  # a copy does not bring the rights on the database itself
        yield database


@contextmanager
def _new_database(postgres: Postgres, *, template: str, name: str | None = None) -> Iterator[IndexDatabase]:
    database = IndexDatabase(postgres, name or f"index_{uuid4().hex[:12]}")
    names = {"name": database.name, "template": template, "owner": ADMINISTRATOR}
    identifiers = {key: sql.Identifier(name) for key, name in names.items()}
    with connected(postgres.superuser_dsn) as superuser:
        if superuser.execute("SELECT FROM pg_roles WHERE rolname = %s", (ADMINISTRATOR,)).fetchone() is None:
            superuser.execute(sql.SQL("CREATE ROLE {owner} LOGIN CREATEROLE CREATEDB").format(**identifiers))
        superuser.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}").format(**identifiers))
    yield database
    with connected(postgres.superuser_dsn) as superuser:
        superuser.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**identifiers))


def _prepare(database: IndexDatabase) -> None:
    with connected(database.dsn(ADMINISTRATOR)) as administrator:
        prepare_database(administrator)


def migrate_as_owner(database: IndexDatabase) -> list[str]:
    with connected(database.owner) as connection:
        return migrate(connection, embedding_model=MODEL, dimensions=DIMENSIONS)
