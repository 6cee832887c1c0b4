"""Histories on PostgreSQL in which a known mistake ends wrong, each played in one fixed order.

Each takes a ``Stage`` and raises AssertionError if its design does not pass.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from bucketwise.errors import DeadlineExceeded
from tests.protocol.stage import BucketObject, Look, Shown, Stage, shown_of

Scenario = Callable[[Stage], None]


def a_stale_writer_comes_after_a_newer_commit(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    late = _look_that_has_read(stage, bucket)
    bucket.put("second")
    stage.look(bucket).run()
    late.finish()
    stage.check(bucket)


def a_stale_writer_comes_after_a_delete(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    late = _look_that_has_read(stage, bucket)
    bucket.delete()
    stage.look(bucket).run()
    late.finish()
    stage.check(bucket)


def a_stale_writer_waits_for_a_newer_commit_of_a_new_key(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    late = _look_that_has_read(stage, bucket)
    bucket.put("second")
    newer = _look_that_has_read(stage, bucket)
    _commit_before(stage, newer, late.finish)
    stage.check(bucket)


def a_stale_writer_waits_for_a_newer_commit_of_a_known_key(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.put("second")
    late = _look_that_has_read(stage, bucket)
    late.confirm()
    bucket.delete()
    newer = _look_that_has_read(stage, bucket)
    _commit_before(stage, newer, late.commit)
    stage.check(bucket)


def a_writer_comes_after_an_older_version_was_found_unchanged(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.put("second")
    late = _look_that_has_read(stage, bucket)
    bucket.remove_newest()
    stage.look(bucket).run()
    late.finish()
    stage.check(bucket)


def a_late_unchanged_meets_a_row_that_was_replaced(stage: Stage) -> None:
    """By the commit of a look that had read before, and that nothing will correct."""
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.put("second")
    other = _look_that_has_read(stage, bucket)
    bucket.remove_newest()
    late = _look_that_has_read(stage, bucket)
    other.finish()
    late.finish()
    stage.check(bucket)


def a_late_unchanged_meets_a_row_of_a_later_look(stage: Stage) -> None:
    """Which holds the same version: a claim that fell would let the look in between commit."""
    bucket = BucketObject()
    bucket.put("first")
    late = _look_that_has_read(stage, bucket)
    bucket.put("second")
    between = _look_that_has_read(stage, bucket)
    bucket.remove_newest()
    stage.look(bucket).run()
    late.finish()
    between.finish()
    stage.check(bucket)


def an_unchanged_waits_for_a_newer_commit(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    late = _look_that_has_read(stage, bucket)
    bucket.put("second")
    newer = _look_that_has_read(stage, bucket)
    _commit_before(stage, newer, late.finish)
    stage.check(bucket)
    assert stage.claim_of(bucket.key) == newer.claim, "a row is under an older claim than that of its commit"


def the_same_bytes_come_again_with_other_metadata(stage: Stage) -> None:
    bucket = BucketObject()
    for text in ("first", "second", "first", "first"):
        bucket.put(text)
        stage.look(bucket).run()
        stage.check(bucket)


def another_object_comes_to_a_bucket_without_versions(stage: Stage) -> None:
    bucket = BucketObject(versioned=False)
    for text in ("first", "second", "second"):
        bucket.put(text)
        stage.look(bucket).run()
        stage.check(bucket)


def a_sidecar_comes_changes_and_goes(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    for metadata in ({"team": "a"}, {"team": "b"}, {}):
        bucket.describe(**metadata)
        stage.look(bucket).run()
        stage.check(bucket)


def a_sidecar_is_read_before_the_version_that_replaces_what_it_described(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.describe(team="a")
    torn = stage.look(bucket)
    torn.read_sidecar()
    bucket.put("second")
    torn.read_object()
    torn.finish()
    stage.check(bucket)


def a_late_sidecar_meets_a_newer_one(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.describe(team="a")
    late = _look_that_has_read(stage, bucket)
    bucket.describe(team="b")
    stage.look(bucket).run()
    late.finish()
    stage.check(bucket)


def a_reconciliation_repairs_what_no_event_told_of(stage: Stage) -> None:
    bucket = BucketObject()
    bucket.put("first")
    stage.look(bucket).run()
    bucket.put("second")
    stage.repair(bucket).run()
    stage.check(bucket)


def a_reader_looks_between_the_steps_of_a_swap(stage: Stage) -> None:
    bucket = BucketObject()
    changes: list[Callable[[], None]] = [
        lambda: bucket.put("first 1", "first 2", "first 3"),
        lambda: bucket.put("second 1", "second 2"),
        bucket.delete,
    ]
    seen: list[Shown | None] = []
    for change in changes:
        seen.append(stage.shown(bucket.key))
        change()
        whole = seen[-1], shown_of(bucket)
        look = _look_that_has_read(stage, bucket)
        before = len(seen)
        look.commit(after_each_step=lambda: seen.append(stage.shown(bucket.key)))
        mixed = [one for one in seen[before:] if one not in whole]
        assert len(seen) > before, "nobody read"
        assert not mixed, f"a reader sees no whole version: {mixed}"
        stage.check(bucket)


def two_documents_are_committed_at_once(stage: Stage) -> None:
    """Neither waits for the other, even if both hold the same text."""
    first, second = BucketObject("a.txt"), BucketObject("b.txt")
    for text in ("one", "two"):
        first.put(text)
        second.put(text)
        look, other = _look_that_has_read(stage, first), _look_that_has_read(stage, second)
        other.wait_for_no_lock()

        def commit_other(other: Look = other) -> None:
            try:
                other.commit()
            except DeadlineExceeded as error:
                raise AssertionError("a commit waits for that of another document") from error

        look.commit(at_the_end=commit_other)
        stage.check(first)
        stage.check(second)


SCENARIOS: tuple[Scenario, ...] = (
    a_stale_writer_comes_after_a_newer_commit,
    a_stale_writer_comes_after_a_delete,
    a_stale_writer_waits_for_a_newer_commit_of_a_new_key,
    a_stale_writer_waits_for_a_newer_commit_of_a_known_key,
    a_writer_comes_after_an_older_version_was_found_unchanged,
    a_late_unchanged_meets_a_row_that_was_replaced,
    a_late_unchanged_meets_a_row_of_a_later_look,
    an_unchanged_waits_for_a_newer_commit,
    the_same_bytes_come_again_with_other_metadata,
    another_object_comes_to_a_bucket_without_versions,
    a_sidecar_comes_changes_and_goes,
    a_sidecar_is_read_before_the_version_that_replaces_what_it_described,
    a_late_sidecar_meets_a_newer_one,
    a_reconciliation_repairs_what_no_event_told_of,
    a_reader_looks_between_the_steps_of_a_swap,
    two_documents_are_committed_at_once,
)


def _look_that_has_read(stage: Stage, bucket: BucketObject) -> Look:
    look = stage.look(bucket)
    look.read()
    return look


def _commit_before(stage: Stage, newer: Look, late: Callable[[], object]) -> None:
    """Commits ``newer`` while ``late``, which is begun within its transaction, waits for its lock."""
    begun: list[Future[object]] = []

    def let_wait() -> None:
        begun.append(pool.submit(late))
        while not stage.somebody_waits:
            assert not begun[0].done(), "a stale writer does not wait for the newer commit"

    with ThreadPoolExecutor(1) as pool:
        newer.commit(at_the_end=let_wait)
        begun[0].result()
