"""Whether a database server is new enough for the index: one that a deployment did not make may not be."""

from psycopg import Connection

from bucketwise.errors import IndexMismatch

POSTGRESQL = 16  # GRANT ... WITH SET, which roles.sql needs
# What the README asks of a server that was there before.
ADVISED_MINOR = {16: 10, 17: 6}
PGVECTOR = (0, 8, 0)  # iterative scans
ADVISED_PGVECTOR = (0, 8, 4)  # before it, vacuum could break an HNSW index


def update_pgvector(administrator: Connection) -> None:
    """Alters the extension in this database to the server's default version, if that is newer and this role owns it."""
    versions = administrator.execute(
        """SELECT e.extversion, a.default_version
        FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
        WHERE e.extname = 'vector' AND pg_has_role(current_user, e.extowner, 'USAGE')"""
    ).fetchall()
    for installed, default in versions:
        if is_older(installed, default):
            administrator.execute("ALTER EXTENSION vector UPDATE")


def is_older(version: str, than: str) -> bool:
    """Of two versions of pgvector, as ``0.8.4``: 0.10.0 is newer than 0.9.1."""
    return _numbers(version) < _numbers(than)


def check_server(administrator: Connection) -> list[str]:
    """What is advised against about this server and its pgvector. Raises IndexMismatch if they are too old to work."""
    [installed] = administrator.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchall()
    return judge(administrator.info.server_version, str(installed[0]))


def judge(server: int, pgvector: str) -> list[str]:
    """``server`` as libpq counts it: 170006 is PostgreSQL 17.6. Raises IndexMismatch."""
    major, minor = divmod(server, 10_000)
    version = _numbers(pgvector)
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


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
