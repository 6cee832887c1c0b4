"""What callers and tenants may spend in a day, as the role of ask reserves and settles it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from uuid import uuid4

import psycopg
import pytest

from ask.budgets import Limits
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import BudgetExceeded, DatabaseUnavailable, DeadlineExceeded
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage
from tests.integration.index_database import IndexDatabase
from tests.integration.purse import PRICED, UNPRICED, Purse, purse_of
from tests.unit.fakes import log_to_current_stdout
from tests.unit.ingest_fakes import SOON

LIMITS = Limits(caller_tokens=1000, tenant_tokens=2500)


@pytest.fixture
def purse(shared_index: IndexDatabase) -> Iterator[Purse]:
    with purse_of(shared_index, LIMITS, uuid4().hex) as purse:
        yield purse


def test_a_caller_may_spend_up_to_its_limit_and_no_more(purse: Purse) -> None:
    purse.spend(600)
    assert purse.refusal(401) == ("caller", "tokens")
    purse.spend(400)
    assert purse.refusal(1) == ("caller", "tokens")
    assert purse.spent == 1000


def test_all_callers_together_may_spend_up_to_the_tenants_limit(purse: Purse) -> None:
    for caller in ("ada", "ben"):
        purse.spend(1000, caller=caller)
    assert purse.refusal(501, caller="cleo") == ("tenant", "tokens")
    purse.spend(500, caller="cleo")
    assert purse.refusal(1, caller="dan") == ("tenant", "tokens")


def test_dollars_are_limited_for_callers_and_tenants(purse: Purse) -> None:
    limited = purse.limited(Limits(caller_usd=0.10, tenant_usd=0.15))
    limited.spend(50_000, model=PRICED)
    assert limited.refusal(1, model=PRICED) == ("caller", "usd")
    assert limited.refusal(25_001, caller="ben", model=PRICED) == ("tenant", "usd")
    limited.spend(25_000, caller="ben", model=PRICED)
    assert purse.spent_usd == pytest.approx(0.15, abs=1e-12)


def test_a_model_without_a_price_spends_tokens_and_no_dollars(purse: Purse) -> None:
    limited = purse.limited(Limits(caller_tokens=900_000, caller_usd=0.01))
    limited.spend(900_000)
    assert (purse.spent, purse.spent_usd) == (900_000, 0)
    assert limited.refusal(1) == ("caller", "tokens")
    limited.limited(Limits(caller_usd=0.01)).spend(900_000)


def test_of_several_models_those_with_a_price_are_paid_for(purse: Purse) -> None:
    usages = [ModelUsage(UNPRICED, 100), ModelUsage(PRICED, 50, 10)]
    reservation = purse.budgets.reserve("ada", usages, deadline=SOON)
    assert reservation.tokens == 160
    assert reservation.usd == pytest.approx(0.00018)


def test_a_limit_of_one_kind_leaves_the_others_free(purse: Purse) -> None:
    purse.limited(Limits(tenant_usd=1)).spend(400_000, model=PRICED)
    purse.limited(Limits(caller_tokens=500_000)).spend(100_000, model=PRICED)
    assert purse.limited(Limits(tenant_usd=1)).refusal(1, model=PRICED) == ("tenant", "usd")


def test_what_was_reserved_and_not_used_is_given_back(purse: Purse) -> None:
    purse.spend(1000, used=100)
    assert purse.spent == 100
    purse.spend(900, used=0)
    assert purse.refusal(901) == ("caller", "tokens")


def test_what_was_used_beyond_the_reservation_counts(purse: Purse) -> None:
    purse.spend(10, used=1000)
    assert purse.refusal(1) == ("caller", "tokens")


def test_dollars_that_are_given_back_leave_no_rest(purse: Purse) -> None:
    limited = purse.limited(Limits(caller_usd=1))
    for tokens in range(1, 200, 7):
        limited.spend(tokens, model=PRICED, used=0)
    assert purse.spent_usd == 0


def test_a_request_that_fails_settles_with_what_it_used(purse: Purse) -> None:
    def fail_after(used: int) -> None:
        with purse.budgets.spend("ada", [ModelUsage(UNPRICED, 1000)], deadline=SOON):
            tell_usage(ModelUsage(UNPRICED, used))
            raise DeadlineExceeded("x")

    with pytest.raises(DeadlineExceeded):
        fail_after(7)
    assert purse.spent == 7


def test_a_request_is_settled_also_when_its_time_is_over(purse: Purse) -> None:
    reservation = purse.budgets.reserve("ada", [ModelUsage(UNPRICED, 900)], deadline=SOON)
    purse.budgets.settle(reservation, [ModelUsage(UNPRICED, 7)], deadline=Deadline.after(-1))
    assert purse.spent == 7


def test_while_it_is_under_way_a_request_holds_what_it_reserved(purse: Purse) -> None:
    with purse.budgets.spend("ada", [ModelUsage(UNPRICED, 700)], deadline=SOON):
        assert purse.refusal(301) == ("caller", "tokens")
        purse.spend(300, used=0)


def test_a_refused_request_spends_nothing_and_is_counted(purse: Purse) -> None:
    purse.refusal(1001)
    assert purse.parts == []
    assert [*purse.budgets.telemetry.metrics.metric_set] == ["BudgetExceeded"]
    purse.budgets.telemetry.metrics.clear_metrics()


def test_a_refusal_tells_the_seconds_until_the_next_day_in_utc(purse: Purse) -> None:
    with pytest.raises(BudgetExceeded) as refused:
        purse.spend(1001)
    assert 0 < refused.value.retry_after <= 86_400
    then = datetime.now(UTC) + timedelta(seconds=refused.value.retry_after)
    assert (then + timedelta(minutes=1)).time() < time(minute=2)


def test_a_new_day_begins_with_nothing_spent(purse: Purse) -> None:
    purse.spend(1000)
    purse.let_days_pass(1)
    purse.spend(1000)
    assert purse.refusal(1) == ("caller", "tokens")


def test_a_request_that_began_the_day_before_settles_on_that_day(purse: Purse) -> None:
    with purse.budgets.spend("ada", [ModelUsage(UNPRICED, 1000)], deadline=SOON):
        day = purse.budgets.reserve("ben", [ModelUsage(UNPRICED, 1)], deadline=SOON).day
        purse.let_days_pass(1)
        tell_usage(ModelUsage(UNPRICED, 10))
    today = [part.tokens for part in purse.parts if part.day == day]
    assert today == [10 - 1000] * 2  # all else was moved a day back after the reservation


def test_days_gone_by_are_deleted_but_not_the_last_one(purse: Purse) -> None:
    for days in (1, 1, 1, 0):
        purse.spend(10)
        purse.let_days_pass(days)
    assert sorted(part.tokens for part in purse.parts) == [10] * 4
    assert len({part.day for part in purse.parts}) == 2


def test_callers_and_tenants_are_apart(purse: Purse, shared_index: IndexDatabase) -> None:
    purse.spend(1000)
    purse.spend(1000, caller="ben")
    with purse_of(shared_index, LIMITS, uuid4().hex) as other:
        other.spend(1000)
        assert (other.spent, purse.spent) == (1000, 2000)
        assert other.refusal(1) == ("caller", "tokens")


def test_no_name_of_a_caller_is_kept(purse: Purse) -> None:
    caller = "arn:aws:iam::123456789012:user/mary"
    purse.spend(1, caller=caller)
    assert {part.caller for part in purse.parts} == {b"", sha256(caller.encode()).digest()}


def test_without_limits_nothing_is_asked_and_nothing_is_kept(purse: Purse) -> None:
    def refuse(_: Deadline) -> BoundedConnection:
        raise AssertionError("the database was asked")

    unlimited = replace(purse.budgets, database=Database(refuse), limits=Limits())
    with unlimited.spend("ada", [ModelUsage(UNPRICED, 10**9)], deadline=SOON):
        tell_usage(ModelUsage(UNPRICED, 10**9))
    assert purse.parts == []


def test_a_database_that_is_gone_at_the_end_costs_no_answer(purse: Purse, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: Deadline) -> BoundedConnection:
        raise psycopg.OperationalError("gone")

    log_to_current_stdout(purse.budgets.telemetry)
    reservation = purse.budgets.reserve("ada", [ModelUsage(UNPRICED, 1)], deadline=SOON)
    gone = replace(purse.budgets, database=Database(refuse))
    gone.settle(reservation, [], deadline=SOON)
    assert "DatabaseUnavailable" in capsys.readouterr().out
    with pytest.raises(DatabaseUnavailable):
        gone.reserve("ada", [], deadline=SOON)
