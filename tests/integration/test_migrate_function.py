"""The migrate function as CloudFormation calls it, on real PostgreSQL and a real HTTP server for the answers."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import psycopg
import pytest

from bucketwise.migrations import migrations
from bucketwise.telemetry import UnexpectedFailure
from local.postgres import Postgres
from migrate import handler
from migrate.handler import lambda_handler
from tests.integration.custom_resource import (
    CloudFormation,
    Context,
    administered,
    applied,
    cloudformation,
    environment,
    event,
    of_owner,
)

__all__ = ["administered", "cloudformation", "environment"]


def test_create_makes_the_schema_and_answers(cloudformation: CloudFormation, administered: str) -> None:
    lambda_handler(event("Create", cloudformation), Context())
    [answer] = cloudformation.answers
    assert (answer["Status"], answer["RequestId"], answer["LogicalResourceId"]) == ("SUCCESS", "r-1", "Migration")
    assert applied(administered) == [migration.name for migration in migrations()]


def test_update_of_what_is_up_to_date_succeeds_with_the_same_physical_id(cloudformation: CloudFormation) -> None:
    lambda_handler(event("Create", cloudformation), Context())
    lambda_handler(event("Update", cloudformation), Context())
    first, second = cloudformation.answers
    assert (second["Status"], second["Reason"]) == ("SUCCESS", "the schema was up to date")
    assert first["PhysicalResourceId"] == second["PhysicalResourceId"]


def test_a_roll_back_to_an_older_package_is_a_success(cloudformation: CloudFormation, administered: str) -> None:
    lambda_handler(event("Create", cloudformation), Context())
    with psycopg.connect(of_owner(administered), autocommit=True) as connection:
        connection.execute("INSERT INTO bucketwise.schema_migrations VALUES (9999, '9999_of_the_future.sql', 'x')")
    lambda_handler(event("Update", cloudformation), Context())
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert applied(administered)[-1] == "9999_of_the_future.sql"


def test_delete_changes_nothing(cloudformation: CloudFormation, administered: str) -> None:
    lambda_handler(event("Create", cloudformation), Context())
    before = applied(administered)
    lambda_handler(event("Delete", cloudformation), Context())
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert applied(administered) == before


def test_another_dimension_is_a_failure_that_names_the_settings(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lambda_handler(event("Create", cloudformation), Context())
    monkeypatch.setenv("EMBEDDING_DIMENSIONS", "16")
    lambda_handler(event("Update", cloudformation), Context())
    answer = cloudformation.answers[-1]
    assert answer["Status"] == "FAILED"
    assert "EMBEDDING_DIMENSIONS" in answer["Reason"]


def test_an_unreachable_database_is_answered_in_time(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://master@127.0.0.1:9/nothing")
    lambda_handler(event("Create", cloudformation), Context(seconds=28))
    [answer] = cloudformation.answers
    assert (answer["Status"], answer["Reason"].partition(";")[0]) == ("FAILED", "OperationalError")


def test_an_answer_that_is_lost_on_its_way_is_sent_three_times(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate.cloudformation.PAUSE_SECONDS", 0)
    cloudformation.drops = 2
    lambda_handler(event("Delete", cloudformation), Context())
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    cloudformation.drops = 3
    with pytest.raises(UnexpectedFailure):
        lambda_handler(event("Delete", cloudformation), Context())
    assert (cloudformation.drops, len(cloudformation.answers)) == (0, 1)


def test_missing_settings_are_answered(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    lambda_handler(event("Create", cloudformation), Context())
    assert "DATABASE_HOST" in cloudformation.answers[0]["Reason"]


def test_invoked_by_hand_it_migrates_and_tells(administered: str) -> None:
    assert lambda_handler({}, Context())["succeeded"] is True
    assert applied(administered)


def test_one_that_ends_takes_no_right_from_one_that_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    prepared: list[psycopg.Connection] = []

    def pause(connection: psycopg.Connection) -> None:
        """The first one until there is a second, which may wait; the second one until the first is done."""
        prepared.append(connection)
        if len(prepared) == 1:
            while len(prepared) == 1 and connection.execute(waiting).fetchone() == (0,):
                pass
        else:
            wait(running, return_when=FIRST_COMPLETED)

    lambda_handler({}, Context())
    monkeypatch.setattr(handler, "update_pgvector", pause)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(lambda_handler, {}, Context(35)) for _ in range(2)]
    assert [one.result()["reason"] for one in running] == ["the schema was up to date"] * 2


def test_eight_at_once_do_no_harm(cloudformation: CloudFormation, administered: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: lambda_handler(event("Create", cloudformation), Context()), range(8)))
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"] * 8
    assert applied(administered) == [migration.name for migration in migrations()]


def test_one_killed_in_the_middle_leaves_nothing_half_done(
    cloudformation: CloudFormation, administered: str, postgres: Postgres
) -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        lambda_handler({}, Context())
        with psycopg.connect(of_owner(administered), autocommit=True) as owner:
            owner.execute("DELETE FROM bucketwise.schema_migrations WHERE number = 3")
            owner.execute("DROP FUNCTION bucketwise.index_kind, bucketwise.documents_page")
        blocker = psycopg.connect(of_owner(administered), options="-c idle_in_transaction_session_timeout=0")
        blocker.execute("ALTER FUNCTION bucketwise.nearest COST 100")  # the migration's last statement waits for this
        # Ten seconds are left, as it tries again for as long as there is time.
        running = pool.submit(lambda_handler, event("Update", cloudformation), Context(35))
        victim = None
        while victim is None:
            victim = superuser.execute(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%index_kind%'"
            ).fetchone()
        superuser.execute("SELECT pg_terminate_backend(%s)", victim)
        running.result()
    blocker.close()
    assert cloudformation.answers[-1]["Status"] == "FAILED"
    assert "0003_callable.sql" not in applied(administered)
    lambda_handler(event("Update", cloudformation), Context())
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert applied(administered) == [migration.name for migration in migrations()]


def test_each_role_can_do_what_it_needs_and_no_more(administered: str, postgres: Postgres) -> None:
    lambda_handler({}, Context())
    name = administered.rsplit("/", 1)[1]
    tables = ("documents", "chunks", "embeddings", "corpus_changes", "index_settings", "schema_migrations",
              "attempts", "waiting", "released_texts", "reconciliations")  # fmt: skip
    with psycopg.connect(postgres.dsn("postgres", name)) as superuser:
        rights = {
            (role, table, right)
            for role in ("bucketwise_ask", "bucketwise_ingest")
            for table in tables
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
            if (
                superuser.execute(
                    "SELECT has_table_privilege(%s, %s, %s)", (role, f"bucketwise.{table}", right)
                ).fetchone()
                or [False]
            )[0]
        }
        flags = superuser.execute(
            """SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls) FROM pg_roles
               WHERE rolname LIKE 'bucketwise\\_%'"""
        ).fetchone()
    assert rights == {
        *(("bucketwise_ingest", "documents", right) for right in ("SELECT", "INSERT", "UPDATE")),
        *(("bucketwise_ingest", "chunks", right) for right in ("SELECT", "INSERT", "DELETE")),
        *(("bucketwise_ingest", "embeddings", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("bucketwise_ingest", "corpus_changes", right) for right in ("SELECT", "INSERT", "DELETE")),
        *(("bucketwise_ingest", "released_texts", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("bucketwise_ingest", "reconciliations", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("bucketwise_ingest", "attempts", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("bucketwise_ingest", "waiting", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
    }
    assert flags == (False,)


def test_on_rds_the_roles_may_log_in_with_iam(administered: str, postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        if superuser.execute("SELECT FROM pg_roles WHERE rolname = 'rds_iam'").fetchone() is None:
            superuser.execute("CREATE ROLE rds_iam")
        superuser.execute("GRANT rds_iam TO master WITH ADMIN OPTION")
    lambda_handler({}, Context())
    with psycopg.connect(administered) as connection:
        members = connection.execute("SELECT pg_has_role('bucketwise_ask', 'rds_iam', 'MEMBER')").fetchone()
    assert members == (True,)
