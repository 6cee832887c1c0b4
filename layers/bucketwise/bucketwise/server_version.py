"""Whether a database server is new enough for the index: one that a deployment did not make may not be."""

from psycopg import Connection

from bucketwise.errors import IndexMismatch

POSTGRESQL = 16  # GRANT ... WITH SET, which roles.sql needs
# What the README asks of a server that was there before.
ADVISED_MINOR = {16: 10, 17: 6}
PGVECTOR = (0, 8, 0)  # iterative scans
ADVISED_PGVECTOR = (0, 8, 4)  # before it, vacuum could break an HNSW index


def check_server(administrator: Connection) -> list[str]:
    """What is advised against about this server and its pgvector. Raises IndexMismatch if they are too old to work.

    A pgvector that is installed in an older version than the server has is updated, if this role owns it.
    """
    administrator.execute(
        """DO $$
        BEGIN
            IF EXISTS (
                SELECT FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
                WHERE e.extname = 'vector' AND e.extversion <> a.default_version
                AND pg_has_role(current_user, e.extowner, 'USAGE')
            ) THEN
                ALTER EXTENSION vector UPDATE;
            END IF;
        END $$"""
    )
    [installed] = administrator.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchall()
    return judge(administrator.info.server_version, str(installed[0]))


def judge(server: int, pgvector: str) -> list[str]:
    """``server`` as libpq counts it: 170006 is PostgreSQL 17.6. Raises IndexMismatch."""
    major, minor = divmod(server, 10_000)
    version = tuple(int(part) for part in pgvector.split("."))
    if major < POSTGRESQL:
        raise IndexMismatch(f"the server is PostgreSQL {major}: {POSTGRESQL} or newer is needed")
    if version < PGVECTOR:
        raise IndexMismatch(f"the database has pgvector {pgvector}: {_text(PGVECTOR)} or newer is needed")
    advice = []
    if minor < ADVISED_MINOR.get(major, 0):
        advice.append(f"PostgreSQL {major}.{minor}: {major}.{ADVISED_MINOR[major]} or newer is advised")
    if version < ADVISED_PGVECTOR:
        advice.append(f"pgvector {pgvector}: {_text(ADVISED_PGVECTOR)} or newer is advised")
    return advice


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
