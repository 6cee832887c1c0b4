"""The one PostgreSQL connection of an execution environment, and how work on it is run."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Lock
from typing import TypeVar

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection

from bucketwise.connection import open_connection
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded
from bucketwise.migrations import check_index
from bucketwise.settings import Settings

T = TypeVar("T")

# A frozen Lambda environment comes back with a connection that the network has long forgotten: after a
# pause this long, ask first whether the other side is still there.
IDLE_SECONDS = 60
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
RERUN = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


class Database:
    """Opens on first use, is checked after a pause, and is reopened once if it was lost.

    Work is a function of a connection. It runs in one transaction, and may run twice: it must have no
    effect outside the database. Threads may share it: their work is done one after the other.
    ``prepare_threshold=None`` because a cached generic plan starves small tenants, and because RDS Proxy
    pins a connection that prepares statements.
    """

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self._open = open_connection
        self._connection: Connection | None = None
        self._used_at = 0.0
        self._in_use = Lock()

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        """The result of ``work``, committed.

        Raises DeadlineExceeded when the database took longer than was left, DatabaseUnavailable when it
        could not be reached or the connection was lost twice, IndexMismatch on a first use of an index
        that was built otherwise.
        """
        with self._in_use:
            return self._run_or_rerun(work, deadline)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run_or_rerun(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        try:
            return self._run_once(work, deadline)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
            raise DeadlineExceeded("the database took longer than was left") from error
        except (*RERUN, *LOST):
            self._close_if_broken()
        try:
            return self._run_once(work, deadline)
        except psycopg.errors.QueryCanceled as error:
            raise DeadlineExceeded("the database took longer than was left") from error
        except (*RERUN, *LOST) as error:
            self._close_if_broken()
            raise DatabaseUnavailable("the database did not answer, twice") from error

    def _run_once(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        connection = self._checked()
        milliseconds = max(1, int(deadline.allow(3600) * 1000))
        with connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
            result = work(connection)
        self._used_at = time.time()  # wall clock: the monotonic one stands still while Lambda is frozen
        return result

    def _checked(self) -> Connection:
        if self._connection is not None and time.time() - self._used_at > IDLE_SECONDS:
            try:
                self._connection.execute("SELECT 1")
            except LOST:
                self._close_if_broken()
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def _close_if_broken(self) -> None:
        if self._connection is not None and (self._connection.closed or self._connection.broken):
            self.close()


def connect(settings: Settings) -> Connection:
    """A connection to an index that fits the settings. Raises IndexMismatch otherwise."""
    connection = open_connection(settings)
    with ExitStack() as undo:
        undo.callback(connection.close)
        check_index(
            connection,
            embedding_model=settings.embedding_model,
            dimensions=settings.embedding_dimensions,
        )
        register_vector(connection)
        undo.pop_all()
    return connection
