"""Requests that reserve and settle at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import psycopg
from psycopg import Connection

from ask.budgets import Limits
from bucketwise.errors import BudgetExceeded
from bucketwise.prices import ModelUsage
from tests.integration.index_database import IndexDatabase, connected
from tests.integration.purse import UNPRICED, Purse, purse_of
from tests.unit.ingest_fakes import SOON

SESSIONS = 8
RESERVED = 100
CALLER = b"c" * 32
RESERVE = "SELECT scope FROM bucketwise.reserve_budget(%s, %s, %s, 0, %s::bigint, NULL, NULL, NULL)"


def reserve(connection: Connection, tenant: str, tokens: int = RESERVED, limit: int | None = None) -> str | None:
    row = connection.execute(RESERVE, (tenant, CALLER, tokens, limit)).fetchone()
    assert row is not None
    scope: str | None = row[0]
    return scope


def sums(database: IndexDatabase, tenant: str) -> list[tuple[int, int]]:
    """Tokens and rows of each caller, the tenant as a whole being the first."""
    with connected(database.superuser) as connection:
        return connection.execute(
            """SELECT sum(tokens)::bigint, count(*) FROM bucketwise.spending WHERE tenant = %s
               GROUP BY caller ORDER BY caller""",
            (tenant,),
        ).fetchall()


def test_nobody_waits_for_a_row_that_another_holds(shared_index: IndexDatabase) -> None:
    tenant = uuid4().hex
    with ExitStack() as opened:
        sessions = [opened.enter_context(psycopg.connect(shared_index.ask)) for _ in range(SESSIONS)]
        for at_once in (1, SESSIONS, SESSIONS):  # in transactions that stay open while the others come
            for session in sessions[:at_once]:
                session.execute("SET lock_timeout = '1ms'")
                assert reserve(session, tenant) is None
            for session in sessions:
                session.commit()
    assert sums(shared_index, tenant) == [(RESERVED * (1 + 2 * SESSIONS), SESSIONS)] * 2


def test_rows_are_used_again_by_those_who_come_after_each_other(shared_index: IndexDatabase) -> None:
    tenant = uuid4().hex
    for _ in range(20):
        with connected(shared_index.ask) as session:
            assert reserve(session, tenant) is None
    assert sums(shared_index, tenant) == [(20 * RESERVED, 1)] * 2


def test_no_commit_waits_for_a_disk_and_the_sessions_own_setting_stays(shared_index: IndexDatabase) -> None:
    with connected(shared_index.ask) as session:
        session.execute("SET synchronous_commit = on")
        with session.transaction():
            reserve(session, uuid4().hex)
            assert session.execute("SHOW synchronous_commit").fetchone() == ("off",)
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_what_is_reserved_at_the_same_moment_exceeds_a_limit_by_all_of_it_but_one(shared_index: IndexDatabase) -> None:
    tenant = uuid4().hex
    with ExitStack() as opened:
        sessions = [opened.enter_context(psycopg.connect(shared_index.ask)) for _ in range(SESSIONS)]
        assert [reserve(session, tenant, limit=RESERVED) for session in sessions] == [None] * SESSIONS
        sessions[0].commit()
        with connected(shared_index.ask) as later:
            assert reserve(later, tenant, limit=RESERVED) == "caller"
        for session in sessions:
            session.commit()
    [(spent, _), _] = sums(shared_index, tenant)
    assert spent == RESERVED + RESERVED * (SESSIONS - 1)


def test_old_days_are_deleted_by_one_of_those_who_come_at_once(shared_index: IndexDatabase) -> None:
    tenant = uuid4().hex
    with connected(shared_index.superuser) as superuser:
        superuser.execute(
            """INSERT INTO bucketwise.spending (tenant, day, caller, tokens, usd)
               SELECT %s, '2020-01-01', '', 1, 0 FROM generate_series(1, 50)""",
            (tenant,),
        )
    with psycopg.connect(shared_index.ask) as one, psycopg.connect(shared_index.ask) as other:
        for session in (one, other):
            session.execute("SET lock_timeout = '1ms'")
            assert reserve(session, tenant) is None
    assert sums(shared_index, tenant) == [(2 * RESERVED, 2)] * 2


def at_once(work: Callable[[int], None], workers: int) -> None:
    start = threading.Barrier(workers)

    def begin(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(begin, range(workers)))


def test_many_at_once_spend_no_more_than_is_stated_and_lose_nothing(shared_index: IndexDatabase) -> None:
    tenant, limit, admitted = uuid4().hex, 20 * RESERVED, [0] * SESSIONS
    with ExitStack() as opened:
        purses: list[Purse] = [
            opened.enter_context(purse_of(shared_index, Limits(tenant_tokens=limit), tenant)) for _ in range(SESSIONS)
        ]

        def ask(number: int) -> None:
            for _ in range(20):
                try:
                    purses[number].budgets.reserve(
                        f"caller {number % 2}", [ModelUsage(UNPRICED, RESERVED)], deadline=SOON
                    )
                except BudgetExceeded:
                    return
                admitted[number] += 1

        at_once(ask, SESSIONS)
    tenants, *callers = sums(shared_index, tenant)
    assert tenants[0] == sum(tokens for tokens, _ in callers) == sum(admitted) * RESERVED
    assert limit <= tenants[0] <= limit + (SESSIONS - 1) * RESERVED
    assert max(rows for _, rows in (tenants, *callers)) <= SESSIONS


def test_many_that_settle_at_once_leave_what_they_used(shared_index: IndexDatabase) -> None:
    tenant = uuid4().hex
    with ExitStack() as opened:
        purses = [
            opened.enter_context(purse_of(shared_index, Limits(tenant_tokens=10**9), tenant)) for _ in range(SESSIONS)
        ]

        def ask(number: int) -> None:
            for used in range(30):
                purses[number].spend(RESERVED, caller="ada", used=used)

        at_once(ask, SESSIONS)
    assert [tokens for tokens, _ in sums(shared_index, tenant)] == [SESSIONS * sum(range(30))] * 2
