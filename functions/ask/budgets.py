"""What a caller and a tenant may spend in a day (UTC): reserved before a request, settled after it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Self

import psycopg
from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, BudgetExceeded, DatabaseUnavailable
from bucketwise.prices import ModelUsage
from bucketwise.settings import Settings
from bucketwise.spending import usages_told
from bucketwise.telemetry import Metric, Telemetry

# Settling has at least this, also when the request's time is over: half of what is kept to send the response.
SETTLE_SECONDS = 0.25

RESERVE = """
    SELECT day, seconds_left, scope, unit FROM bucketwise.reserve_budget(
        %(tenant)s, %(caller)s, %(tokens)s::bigint, %(usd)s::numeric, %(caller_tokens)s::bigint,
        %(caller_usd)s::numeric, %(tenant_tokens)s::bigint, %(tenant_usd)s::numeric)"""
SETTLE = "SELECT bucketwise.settle_budget(%(tenant)s, %(caller)s, %(day)s, %(tokens)s::bigint, %(usd)s::numeric)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one day. 0 is no limit."""

    caller_tokens: int = 0
    caller_usd: float = 0.0
    tenant_tokens: int = 0
    tenant_usd: float = 0.0

    @property
    def are_set(self) -> bool:
        return any(astuple(self))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.budget_caller_tokens,
            settings.budget_caller_usd,
            settings.budget_tenant_tokens,
            settings.budget_tenant_usd,
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was taken of the sums of ``day``. ``caller`` is the digest under which it is kept."""

    caller: bytes
    day: date
    tokens: int
    usd: float


@dataclass(frozen=True, slots=True)
class Budgets:
    """One tenant's. Without limits the database is not asked, and nothing is kept.

    Requests whose reservations are under way at the same moment do not see each other: a limit may be exceeded by what
    all of these reserve, but for one of them. What was reserved before is always seen. A function that is killed, or
    whose database is gone at the end, leaves its reservation as it is until the day is over. If the reply to a commit
    is lost, the database is asked twice, and a reservation or a settlement counts twice.
    """

    database: Database
    telemetry: Telemetry
    tenant: str
    limits: Limits

    @contextmanager
    def spend(self, caller: str, estimate: Sequence[ModelUsage], *, deadline: Deadline) -> Iterator[None]:
        """Reserves ``estimate``, and at the end, also of a failure, settles what models have used within.

        Raises what ``reserve`` raises.
        """
        if not self.limits.are_set:
            yield
            return
        reservation = self.reserve(caller, estimate, deadline=deadline)
        may_settle = True
        with usages_told() as spent:
            try:
                yield
            except DatabaseUnavailable:
                may_settle = False  # one more try to reach it would only keep the caller waiting
                raise
            finally:
                if may_settle:
                    self.settle(reservation, spent, deadline=deadline)

    def reserve(self, caller: str, estimate: Sequence[ModelUsage], *, deadline: Deadline) -> Reservation:
        """Takes the tokens, and the dollars of models with a listed price, of what is left of the day.

        Raises BudgetExceeded if that is not enough, and what Database.run raises.
        """
        # An ARN names people; a digest tells callers apart just as well.
        digest = sha256(caller.encode(errors="replace")).digest()
        tokens, usd = _totals(estimate)
        names = {"tenant": self.tenant, "caller": digest, "tokens": tokens, "usd": usd} | {
            name: getattr(self.limits, name) or None
            for name in ("caller_tokens", "caller_usd", "tenant_tokens", "tenant_usd")
        }

        def ask(connection: Connection) -> tuple[Any, ...]:
            [row] = connection.execute(RESERVE, names).fetchall()
            return row

        day, seconds_left, scope, unit = self.database.run(ask, deadline=deadline)
        if scope is not None:
            self.telemetry.count(Metric.BUDGET_EXCEEDED, 1)
            raise BudgetExceeded(scope, unit, seconds_left)
        return Reservation(digest, day, tokens, usd)

    def settle(self, reservation: Reservation, spent: Sequence[ModelUsage], *, deadline: Deadline) -> None:
        """Puts what was spent in the place of what was reserved. A failure is logged, and costs no answer."""
        tokens, usd = _totals(spent)
        names = {
            "tenant": self.tenant,
            "caller": reservation.caller,
            "day": reservation.day,
            "tokens": tokens - reservation.tokens,
            "usd": usd - reservation.usd,
        }

        def correct(connection: Connection) -> None:
            connection.execute(SETTLE, names)

        try:
            self.database.run(correct, deadline=Deadline.after(max(SETTLE_SECONDS, deadline.remaining())))
        except (BucketwiseError, psycopg.Error) as error:
            self.telemetry.log_failure(error)


def _totals(usages: Sequence[ModelUsage]) -> tuple[int, float]:
    """Tokens, and the dollars of those models whose price is known."""
    tokens = sum(usage.input_tokens + usage.output_tokens for usage in usages)
    return tokens, sum(usage.usd or 0.0 for usage in usages)
