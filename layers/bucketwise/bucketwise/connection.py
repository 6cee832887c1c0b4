"""How to reach PostgreSQL: by a URL, with an IAM token, or with a password from Secrets Manager."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import Connection
from psycopg.abc import ConnDict, PQGen
from psycopg.conninfo import conninfo_attempts, conninfo_to_dict
from psycopg.rows import TupleRow

from bucketwise.addresses import in_turn
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, InvalidSettings
from bucketwise.iam_token import iam_token
from bucketwise.roots import root_certificates
from bucketwise.secrets_manager import read_login
from bucketwise.settings import Settings

T = TypeVar("T")

CONNECT_SECONDS = 10
# libpq takes whole seconds, and one for two.
SHORTEST_CONNECT_SECONDS = 2
# The server cancels a statement at the deadline. Only if nothing is heard of that, the connection is given up.
GRACE_SECONDS = 0.2
# Without a bound of its own, a dead connection holds a query until TCP gives up, after many minutes.
DEAD_AFTER_MILLISECONDS = 10_000


# First of all in each transaction: what a database that was there before may have set otherwise, for all or for a role.
# Not for the session, as a pooler's next transaction may be another session's; nor by libpq's ``options``, which RDS
# Proxy and PgBouncer refuse. Of the rest default_transaction_read_only alone makes a difference, and that is meant.
AS_EXPECTED: LiteralString = """
    SET LOCAL transaction_isolation = 'read committed';
    SET LOCAL search_path = public, pg_temp;
    SET LOCAL client_encoding = 'UTF8';
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL array_nulls = on;
    SET LOCAL extra_float_digits = 1;
    SET LOCAL datestyle = 'ISO';
    SET LOCAL timezone = 'UTC'"""  # elsewhere, the first or last day of a datetime may be outside of its years


class BoundedConnection(Connection[TupleRow]):
    """Waits for the server no longer than until shortly after ``deadline``, then closes itself.

    A server that hangs, or a proxy in front of one, never comes to cancel a statement.
    """

    deadline: Deadline | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if self.deadline is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, max(0.0, self.deadline.remaining() + GRACE_SECONDS))
        except psycopg.OperationalError:
            if self.deadline.remaining() + GRACE_SECONDS <= 0:
                self.close()  # what is on its way would be taken for the next statement's reply
            raise


def open_connection(settings: Settings, deadline: Deadline | None = None) -> BoundedConnection:
    """A new connection in autocommit mode, open before the deadline, to which its work is bounded too.

    Raises psycopg.OperationalError, SecretUnavailable, InvalidSettings, or DeadlineExceeded with less than 2 s left.
    """
    where, options = connection_parameters(settings, deadline)
    try:
        attempts = conninfo_attempts(conninfo_to_dict(where, **options))
    except psycopg.ProgrammingError:
        # libpq's own words about a URL that it cannot read repeat the URL, with its password.
        raise InvalidSettings("DATABASE_URL: is no connection URL") from None
    seconds = deadline.allow(CONNECT_SECONDS) if deadline is not None else CONNECT_SECONDS
    connection = _first_connection(attempts, Deadline.after(seconds))
    connection.deadline = deadline
    return connection


def _first_connection(attempts: Sequence[ConnDict], deadline: Deadline) -> BoundedConnection:
    """To the first address that answers. Raises psycopg.OperationalError, or DeadlineExceeded without any try."""
    failure: Exception = DeadlineExceeded("too little time was left to connect to the database")
    for attempt, seconds in in_turn(attempts, deadline, SHORTEST_CONNECT_SECONDS):
        if seconds < SHORTEST_CONNECT_SECONDS:
            break
        parameters: dict[str, Any] = attempt | {
            "connect_timeout": int(seconds),
            "keepalives_idle": 30,
            "tcp_user_timeout": DEAD_AFTER_MILLISECONDS,
            "application_name": "bucketwise",
        }
        try:
            return BoundedConnection.connect(autocommit=True, prepare_threshold=None, **parameters)
        except psycopg.OperationalError as error:
            failure = error
    raise failure


def connection_parameters(settings: Settings, deadline: Deadline | None = None) -> tuple[str, dict[str, Any]]:
    """What libpq needs to know, as a URL and as keywords that come on top of it.

    Other than by URL, the server must prove by TLS that it is the host which was asked for. Raises SecretUnavailable,
    or DeadlineExceeded if the time left is too short to read a secret.
    """
    if settings.database_url.get_secret_value():
        return settings.database_url.get_secret_value(), {}
    user, password = _login(settings, deadline)
    return "", {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": user,
        "password": password,
        "sslmode": "verify-full",
        "sslrootcert": str(root_certificates(settings.database_ca)),
    }


def _login(settings: Settings, deadline: Deadline | None) -> tuple[str, str]:
    """Read or signed anew for each connection, so that a refused one is tried again with what is right by then."""
    if settings.database_auth == "secret":
        return read_login(settings.database_secret, deadline)
    return settings.database_user, iam_token(settings)
