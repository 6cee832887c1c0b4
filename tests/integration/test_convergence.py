"""Whatever happens to the bucket and to the workers, in whatever order: the index ends up equal to the bucket.

Hypothesis chooses what happens next, one call of one worker at a time, on real PostgreSQL and the twin's S3.
``--hypothesis-profile thorough`` looks for longer.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from psycopg import Connection

from bench.chaos_checks import ALL, Indexed, differing_keys
from bench.chaos_embeddings import EmbeddingLedger
from bench.chaos_repair import Repair
from bench.chaos_texts import make_text
from bucketwise.settings import Settings
from ingest.bucket import S3Bucket
from ingest.events import ObjectChange
from ingest.listing import BucketListing
from ingest.protocol import Decisions
from local.storage.client import Storage
from tests.integration.changing_bucket import ChangingBucket
from tests.integration.event_inbox import VERSIONED
from tests.integration.index_database import IndexDatabase, connected, settings_for
from tests.integration.stepped_workers import SteppedWorker, put_off

WORKERS = 3
A_WHOLE_LOOK = 100
CALLS = st.sampled_from([1, 2, 3, 4, 6, 8, A_WHOLE_LOOK])
"""What a worker does before the others get their turn; a look makes about nine calls."""
QUICK = hypothesis.settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)


Change = Callable[[str, st.DataObject], ObjectChange]


@dataclass(frozen=True, slots=True)
class World:
    """What outlives an example: servers and connections. Each example has a folder and a tenant of its own."""

    storage: Storage
    events: str
    settings: Settings
    superuser: Connection
    workers: list[SteppedWorker]
    numbers: Iterator[int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The queue, as a reconciliation sees it."""

    changes: list[ObjectChange]

    def backlog(self) -> int:
        return len(self.changes)

    def send(self, keys: Sequence[str]) -> int:
        self.changes.extend(ObjectChange(VERSIONED, key, datetime.now(UTC)) for key in keys)
        return len(keys)


class Convergence(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.waiting: list[ObjectChange] = []
        self.world = world
        self.name = f"example-{next(world.numbers)}"
        self.bucket = ChangingBucket(world.storage, world.events, f"{self.name}/")
        self.ledger = EmbeddingLedger()
        self.repair = Repair(
            world.settings.model_copy(update={"tenant": self.name}),
            BucketListing(world.storage.s3, VERSIONED, f"{self.name}/"),
            Waiting(self.waiting),
            self.ledger,
        )
        self.texts: list[str] = []
        self.untold: set[str] = set()
        self.told: list[ObjectChange] = []
        for worker in world.workers:
            worker.serve(self.name, self.ledger)

    @rule(data=st.data(), event_is_lost=st.sampled_from([False, False, False, False, True]))
    def change_the_bucket(self, data: st.DataObject, event_is_lost: bool) -> None:
        key = f"{self.name}/{data.draw(st.integers(0, 1), label='key')}.txt"
        event = data.draw(st.sampled_from(self.possible_changes(key)))(key, data)
        if event_is_lost:
            self.untold.add(key)
            return
        self.untold.discard(key)
        self.waiting.append(event)
        self.told.append(event)

    def possible_changes(self, key: str) -> list[Change]:
        changes: list[Change] = [self.put]
        if self.texts:
            changes.append(self.put_an_earlier_text)
        if versions := self.bucket.versions.get(key):
            changes += [self.delete, self.delete_newest, self.delete_newest, self.delete_oldest, self.expire]
            if versions[-1][1] is not None:
                changes.append(self.put_the_same_again)
        return changes

    def put(self, key: str, data: st.DataObject) -> ObjectChange:
        self.texts.append(make_text(key, len(self.texts), data.draw(st.integers(1, 3), label="chunks")))
        return self.bucket.put(key, self.texts[-1])

    def put_an_earlier_text(self, key: str, data: st.DataObject) -> ObjectChange:
        return self.bucket.put(key, data.draw(st.sampled_from(self.texts)))

    def put_the_same_again(self, key: str, _: st.DataObject) -> ObjectChange:
        return self.bucket.put(key, self.bucket.versions[key][-1][1] or "")

    def delete(self, key: str, _: st.DataObject) -> ObjectChange:
        return self.bucket.delete(key)

    def delete_newest(self, key: str, _: st.DataObject) -> ObjectChange:
        """Of a version or a marker; the version before comes back."""
        return self.bucket.delete_version(key, -1)

    def delete_oldest(self, key: str, _: st.DataObject) -> ObjectChange:
        return self.bucket.delete_version(key, 0)

    def expire(self, key: str, _: st.DataObject) -> ObjectChange:
        return self.bucket.expire(key)

    @precondition(lambda self: self.waiting and self.idle())
    @rule(data=st.data(), calls=CALLS)
    def deliver(self, data: st.DataObject, calls: int) -> None:
        place = data.draw(st.integers(0, len(self.waiting) - 1))
        self.begin(self.waiting.pop(place), calls)

    @precondition(lambda self: self.told and self.idle())
    @rule(data=st.data(), calls=CALLS)
    def deliver_again(self, data: st.DataObject, calls: int) -> None:
        self.begin(data.draw(st.sampled_from(self.told)), calls)

    @precondition(lambda self: self.bucket.versions)
    @rule()
    def reconcile(self) -> None:
        self.repair.run()

    @precondition(lambda self: self.busy())
    @rule(data=st.data(), calls=CALLS)
    def go_on(self, data: st.DataObject, calls: int) -> None:
        self.advance(data.draw(st.sampled_from(self.busy())), calls)

    @precondition(lambda self: self.busy())
    @rule(data=st.data())
    def lose_a_worker(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.busy()))
        worker.lose()
        self.waiting.append(worker.change)

    @invariant()
    def every_document_is_one_whole_version(self) -> None:
        for key, *row in self.world.superuser.execute(ALL, (self.name,)):
            document = Indexed.of(row)
            assert document.is_one_version, (key, document)
            assert document.version is None or document.version in self.bucket.all_versions

    def teardown(self) -> None:
        """Who was slow comes last: then nothing covers up what it does."""
        self.drain()
        while busy := self.busy():
            self.advance(busy[0], A_WHOLE_LOOK)
            self.drain()
        assert self.differing() <= self.untold
        self.repair.run()
        self.drain()
        self.repair.close()
        assert self.differing() == set()
        assert self.ledger.wasted == 0

    def differing(self) -> set[str]:
        return differing_keys(self.world.superuser, self.name, self.bucket.contents())

    def drain(self) -> None:
        while self.waiting:
            if not self.idle():
                self.advance(self.busy()[0], A_WHOLE_LOOK)
            self.begin(self.waiting.pop(0), A_WHOLE_LOOK)

    def begin(self, change: ObjectChange, calls: int) -> None:
        worker = self.idle()[0]
        worker.take(change)
        self.advance(worker, calls)

    def advance(self, worker: SteppedWorker, calls: int) -> None:
        for _ in range(calls):
            receipt = worker.advance()
            if receipt is not None:
                self.waiting.extend(put_off(worker.change, receipt))
                return

    def busy(self) -> list[SteppedWorker]:
        return [worker for worker in self.world.workers if worker.busy]

    def idle(self) -> list[SteppedWorker]:
        return [worker for worker in self.world.workers if not worker.busy]


@contextmanager
def world_of(storage: Storage, database: IndexDatabase, decisions: Decisions) -> Iterator[World]:
    storage.create_bucket(VERSIONED)
    events, _ = storage.create_queue("events", visibility_seconds=43_200, max_receives=1)
    storage.notify(VERSIONED, events)
    storage.sqs.purge_queue(QueueUrl=events)
    settings = settings_for(database.ingest)
    reader = S3Bucket(storage.s3, VERSIONED)
    with connected(database.superuser) as superuser, ThreadPoolExecutor(WORKERS) as pool:
        workers = [SteppedWorker(pool, settings, reader, decisions) for _ in range(WORKERS)]
        try:
            yield World(storage, events, settings, superuser, workers, count(1))
        finally:
            for worker in workers:
                worker.close()


def test_the_index_ends_up_equal_to_the_bucket(index_database: IndexDatabase) -> None:
    thorough = hypothesis.settings.get_current_profile_name() == "thorough"
    chosen = hypothesis.settings.get_profile("thorough") if thorough else QUICK
    with Storage.start(None) as storage, world_of(storage, index_database, Decisions()) as world:

        class ConvergenceHere(Convergence):
            def __init__(self) -> None:
                super().__init__(world)

        run_state_machine_as_test(ConvergenceHere, settings=chosen)
