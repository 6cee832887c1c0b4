"""The one PostgreSQL connection of an execution environment, and how work on it is run."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import TypeVar

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection, sql

from bucketwise.connection import AS_EXPECTED, BoundedConnection, open_connection
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded
from bucketwise.migrations import check_index
from bucketwise.settings import Settings
from bucketwise.snapstart import closed_before_snapshot

T = TypeVar("T")

# A frozen Lambda environment comes back with a connection that the network has long forgotten: after a
# pause this long, ask first whether the other side is still there.
IDLE_SECONDS = 60
PING_SECONDS = 3.0  # of that question
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
# "cannot execute ... in a read-only transaction" or "during recovery": after a failover, an open connection, or one
# that was made by the old address, may lead to a writer that has become a reader.
READER = psycopg.errors.ReadOnlySqlTransaction
TOO_LONG = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
RERUN = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


class Database:
    """Opens on first use, is checked after a pause, and is reopened once if it was lost or leads to a reader.

    Work is a function of a connection. It runs in one transaction, and may run twice: it must have no
    effect outside the database. Threads may share it: their work is done one after the other.
    ``prepare_threshold=None`` because a cached generic plan starves small tenants, and because RDS Proxy
    pins a connection that prepares statements.
    """

    def __init__(self, open_connection: Callable[[Deadline], BoundedConnection]) -> None:
        self._open = open_connection
        self._connection: BoundedConnection | None = None
        self._used_at = 0.0
        self._in_use = Lock()
        closed_before_snapshot(self)

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        """The result of ``work``, committed.

        Raises DeadlineExceeded when the database took longer than was left, DatabaseUnavailable when it
        could not be reached, the connection was lost twice or takes no writes, IndexMismatch on a first use of an
        index that was built otherwise.
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
        except TOO_LONG as error:
            raise DeadlineExceeded("the database took longer than was left") from error
        except READER:
            self.close()
        except (*RERUN, *LOST):
            self._close_if_broken()
        try:
            return self._run_once(work, deadline)
        except TOO_LONG as error:
            raise DeadlineExceeded("the database took longer than was left") from error
        except READER as error:  # of a new connection: it stays, as reading is all that some requests need
            raise DatabaseUnavailable("the database takes no writes") from error
        except (*RERUN, *LOST) as error:
            self._close_if_broken()
            raise DatabaseUnavailable("the database did not answer, twice") from error

    def _run_once(self, work: Callable[[Connection], T], deadline: Deadline) -> T:
        connection = self._checked(deadline)
        with _transaction(connection, deadline):
            result = work(connection)
        self._used_at = time.time()  # wall clock: the monotonic one stands still while Lambda is frozen
        return result

    def _checked(self, deadline: Deadline) -> BoundedConnection:
        if self._connection is not None and time.time() - self._used_at > IDLE_SECONDS:
            try:
                self._connection.deadline = Deadline.after(deadline.allow(PING_SECONDS))
                self._connection.execute("SELECT 1")
            except LOST:
                self._close_if_broken()
        if self._connection is None or self._connection.closed:
            self._connection = self._open(deadline)
        return self._connection

    def _close_if_broken(self) -> None:
        if self._connection is not None and (self._connection.closed or self._connection.broken):
            self.close()


@contextmanager
def _transaction(connection: BoundedConnection, deadline: Deadline) -> Iterator[None]:
    """One in which no statement takes longer than until the deadline, by the server's clock and by ours."""
    milliseconds = max(1, int(deadline.allow(3600) * 1000))
    connection.deadline = deadline
    with ExitStack() as undo:
        undo.callback(_roll_back, connection)
        # All in one round trip; connection.transaction() would take one for the first alone.
        connection.execute(
            sql.SQL("BEGIN; {}; SET LOCAL statement_timeout = {}").format(sql.SQL(AS_EXPECTED), milliseconds)
        )
        yield
        undo.pop_all()
    connection.commit()


def _roll_back(connection: Connection) -> None:
    with suppress(psycopg.Error):  # a connection that is lost has rolled back
        connection.rollback()


def connect(settings: Settings, deadline: Deadline) -> BoundedConnection:
    """A connection to an index that fits the settings.

    Raises IndexMismatch otherwise, DeadlineExceeded with less than 2 s left, psycopg.OperationalError and
    SecretUnavailable.
    """
    connection = open_connection(settings, deadline)
    with ExitStack() as undo:
        undo.callback(connection.close)
        with _transaction(connection, deadline):
            check_index(
                connection,
                embedding_model=settings.embedding_model,
                dimensions=settings.embedding_dimensions,
            )
            register_vector(connection)
        undo.pop_all()
    return connection
