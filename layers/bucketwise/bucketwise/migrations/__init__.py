"""The schema, as numbered SQL files, each applied once and in order."""

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from psycopg import Connection
from psycopg.errors import InvalidSchemaName, UndefinedFunction

from bucketwise.connection import AS_EXPECTED
from bucketwise.errors import IndexMismatch

# Any constant will do as long as no other program takes the same advisory lock in this database.
LOCK = 7_203_114_482
FILE_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All that this version of the package brings, in order."""
    found = [
        Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8"))
        for entry in files(__name__).iterdir()
        if (match := FILE_NAME.fullmatch(entry.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(connection: Connection, *, embedding_model: str, dimensions: int, vector_index: str = "auto") -> list[str]:
    """Brings the schema up to date in one transaction and returns the names of the files it applied.

    ``vector_index`` (auto, halfvec or binary) decides the kind of a vector index that is made now; the kind of
    one that is there stays as it is.

    Safe to run from several places at once: an advisory lock lets one in at a time. Files that a newer
    version of the package applied are left alone, so an older version can be rolled back to.
    Raises IndexMismatch when an applied file was changed, or the index holds vectors of another kind.
    """
    with connection.transaction():
        connection.execute(AS_EXPECTED)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        applied = _applied(connection)
        pending = [migration for migration in migrations() if _is_pending(migration, applied)]
        _set_for_this_transaction(
            connection, embedding_model=embedding_model, dimensions=str(dimensions), vector_index=vector_index
        )
        for migration in pending:
            connection.execute(migration.text.encode())
            connection.execute(
                "INSERT INTO bucketwise.schema_migrations (number, name, digest) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.digest),
            )
        connection.execute(_file("rights.sql"))
        check_index(connection, embedding_model=embedding_model, dimensions=dimensions)
    return [migration.name for migration in pending]


def prepare_database(administrator: Connection) -> None:
    """Makes the extension and the roles in this database, as an administrator of it; safe to run again.

    Afterwards the administrator may ``SET ROLE bucketwise_migrate``, until some session of theirs leaves the database:
    where there may be several, hold LOCK from here to there.
    """
    with administrator.transaction():
        administrator.execute(AS_EXPECTED)
        administrator.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        administrator.execute(_file("roles.sql"))


def leave_database(administrator: Connection) -> None:
    """Gives up what prepare_database let the administrator ``SET ROLE`` by.

    On RDS the schema's owner logs in by token alone, and so would whoever is a member of it.
    """
    administrator.execute("RESET ROLE")
    administrator.execute("REVOKE bucketwise_migrate FROM CURRENT_USER")


def check_index(connection: Connection, *, embedding_model: str, dimensions: int) -> None:
    """Raises IndexMismatch unless the index was built for this code, and holds vectors of this model and dimension.

    They need not be the live ones: an index goes over to another model while the functions are set to the old one.
    """
    try:
        row = connection.execute(
            "SELECT embedding_model, dimensions, schema_number, bucketwise.holds_kind(%s, %s) "
            "FROM bucketwise.index_kind()",
            (embedding_model, dimensions),
        ).fetchone()
    except (UndefinedFunction, InvalidSchemaName):
        raise IndexMismatch("the database holds no index for this code: run the migrations") from None
    needed = migrations()[-1].number
    if row is None or row[2] < needed:
        raise IndexMismatch(f"the database's schema is older than migration {needed}: run the migrations")
    if not row[3]:
        raise IndexMismatch(
            f"the index holds vectors of {row[0]} with {row[1]} dimensions, but EMBEDDING_MODEL and "
            f"EMBEDDING_DIMENSIONS say {embedding_model} with {dimensions}: set them back, or go over to them "
            "with `make reindex`"
        )


def _applied(connection: Connection) -> dict[int, str]:
    connection.execute("CREATE SCHEMA IF NOT EXISTS bucketwise")
    connection.execute(
        """CREATE TABLE IF NOT EXISTS bucketwise.schema_migrations (
               number int PRIMARY KEY, name text NOT NULL, digest text NOT NULL,
               applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"""
    )
    rows = connection.execute("SELECT number, digest FROM bucketwise.schema_migrations")
    return dict(rows.fetchall())


def _is_pending(migration: Migration, applied: dict[int, str]) -> bool:
    digest = applied.get(migration.number)
    if digest is not None and digest != migration.digest:
        raise IndexMismatch(f"migration {migration.name} was changed after it had been applied")
    return digest is None


def _set_for_this_transaction(connection: Connection, **settings: str) -> None:
    """What the numbered files read as ``current_setting('bucketwise.<name>')``."""
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", (f"bucketwise.{name}", value))


def _file(name: str) -> bytes:
    return (files(__name__) / name).read_bytes()
