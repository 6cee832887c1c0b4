"""Keeps a tenant's posting lists few and long: every commit appends short ones."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from bucketwise.analysis import TERM_BITS
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded

OFTEN = 256
"""Of so many commits one folds what came last; a sixteenth of those folds a level more."""
LAST_LEVEL = 3
SLICES = 64
FEW = 10_000
"""A tenant with fewer lists is folded in one slice: there may be thousands of such tenants."""
SLICE_SECONDS = 10.0
"""With less time left, no slice is begun."""

FOLD = "SELECT bucketwise.fold_postings(%(tenant)s, %(level)s, %(first)s, %(last)s)"
MANY = (
    "SELECT count(*) = %(few)s FROM (SELECT FROM bucketwise.postings WHERE tenant = %(tenant)s LIMIT %(few)s) AS found"
)
# One at a time: two would wait for each other's rows.
SUMS = """
    WITH alone AS MATERIALIZED (
        SELECT pg_try_advisory_xact_lock(hashtextextended('bucketwise sums ' || %(tenant)s, 0)) AS is_alone),
    folded AS (
        DELETE FROM bucketwise.corpus_changes
        WHERE tenant = %(tenant)s AND (SELECT is_alone FROM alone) RETURNING delta, chunks, length)
    INSERT INTO bucketwise.corpus_changes (tenant, delta, chunks, length)
    SELECT %(tenant)s, sum(delta), sum(chunks), sum(length) FROM folded HAVING count(*) > 0"""

_FIRST_TERM, _BEHIND_TERMS = -(1 << (TERM_BITS - 1)), 1 << (TERM_BITS - 1)


@dataclass(frozen=True, slots=True)
class Postings:
    """One tenant's. ``chance`` gives numbers from 0 up to 1: a count of commits would be a row that all wait for."""

    database: Database
    tenant: str
    chance: Callable[[], float] = random.random
    few: int = FEW

    def fold_now_and_then(self, *, deadline: Deadline) -> None:
        """To be called after each commit. That it cannot be done now is no error: another commit will do it."""
        drawn = self.chance() * OFTEN
        if drawn >= 1:
            return
        with suppress(DatabaseUnavailable, DeadlineExceeded):
            self.fold_sums(deadline=deadline)
            self._fold(1 if drawn * 16 < 1 else 0, _FIRST_TERM, _BEHIND_TERMS - 1, deadline)

    def fold_sums(self, *, deadline: Deadline) -> None:
        """Makes one row of the tenant's corpus changes. Raises what Database.run raises."""
        self.database.run(lambda connection: connection.execute(SUMS, {"tenant": self.tenant}), deadline=deadline)

    def fold_all(self, *, deadline: Deadline) -> bool:
        """Slice by slice, each a transaction, as far as time allows; whether it came to the end.

        Raises what Database.run raises.
        """
        width = (_BEHIND_TERMS - _FIRST_TERM) // (SLICES if self._has_many(deadline) else 1)
        for first in range(_FIRST_TERM, _BEHIND_TERMS, width):
            if deadline.remaining() < SLICE_SECONDS:
                return False
            self._fold(LAST_LEVEL, first, first + width - 1, deadline)
        return True

    def _has_many(self, deadline: Deadline) -> bool:
        names = {"tenant": self.tenant, "few": self.few}
        return self.database.run(lambda connection: _true(connection.execute(MANY, names)), deadline=deadline)

    def _fold(self, level: int, first: int, last: int, deadline: Deadline) -> None:
        names = {"tenant": self.tenant, "level": level, "first": first, "last": last}

        def fold(connection: Connection) -> None:
            connection.execute(FOLD, names)

        self.database.run(fold, deadline=deadline)


def _true(cursor: Cursor[TupleRow]) -> bool:
    row = cursor.fetchone()
    return row is not None and bool(row[0])
