"""In-memory stand-ins for reconcile that behave: a listing, an inventory that keeps its place, a queue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, QueueUnavailable
from ingest.differences import HeldDocument, HeldSidecar, ListedObject
from ingest.reconcile import Pass, Reconciliation
from ingest.tenants import Tenancy
from ingest.upkeep import Upkeep

STORED_AT = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)
FINGERPRINT = "code 1"
TENANT = "default"


@dataclass
class MemoryListing:
    versions: dict[str, str] = field(default_factory=dict)
    stored_at: datetime = STORED_AT

    def after(self, key: str) -> Iterator[ListedObject]:
        for each in sorted(self.versions):
            if each > key:
                yield ListedObject(each, self.versions[each], "e1", 3, self.stored_at)


@dataclass
class MemoryInventory:
    """``waiting`` maps keys to the pass that noted them."""

    versions: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, datetime | None] = field(default_factory=dict)
    place: Pass | None = None
    known_tenants: tuple[str, ...] = (TENANT,)

    def tenants(self, *, deadline: Deadline) -> list[str]:
        deadline.allow(1)
        return list(self.known_tenants)

    def held(self, *, after: str, deadline: Deadline) -> Iterator[HeldDocument | HeldSidecar]:
        for key in sorted(self.versions):
            if key > after:
                deadline.allow(1)
                yield HeldDocument(key, self.versions[key], "e1", 3, STORED_AT, FINGERPRINT, TENANT)

    def begin(self, *, deadline: Deadline) -> Pass:
        deadline.allow(1)
        if self.place is None:
            self.place = Pass(datetime.now(UTC), "", 0, 0, 0 if self.versions else None)
        return replace(self.place)

    def notes_are_good_for(self, messages: int, *, deadline: Deadline) -> timedelta:
        assert messages >= 0
        deadline.allow(1)
        return timedelta(days=4)

    def note(self, keys: Sequence[str], started_at: datetime, *, good_for: timedelta, deadline: Deadline) -> list[str]:
        assert good_for == timedelta(days=4)
        deadline.allow(1)
        new = [key for key in keys if self.waiting.get(key, started_at) == started_at]
        self.waiting |= dict.fromkeys(new, started_at)
        return new

    def save(self, under_way: Pass, *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.place = replace(under_way)

    def finish(self, under_way: Pass, *, good_for: timedelta, deadline: Deadline) -> bool:
        assert good_for == timedelta(days=4)
        deadline.allow(1)
        was_under_way = self.place is not None and self.place.started_at == under_way.started_at
        self.place = None
        return was_under_way


@dataclass
class MemoryCollection:
    released: int = 0
    forgotten: int = 0
    slow: bool = False

    def collect_released(self, *, deadline: Deadline) -> int:
        if self.slow or deadline.remaining() <= 0:
            raise DeadlineExceeded
        collected, self.released = self.released, 0
        return collected

    def sweep(self, *, deadline: Deadline) -> int:
        deadline.allow(1)
        collected, self.forgotten = self.forgotten, 0
        return collected


@dataclass
class MemoryCachedAnswers:
    outdated: int = 0

    def collect(self, *, deadline: Deadline) -> int:
        deadline.allow(1)
        collected, self.outdated = self.outdated, 0
        return collected


@dataclass
class MemoryPostings:
    folds: list[str] = field(default_factory=list)

    def fold_sums(self, *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.folds.append("sums")

    def fold_all(self, *, deadline: Deadline) -> bool:
        deadline.allow(1)
        self.folds.append("all")
        return True


@dataclass
class MemoryQueue:
    """``takes`` bounds how many messages it takes before it fails."""

    sent: list[str] = field(default_factory=list)
    takes: int | None = None
    handled: int = 0

    def backlog(self) -> int:
        return len(self.sent) - self.handled

    def send(self, keys: Sequence[str]) -> int:
        for key in keys:
            if self.takes is not None and len(self.sent) >= self.takes:
                raise QueueUnavailable("the queue did not answer")
            self.sent.append(key)
        return len(keys)


@dataclass(frozen=True, slots=True)
class Steps(Deadline):
    """Time that passes with each question of how much is left: there is as much as was asked for so often."""

    asked: list[int] = field(default_factory=lambda: [0])
    most: int = 0

    def remaining(self) -> float:
        self.asked[0] += 1
        return 60.0 if self.asked[0] <= self.most else 0.0


def steps(most: int) -> Steps:
    return Steps(at=0.0, most=most)


@dataclass
class World:
    listing: MemoryListing = field(default_factory=MemoryListing)
    inventory: MemoryInventory = field(default_factory=MemoryInventory)
    collection: MemoryCollection = field(default_factory=MemoryCollection)
    cached_answers: MemoryCachedAnswers = field(default_factory=MemoryCachedAnswers)
    postings: MemoryPostings = field(default_factory=MemoryPostings)
    queue: MemoryQueue = field(default_factory=MemoryQueue)

    def reconciliation(self, *, step: int = 10, most_backlog: int = 20_000, prefix: str = "") -> Reconciliation:
        return Reconciliation(
            listing=self.listing,
            inventory=self.inventory,
            upkeep_of=lambda _: Upkeep(self.postings, self.collection, self.cached_answers),
            queue=self.queue,
            tenancy=Tenancy(TENANT, prefix),
            fingerprint=FINGERPRINT,
            step=step,
            most_backlog=most_backlog,
        )
