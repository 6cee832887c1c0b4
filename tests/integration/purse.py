"""A tenant's budgets on a real index, and what is kept of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import pytest
from psycopg.rows import class_row

from ask.budgets import Budgets, Limits
from bucketwise.errors import BudgetExceeded
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage
from bucketwise.telemetry import Telemetry
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.unit.ingest_fakes import SOON

UNPRICED, PRICED = "model-without-a-price", "gpt-4.1"  # 2 dollars for a million tokens of input


@dataclass(frozen=True, slots=True)
class Part:
    """A row; ``caller`` is empty in those of the tenant as a whole."""

    day: date
    caller: bytes
    tokens: int
    usd: float


@dataclass(frozen=True, slots=True)
class Purse:
    """The budgets of a tenant that has spent nothing yet."""

    budgets: Budgets
    database: IndexDatabase

    def limited(self, limits: Limits) -> "Purse":
        return replace(self, budgets=replace(self.budgets, limits=limits))

    def spend(self, tokens: int, *, caller: str = "ada", model: str = UNPRICED, used: int | None = None) -> None:
        with self.budgets.spend(caller, [ModelUsage(model, tokens)], deadline=SOON):
            tell_usage(ModelUsage(model, tokens if used is None else used))

    def refusal(self, tokens: int, *, caller: str = "ada", model: str = UNPRICED) -> tuple[str, str]:
        with pytest.raises(BudgetExceeded) as refused:
            self.spend(tokens, caller=caller, model=model)
        return refused.value.scope, refused.value.unit

    @property
    def parts(self) -> list[Part]:
        """All that is kept of the tenant."""
        with connected(self.database.superuser) as connection, connection.cursor(row_factory=class_row(Part)) as cursor:
            return cursor.execute(
                "SELECT day, caller, tokens, usd::float8 FROM bucketwise.spending WHERE tenant = %s",
                (self.budgets.tenant,),
            ).fetchall()

    @property
    def spent(self) -> int:
        """Tokens of the tenant, on all days; those of its callers add up to the same."""
        of_all = sum(part.tokens for part in self.parts if not part.caller)
        assert of_all == sum(part.tokens for part in self.parts if part.caller)
        return of_all

    @property
    def spent_usd(self) -> float:
        return sum(part.usd for part in self.parts if not part.caller)

    def let_days_pass(self, days: int) -> None:
        with connected(self.database.superuser) as connection:
            connection.execute(
                "UPDATE bucketwise.spending SET day = day - %s WHERE tenant = %s", (days, self.budgets.tenant)
            )


@contextmanager
def purse_of(database: IndexDatabase, limits: Limits, tenant: str) -> Iterator[Purse]:
    with opened(database.ask) as asked:
        yield Purse(Budgets(asked, Telemetry("ask"), tenant, limits), database)
