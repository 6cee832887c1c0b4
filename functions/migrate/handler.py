"""The migrate Lambda: a CloudFormation custom resource that brings the database's schema up to date."""

from bucketwise import startup  # isort: split

import os
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from aws_lambda_powertools.utilities.typing import LambdaContext

from bucketwise.connection import SHORTEST_CONNECT_SECONDS, BoundedConnection, open_connection
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError
from bucketwise.migrations import LOCK, leave_database, migrate, prepare_database
from bucketwise.secrets_manager import read_login
from bucketwise.server_version import check_server, update_pgvector
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from migrate.cloudformation import Outcome, answer

# Kept of the invocation's time to tell CloudFormation, three tries included.
RESERVE_SECONDS = 25.0
# A new Aurora instance refuses connections for a while, and a paused one takes up to half a minute to resume.
PAUSE_SECONDS = 3.0
SERVER_ENDS = psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown | psycopg.errors.CannotConnectNow

SCHEMA_SETTINGS = ("DATABASE_", "EMBEDDING_", "VECTOR_INDEX")

telemetry = Telemetry("migrate")

startup.imported()


@telemetry.logger.inject_lambda_context(clear_state=True)
@telemetry.metrics_flushed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Create and Update migrate; Delete does nothing, for the index belongs to the database and goes with it.

    CloudFormation always gets an answer. Invoked by hand, without a ResponseURL, it migrates all the same.
    """
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    outcome = Outcome(True, "nothing to do") if event.get("RequestType") == "Delete" else _try_to_migrate(deadline)
    telemetry.logger.info("migrated" if outcome.succeeded else "not migrated", extra={"reason": outcome.reason})
    if "ResponseURL" in event:
        with telemetry.failures_logged():
            answer(event, outcome)
    return {"succeeded": outcome.succeeded, "reason": outcome.reason}


def _try_to_migrate(deadline: Deadline) -> Outcome:
    try:
        applied = bring_up_to_date(Settings.from_environment(_of_the_schema(os.environ)), deadline)
    except BucketwiseError as error:
        telemetry.log_failure(error)
        return Outcome(False, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  # the handler's edge: an unanswered CloudFormation waits an hour
        telemetry.log_failure(error)
        return Outcome(False, f"{type(error).__name__}; the function's log says where")
    return Outcome(True, f"applied {', '.join(applied)}" if applied else "the schema was up to date")


def _of_the_schema(environment: Mapping[str, str]) -> dict[str, str]:
    """Those settings that the schema depends on: one of ask's that is wrong must not fail the deployment."""
    return {name: value for name, value in environment.items() if name.startswith(SCHEMA_SETTINGS)}


def bring_up_to_date(settings: Settings, deadline: Deadline) -> list[str]:
    """Makes extension and roles as the administrator, then migrates as the schema's owner.

    Waits for a server that is not there yet, or that a failover has made a reader. Returns the names of the files
    applied. Raises DeadlineExceeded, SecretUnavailable, psycopg's errors, and IndexMismatch, also for a server that is
    too old.
    """
    while True:
        try:
            return _migrate_once(settings, deadline)
        except psycopg.Error as error:
            if not _passes(error) or deadline.remaining() < PAUSE_SECONDS + SHORTEST_CONNECT_SECONDS:
                raise
            time.sleep(PAUSE_SECONDS)


def _passes(error: psycopg.Error) -> bool:
    """Whether the server could not be reached or was lost (of which libpq tells no SQLSTATE), ends, or has become a
    reader; not what is wrong with the database itself."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return True
    return isinstance(error, SERVER_ENDS | psycopg.errors.ReadOnlySqlTransaction)


def _migrate_once(settings: Settings, deadline: Deadline) -> list[str]:
    with _as_administrator(settings, deadline) as administrator:
        milliseconds = int(deadline.allow(3600) * 1000)
        administrator.execute("SELECT set_config('statement_timeout', %s, false)", (str(milliseconds),))
        # Until the connection ends: another migration would build on a right that this one takes back.
        administrator.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        prepare_database(administrator)
        update_pgvector(administrator)
        for advice in check_server(administrator):
            telemetry.logger.warning("the database server is old", extra={"advice": advice})
        administrator.execute("SET ROLE bucketwise_migrate")
        try:
            return migrate(
                administrator,
                embedding_model=settings.embedding_model,
                dimensions=settings.embedding_dimensions,
                vector_index=settings.vector_index,
            )
        finally:
            leave_database(administrator)


def _as_administrator(settings: Settings, deadline: Deadline) -> BoundedConnection:
    """Logged in by the password in the secret; or by a token, if the server takes no password of that user.

    RDS takes tokens alone of rds_iam's members, of whom PostgreSQL may count who made a member: so the administrator
    who made the roles before.
    """
    try:
        return open_connection(settings, deadline)
    except psycopg.OperationalError:
        if settings.database_url.get_secret_value() or settings.database_auth != "secret":
            raise
    user, _ = read_login(settings.database_secret, deadline)
    by_token = settings.model_copy(update={"database_auth": "iam", "database_user": user})
    return open_connection(by_token, deadline)
