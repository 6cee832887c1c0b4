"""PgBouncer in transaction mode before a test's PostgreSQL, as RDS Proxy stands before Aurora."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from local.process import GuardedProcess
from tests.integration.index_database import IndexDatabase, connected

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
START_SECONDS = 15.0

# One connection to the server for each role: whoever comes, comes to the one that another client had before.
INI = """
[databases]
{role} = host=127.0.0.1 port={server_port} dbname={name} user={role}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
"""


@contextmanager
def pooled(database: IndexDatabase, role: str) -> Iterator[str]:
    """Where ``role`` comes to the database by PgBouncer, which must be installed."""
    assert PROGRAM is not None
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        ini = folder / "pgbouncer.ini"
        ini.write_text(INI.format(role=role, server_port=database.postgres.port, name=database.name, port=port))
        folder.chmod(0o755)
        user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
        with GuardedProcess.start([PROGRAM, ini], env={}, user=user) as process:
            dsn = f"postgresql://{role}@127.0.0.1:{port}/{role}"
            _wait_until_ready(dsn, process)
            yield dsn


def _wait_until_ready(dsn: str, process: GuardedProcess) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with connected(dsn) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            assert process.alive, process.tail()
            assert time.monotonic() < until, process.tail()
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
