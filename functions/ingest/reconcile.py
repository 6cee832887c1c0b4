"""Compares bucket and index, has what differs looked at, and clears away what no document needs.

Nothing is changed by the comparison itself: like any event, a difference is only a hint.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded
from ingest.differences import (
    Difference,
    Expected,
    Held,
    ListedObject,
    Pair,
    difference,
    side_by_side,
)
from ingest.tenants import Tenancy
from ingest.upkeep import Upkeep

MOST_BACKLOG = 20_000
"""Messages in the queue above which no more are sent: a bucket of a million objects must not flood it."""
STEP = 1000
STEP_SECONDS = 10.0
"""With less time left, no step is begun. One takes a page of each side, and up to a hundred batches of messages."""
TOLD_WITHIN = timedelta(minutes=15)
"""An event that is not handled by then counts as missed."""


@dataclass(slots=True)
class Pass:
    """One comparison of all keys, over as many invocations as it takes. ``drift`` is None while it is not counted."""

    started_at: datetime
    after_key: str
    looked_at: int
    differences: int
    drift: int | None


class Listing(Protocol):
    def after(self, key: str) -> Iterator[ListedObject]: ...


class Inventory(Protocol):
    def tenants(self, *, deadline: Deadline) -> list[str]: ...
    def held(self, *, after: str, deadline: Deadline) -> Iterator[Held]: ...
    def begin(self, *, deadline: Deadline) -> Pass: ...
    def notes_are_good_for(self, messages: int, *, deadline: Deadline) -> timedelta: ...
    def note(
        self, keys: Sequence[str], started_at: datetime, *, good_for: timedelta, deadline: Deadline
    ) -> list[str]: ...
    def save(self, under_way: Pass, *, deadline: Deadline) -> None: ...
    def finish(self, under_way: Pass, *, good_for: timedelta, deadline: Deadline) -> bool: ...


class Queue(Protocol):
    def backlog(self) -> int: ...
    def send(self, keys: Sequence[str]) -> int: ...


@dataclass(slots=True)
class Report:
    """``sent`` and ``collected`` are of this invocation, the others of the whole pass so far.

    ``drift`` is what differed although an event should have told of it; None in the pass that fills an index.
    """

    finished: bool = False
    looked_at: int = 0
    differences: int = 0
    sent: int = 0
    drift: int | None = None
    collected: int = 0

    def public(self) -> dict[str, Any]:
        """For logs and replies."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``tenancy`` says whose documents are, ``fingerprint`` is the code that they are made by now."""

    listing: Listing
    inventory: Inventory
    upkeep_of: Callable[[str], Upkeep]
    queue: Queue
    tenancy: Tenancy
    fingerprint: str
    step: int = STEP
    most_backlog: int = MOST_BACKLOG

    def run(self, *, deadline: Deadline, at_end: Callable[[Report], None] = lambda _: None) -> Report:
        """As much as time and the queue allow; the next run goes on from there, also after a crash.

        ``at_end`` is told of a finished pass before the upkeep after it, which may fail: then nothing else knows what
        the pass found. Raises BucketUnavailable, QueueUnavailable or DatabaseUnavailable.
        """
        report = Report()
        try:
            tenants = self.inventory.tenants(deadline=deadline)
            random.shuffle(tenants)  # so that one who runs out of time leaves out others each time
            # Half of the time, so that many deletions do not keep what changed from being found.
            half = Deadline.after(deadline.remaining() / 2)
            with suppress(DeadlineExceeded):
                for tenant in tenants:
                    report.collected += self.upkeep_of(tenant).before_comparing(deadline=half)
            self._compare(report, deadline)
            if report.finished:
                at_end(report)
                for tenant in tenants:
                    report.collected += self.upkeep_of(tenant).after_a_pass(deadline=deadline)
        except DeadlineExceeded:
            return report
        return report

    def _compare(self, report: Report, deadline: Deadline) -> None:
        under_way = self.inventory.begin(deadline=deadline)
        # Once, as what this invocation sends does not show in the queue at once.
        good_for = self.inventory.notes_are_good_for(self.queue.backlog(), deadline=deadline)
        expected = Expected(self.fingerprint, self.tenancy, told_until=datetime.now(UTC) - TOLD_WITHIN)
        pairs = side_by_side(
            self.listing.after(under_way.after_key),
            self.inventory.held(after=under_way.after_key, deadline=deadline),
        )
        while True:
            _tell(report, under_way)
            if deadline.remaining() < STEP_SECONDS:
                return
            pairs_of_step = list(islice(pairs, self.step))
            if not pairs_of_step:
                break
            if not self._take_step(pairs_of_step, under_way, expected, report, good_for, deadline):
                return
        report.finished = self.inventory.finish(under_way, good_for=good_for, deadline=deadline)

    def _take_step(
        self,
        pairs: Sequence[Pair],
        under_way: Pass,
        expected: Expected,
        report: Report,
        good_for: timedelta,
        deadline: Deadline,
    ) -> bool:
        """Whether to go on. What differs is noted, then sent, and then passed by: cut short, it is sent again."""
        found = _by_document([each for pair in pairs if (each := difference(pair, expected)) is not None])
        if found:
            if self.queue.backlog() > self.most_backlog:
                return False
            keys = [each.key for each in found]
            new = self.inventory.note(keys, under_way.started_at, good_for=good_for, deadline=deadline)
            report.sent += self.queue.send(new)
            _count_drift(under_way, found, set(new))
        under_way.after_key = pairs[-1].key
        under_way.looked_at += sum(pair.exists for pair in pairs)
        under_way.differences += len(found)
        self.inventory.save(under_way, deadline=deadline)
        return True


def _by_document(found: Sequence[Difference]) -> list[Difference]:
    """One of each: an object and what describes it may both differ."""
    by_key: dict[str, Difference] = {}
    for each in found:
        other = by_key.get(each.key, each)
        by_key[each.key] = Difference(each.key, missed=each.missed or other.missed)
    return list(by_key.values())


def _count_drift(under_way: Pass, found: Sequence[Difference], new: set[str]) -> None:
    """What waits already was told of, and is only late."""
    if under_way.drift is not None:
        under_way.drift += sum(each.missed and each.key in new for each in found)


def _tell(report: Report, under_way: Pass) -> None:
    report.looked_at, report.differences, report.drift = under_way.looked_at, under_way.differences, under_way.drift
