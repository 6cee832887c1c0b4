"""A pass over several invocations, through crashes and with a full queue: nothing is left out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from psycopg import Connection

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from ingest.inventory import LONG_PAST, MESSAGE_LIVES, Inventory
from ingest.receipts import Outcome, Receipt
from ingest.reconcile import Report
from local.storage.client import Storage
from tests.integration.index_database import IndexDatabase, settings_for
from tests.integration.reconciled_bucket import World, reconciled_bucket
from tests.unit.ingest_fakes import SOON, facts
from tests.unit.reconcile_fakes import steps

KEYS = [f"{number:02}.txt" for number in range(12)]
MINUTE = timedelta(minutes=1)

T = TypeVar("T")


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture
def world(storage: Storage, shared_index: IndexDatabase) -> Iterator[World]:
    with reconciled_bucket(storage, shared_index) as world:
        for key in KEYS:
            world.put(key, key)
        yield world


def waiting(world: World) -> set[str]:
    return {key for key in [*KEYS, "gone.txt"] if world.tenant.waiting(key)}


def wait_since(world: World, key: str, ago: timedelta) -> None:
    """The next try of a document that was put off was due so long ago."""
    world.tenant.index.postpone(key, tries=3, reason="model_unavailable", seconds=0, deadline=SOON)
    world.execute(
        "UPDATE bucketwise.waiting SET since = since - %s, next_try = next_try - %s WHERE key = %s AND tenant = %s",
        ago, ago, key,
    )  # fmt: skip


@pytest.mark.parametrize("step", [1, 5])
def test_a_pass_goes_on_where_the_last_invocation_had_no_time_left(world: World, step: int) -> None:
    reports: list[Report] = []
    while not reports or not reports[-1].finished:
        reports.append(world.reconcile(deadline=steps(12 + len(reports)), step=step))
    assert len(reports) > 1
    assert (reports[-1].looked_at, reports[-1].differences) == (12, 12)
    assert sorted(set(world.work())) == KEYS
    assert world.reconcile().differences == 0


def test_a_full_queue_is_not_filled_further(world: World) -> None:
    first = world.reconcile(step=2, most_backlog=4)
    assert (first.finished, first.sent, world.queue.backlog()) == (False, 6, 6)
    assert world.reconcile(step=2, most_backlog=4).sent == 0
    worked: list[str] = []
    while worked != KEYS:
        worked += world.work()
        world.reconcile(step=2, most_backlog=4)
    assert world.index() == {key: [key] for key in KEYS}


def test_what_is_found_waits_until_it_is_worked_on(world: World) -> None:
    world.reconcile()
    assert waiting(world) == set(KEYS)
    assert world.tenant.waiting(KEYS[0]) == [(0, "reconcile")]
    assert (world.reconcile().differences, world.queue.backlog()) == (12, 12)
    world.work()
    assert waiting(world) == set()


def test_what_was_put_off_is_left_to_its_message(world: World) -> None:
    wait_since(world, KEYS[3], LONG_PAST - MINUTE)
    world.reconcile()
    assert world.work() == [key for key in KEYS if key != KEYS[3]]
    assert world.tenant.waiting(KEYS[3]) == [(3, "model_unavailable")]


def test_a_message_that_outlived_the_queues_retention_is_sent_again(world: World) -> None:
    world.reconcile()
    world.lose_messages()
    assert world.reconcile().sent == 0  # as far as anybody knows they are on their way
    for key in KEYS:
        wait_since(world, key, LONG_PAST + MINUTE)
    since = world.execute("SELECT min(since) FROM bucketwise.waiting WHERE tenant = %s")
    assert world.reconcile().sent == 12
    assert world.execute("SELECT min(since) FROM bucketwise.waiting WHERE tenant = %s") == since
    assert world.work() == KEYS
    assert world.index() == {key: [key] for key in KEYS}


def test_what_waits_in_a_long_queue_is_not_sent_again_with_every_pass(world: World) -> None:
    world.reconcile()
    for hours in (2, 26, 96):
        for key in KEYS:
            wait_since(world, key, timedelta(hours=hours))
        assert (world.reconcile().sent, world.queue.backlog()) == (0, 12)
        assert waiting(world) == set(KEYS)
    assert world.work() == KEYS
    assert waiting(world) == set()


def test_messages_that_were_lost_are_sent_again_though_some_are_left_and_others_came(world: World) -> None:
    world.reconcile()
    world.lose_messages()
    world.queue.send(KEYS[:5])
    for key in KEYS:
        wait_since(world, key, LONG_PAST + MINUTE)
    assert world.reconcile().sent == 12
    assert sorted(set(world.work())) == KEYS


def test_one_message_that_was_lost_from_a_long_queue_is_sent_again_when_it_cannot_be_there_any_more(
    world: World,
) -> None:
    world.reconcile()
    wait_since(world, KEYS[3], MESSAGE_LIVES - MINUTE)
    assert world.reconcile().sent == 0
    wait_since(world, KEYS[3], MESSAGE_LIVES + MINUTE)
    assert world.reconcile().sent == 1
    assert [(key, world.tenant.waiting(key)) for key in KEYS[2:5]] == [(key, [(0, "reconcile")]) for key in KEYS[2:5]]


def test_notes_of_what_is_as_it_should_be_are_cleared_in_the_end(world: World) -> None:
    world.follow()
    for key, ago in ((KEYS[1], LONG_PAST + MINUTE), ("gone.txt", LONG_PAST + MINUTE), (KEYS[2], LONG_PAST - MINUTE)):
        wait_since(world, key, ago)
    world.put("new.txt", "new")
    assert not world.reconcile(most_backlog=-1).finished
    assert waiting(world) == {KEYS[1], KEYS[2], "gone.txt"}
    assert world.reconcile().finished
    assert waiting(world) == {KEYS[2]}


def test_lost_workers_are_forgotten_when_no_message_can_tell_of_their_version_any_more(world: World) -> None:
    index = world.tenant.index
    for key, ago in (("a.txt", timedelta(days=6)), ("b.txt", timedelta(days=8))):
        index.begin_attempt(facts(key), index.claim(deadline=SOON), ended=None, deadline=SOON)
        world.execute("UPDATE bucketwise.attempts SET over_by = over_by - %s WHERE key = %s AND tenant = %s", ago, key)
    world.reconcile()
    assert (len(world.tenant.attempts("a.txt")), len(world.tenant.attempts("b.txt"))) == (1, 0)


def test_so_is_what_looks_came_to_that_ended_in_order(world: World) -> None:
    index = world.tenant.index
    for key, ago in (("a.txt", timedelta(days=6)), ("b.txt", timedelta(days=8))):
        claim = index.claim(deadline=SOON)
        index.begin_attempt(facts(key), claim, ended=None, deadline=SOON)
        index.end_attempt(key, claim, Receipt(Outcome.POSTPONED, claim, stalled=True), deadline=SOON)
        world.execute(
            "UPDATE bucketwise.attempts SET ended_at = ended_at - %s WHERE key = %s AND tenant = %s", ago, key
        )
    world.reconcile()
    assert (len(world.tenant.attempts("a.txt")), len(world.tenant.attempts("b.txt"))) == (1, 0)


class Crash(Exception):
    """The worker is gone."""


class Crashing(Database):
    """The worker is lost at its n-th transaction, just before it or just after."""

    def __init__(self, dsn: str, *, at: int, committed: bool) -> None:
        super().__init__(lambda deadline: connect(settings_for(dsn), deadline))
        self.left, self.committed = at, committed

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        self.left -= 1
        if self.left == 0 and not self.committed:
            raise Crash
        result = super().run(work, deadline=deadline)
        if self.left == 0:
            raise Crash
        return result


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("at", range(1, 8))
def test_after_a_crash_at_any_point_the_next_invocation_does_the_rest(world: World, at: int, committed: bool) -> None:
    database = Crashing(world.tenant.database.ingest, at=at, committed=committed)
    with pytest.raises(Crash):
        world.reconcile(step=6, inventory=Inventory(database, world.tenancy))
    database.close()
    report = world.reconcile(step=6)
    assert report.finished
    assert (report.looked_at, report.differences) == (12, 12)
    assert sorted(set(world.work())) == KEYS
    assert world.index() == {key: [key] for key in KEYS}
    assert world.reconcile().differences == 0


def test_a_place_is_kept_also_if_the_document_there_is_gone(world: World) -> None:
    world.follow()
    world.put("03.txt", "changed")
    world.put("08.txt", "changed")
    assert not world.reconcile(step=4, deadline=steps(24)).finished
    [[after]] = world.execute("SELECT after_key FROM bucketwise.reconciliations WHERE tenant = %s")
    for version in world.s3.list_object_versions(Bucket=world.bucket, Prefix=after)["Versions"]:
        world.delete(after, version["VersionId"])
    assert world.reconcile(step=4).finished
    assert set(world.work()) >= {"03.txt", "08.txt"}


def test_another_tenants_documents_are_left_alone(world: World) -> None:
    other = replace(world.tenant.index, tenant=f"{world.tenant.index.tenant} other")
    other.postpone("a.txt", tries=1, reason="x", seconds=0, deadline=SOON)
    other.bury("b.txt", other.claim(deadline=SOON), deadline=SOON)
    report = world.reconcile()
    assert (report.finished, report.looked_at, report.drift) == (True, 12, None)
