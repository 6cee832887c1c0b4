"""The migrate function while a database fails over or falls silent: CloudFormation is answered in time."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from bucketwise.migrations import LOCK
from local.postgres import Postgres
from migrate.handler import RESERVE_SECONDS, lambda_handler
from tests.integration.custom_resource import (
    CloudFormation,
    Context,
    administered,
    applied,
    cloudformation,
    environment,
    event,
)
from tests.integration.fault_proxy import FaultProxy
from tests.integration.index_database import at_port

__all__ = ["administered", "cloudformation", "environment"]


def test_a_database_that_is_a_reader_for_now_is_waited_for(
    cloudformation: CloudFormation, administered: str, postgres: Postgres
) -> None:
    database = sql.Identifier(administered.rpartition("/")[2])
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        superuser.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database))
        with ThreadPoolExecutor(1) as pool:
            migrating = pool.submit(lambda_handler, event("Create", cloudformation), Context())
            time.sleep(1)
            assert not migrating.done()
            superuser.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database))
            migrating.result()
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert applied(administered)


def test_a_database_that_falls_silent_in_the_middle_is_answered_in_time(
    cloudformation: CloudFormation, administered: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(administered) as blocker,
        FaultProxy(postgres.port).serving() as proxy,
    ):
        monkeypatch.setenv("DATABASE_URL", at_port(administered, proxy.port))
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        migrating = pool.submit(lambda_handler, event("Create", cloudformation), Context(RESERVE_SECONDS + 4))
        while not proxy.opened:
            time.sleep(0.05)
        time.sleep(0.5)
        proxy.silence()
        migrating.result(RESERVE_SECONDS)
    assert [answer["Status"] for answer in cloudformation.answers] == ["FAILED"]
