"""A comparison of all keys: it has what differs looked at once, keeps its place, and never floods the queue."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import QueueUnavailable
from ingest.differences import HeldDocument
from ingest.listing import BucketListing
from ingest.reconcile import Pass, Report
from tests.unit.ingest_fakes import SOON
from tests.unit.reconcile_fakes import FINGERPRINT, STORED_AT, TENANT, MemoryInventory, MemoryListing, World, steps


def numbered(first: int, last: int) -> dict[str, str]:
    return {f"{number:04}.txt": "v1" for number in range(first, last)}


@pytest.fixture
def world() -> World:
    """30 documents, of which 20 are held, and 10 that are gone."""
    return World(MemoryListing(numbered(10, 40)), MemoryInventory(numbered(0, 30)))


DIFFERING = [*numbered(0, 10), *numbered(30, 40)]


def test_all_that_differs_is_sent_once(world: World) -> None:
    report = world.reconciliation().run(deadline=SOON)
    assert report == Report(finished=True, looked_at=40, differences=20, sent=20, drift=20)
    assert world.queue.sent == DIFFERING
    assert world.inventory.place is None


def test_what_waits_already_is_neither_sent_nor_missed(world: World) -> None:
    world.inventory.waiting["0003.txt"] = None
    report = world.reconciliation().run(deadline=SOON)
    assert (report.differences, report.sent, report.drift) == (20, 19, 19)
    assert "0003.txt" not in world.queue.sent


def test_equal_sides_send_nothing() -> None:
    world = World(MemoryListing(numbered(0, 30)), MemoryInventory(numbered(0, 30)))
    assert world.reconciliation().run(deadline=SOON) == Report(finished=True, looked_at=30, drift=0)
    assert world.queue.sent == []


def test_the_pass_that_fills_an_index_misses_nothing() -> None:
    world = World(MemoryListing(numbered(0, 30)))
    report = world.reconciliation().run(deadline=SOON)
    assert (report.finished, report.sent, report.drift) == (True, 30, None)


def test_what_changed_a_moment_ago_is_sent_and_not_missed(world: World) -> None:
    world.listing.stored_at = datetime.now(UTC)
    world.inventory.versions = numbered(10, 30)
    report = world.reconciliation().run(deadline=SOON)
    assert (report.sent, report.drift) == (10, 0)


@pytest.mark.parametrize("most", range(1, 40))
def test_however_short_the_invocations_the_pass_ends_and_counts_once(world: World, most: int) -> None:
    reports: list[Report] = []
    while not reports or not reports[-1].finished:
        reports.append(world.reconciliation(step=3).run(deadline=steps(most + len(reports))))
    last = reports[-1]
    assert (last.looked_at, last.differences, last.drift) == (40, 20, 20)
    assert [report.looked_at for report in reports] == sorted(report.looked_at for report in reports)
    assert list(dict.fromkeys(world.queue.sent)) == DIFFERING
    assert sum(report.sent for report in reports) == len(world.queue.sent)


@pytest.mark.parametrize("taken", range(20))
def test_after_a_failure_in_the_middle_nothing_is_left_unsent(world: World, taken: int) -> None:
    world.queue.takes = taken
    with pytest.raises(QueueUnavailable):
        world.reconciliation().run(deadline=SOON)
    world.queue.takes = None
    report = world.reconciliation().run(deadline=SOON)
    assert (report.finished, report.differences, report.drift) == (True, 20, 20)
    assert sorted(set(world.queue.sent)) == DIFFERING


def test_a_full_queue_is_sent_no_more_and_the_place_is_kept() -> None:
    world = World(MemoryListing(numbered(0, 100)))
    reconciliation = world.reconciliation(step=10, most_backlog=25)
    first = reconciliation.run(deadline=SOON)
    assert (first.finished, first.sent, first.looked_at) == (False, 30, 30)
    assert (reconciliation.run(deadline=SOON).sent, len(world.queue.sent)) == (0, 30)
    rounds = 0
    while not reconciliation.run(deadline=SOON).finished:
        world.queue.handled = len(world.queue.sent)
        rounds += 1
        assert rounds < 10
    assert world.queue.sent == list(numbered(0, 100))


def test_a_full_queue_does_not_hold_up_what_needs_no_message(world: World) -> None:
    world = World(MemoryListing(numbered(0, 30)), MemoryInventory(numbered(0, 30)))
    assert world.reconciliation(most_backlog=-1).run(deadline=SOON).finished


def test_what_was_released_is_collected_also_while_the_pass_is_under_way(world: World) -> None:
    world.collection.released, world.collection.forgotten = 5, 7
    first = world.reconciliation(most_backlog=-1).run(deadline=SOON)
    assert (first.finished, first.collected) == (False, 5)
    assert world.reconciliation().run(deadline=SOON).collected == 7


def test_what_is_cached_in_vain_is_cleared_away_also_while_the_pass_is_under_way(world: World) -> None:
    world.cached_answers.outdated = 3
    assert not world.reconciliation(most_backlog=-1).run(deadline=SOON).finished
    assert world.cached_answers.outdated == 0


def test_a_slow_collection_does_not_keep_changes_from_being_found(world: World) -> None:
    world.collection.slow = True
    assert world.reconciliation().run(deadline=SOON).sent == 20


def test_every_tenants_tables_are_seen_to(world: World) -> None:
    world.inventory.known_tenants = ("acme", "bolt", "default")
    assert world.reconciliation().run(deadline=SOON).finished
    assert world.postings.folds == ["sums"] * 3 + ["all"] * 3


class EndedByAnother(MemoryInventory):
    def finish(self, under_way: Pass, *, good_for: timedelta, deadline: Deadline) -> bool:
        self.place = None
        return super().finish(under_way, good_for=good_for, deadline=deadline)


def test_a_pass_that_another_invocation_ended_is_not_counted_again(world: World) -> None:
    world.inventory = EndedByAnother()
    assert not world.reconciliation().run(deadline=SOON).finished


class ManyPages:
    """A bucket of ``count`` keys as pages of 1,000 that are made when they are asked for."""

    def __init__(self, count: int) -> None:
        self.count = count

    def get_paginator(self, _name: str) -> "ManyPages":
        return self

    def paginate(self, **_asked: str) -> Iterator[dict[str, object]]:
        for first in range(0, self.count, 1000):
            yield {
                "Versions": [
                    {
                        "Key": f"{number:08}", "VersionId": "v1", "IsLatest": True, "ETag": "e1", "Size": 3,
                        "LastModified": STORED_AT,
                    }
                    for number in range(first, first + 1000)
                ]
            }  # fmt: skip


class ManyDocuments(MemoryInventory):
    count = 0

    def held(self, *, after: str, deadline: Deadline) -> Iterator[HeldDocument]:  # noqa: ARG002  # it starts once
        for number in range(self.count):
            yield HeldDocument(f"{number:08}", "v1", "e1", 3, STORED_AT, FINGERPRINT, TENANT)


def peak_memory(count: int) -> int:
    inventory = ManyDocuments()
    inventory.count = count
    reconciliation = replace(
        World().reconciliation(step=1000),
        listing=BucketListing(ManyPages(count), "documents"),
        inventory=inventory,
    )
    tracemalloc.start()
    report = reconciliation.run(deadline=SOON)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.finished, report.looked_at, report.differences) == (True, count, 0)
    return peak


def test_ten_times_the_keys_take_nowhere_near_ten_times_the_memory() -> None:
    peak_memory(2000)  # what is made once
    assert peak_memory(20_000) < 2 * peak_memory(2000)  # other threads allocate as well: a tenth more was seen
