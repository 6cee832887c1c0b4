"""Whatever no event told of: reconcile finds it, has it looked at, and the index is what the bucket is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.storage.client import Storage
from tests.integration.index_database import IndexDatabase
from tests.integration.reconciled_bucket import World, reconciled_bucket

KEYS = [f"{number:02}.txt" for number in range(10)]
ODD = ["a b+c.txt", "ü/日本.txt", "🚂.txt", "100%.txt", "A.txt", "a.txt", "\uffee.txt", "x//y/../z.txt", "&<>'\".txt"]


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture
def world(storage: Storage, shared_index: IndexDatabase) -> Iterator[World]:
    with reconciled_bucket(storage, shared_index) as world:
        yield world


@pytest.fixture(params=[True, False], ids=["versioned", "unversioned"])
def any_world(storage: Storage, shared_index: IndexDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    with reconciled_bucket(storage, shared_index, versioned=request.param) as world:
        yield world


def fill(world: World, *keys: str) -> None:
    for key in keys:
        world.put(key, f"text of {key}\nshared")
    assert world.follow() == sorted(keys)


def test_the_first_pass_indexes_a_bucket_that_was_there_before(any_world: World) -> None:
    world = any_world
    for key in (*KEYS, *ODD):
        world.put(key, key)
    report = world.reconcile()
    assert (report.finished, report.looked_at, report.sent, report.drift) == (True, 19, 19, None)
    world.work()
    assert world.index() == {key: [key] for key in sorted((*KEYS, *ODD))}
    report = world.reconcile()
    assert (report.looked_at, report.differences, report.sent, report.drift) == (19, 0, 0, 0)


def test_a_lost_put_overwrite_or_delete_is_made_up_for(any_world: World) -> None:
    world = any_world
    fill(world, *KEYS)
    world.put("03.txt", "another text")
    world.put("99.txt", "a new one")
    world.delete("05.txt")
    world.put("07.txt", "?")
    assert world.reconcile().differences == 4
    assert world.work() == ["03.txt", "05.txt", "07.txt", "99.txt"]
    expected = {key: [f"text of {key}", "shared"] for key in KEYS if key not in {"05.txt", "07.txt"}}
    assert world.index() == expected | {"03.txt": ["another text"], "99.txt": ["a new one"]}
    assert world.follow() == []


def test_a_lost_removal_of_a_marker_or_a_version_is_made_up_for(world: World) -> None:
    fill(world, *KEYS)
    newer = world.put("02.txt", "newer")
    marker = world.delete("04.txt")
    assert world.follow() == ["02.txt", "04.txt"]
    world.delete("02.txt", newer)
    world.delete("04.txt", marker)
    assert world.follow() == ["02.txt", "04.txt"]
    assert world.index() == {key: [f"text of {key}", "shared"] for key in KEYS}


def test_a_document_that_is_gone_without_a_marker_is_buried(world: World) -> None:
    version = world.put("a.txt", "text")
    world.put("b.txt", "text")
    assert world.follow() == ["a.txt", "b.txt"]
    world.delete("a.txt", version)
    assert world.follow() == ["a.txt"]
    assert list(world.index()) == ["b.txt"]


def test_keys_with_many_versions_over_several_pages_are_compared_once(world: World) -> None:
    for key in KEYS[:3]:
        for number in range(7):
            world.put(key, f"{key} {number}")
            world.delete(key)
        world.put(key, f"{key} last")
    world.delete(KEYS[0])
    report = world.reconcile(step=2)
    assert (report.finished, report.looked_at, report.sent) == (True, 2, 2)
    world.work()
    assert world.index() == {key: [f"{key} last"] for key in KEYS[1:3]}


def test_in_a_bucket_without_versioning_the_same_bytes_again_are_a_change(
    storage: Storage, shared_index: IndexDatabase
) -> None:
    """Its metadata may be another."""
    with reconciled_bucket(storage, shared_index, versioned=False) as world:
        fill(world, "a.txt")
        assert world.reconcile().differences == 0
        world.execute(
            "UPDATE bucketwise.documents SET last_modified = last_modified - %s WHERE tenant = %s", timedelta(seconds=1)
        )
        assert world.follow() == ["a.txt"]


def test_what_cannot_be_read_is_looked_at_once(any_world: World) -> None:
    world = any_world
    world.put("a.txt", "?")
    assert world.follow() == ["a.txt"]
    assert world.follow() == []


def test_the_mark_of_a_folder_is_no_document(world: World) -> None:
    fill(world, "a.txt")
    world.s3.put_object(Bucket=world.bucket, Key="folder/", Body=b"")
    assert world.follow() == []


def test_documents_outside_of_a_narrower_prefix_are_buried_and_are_no_drift(world: World) -> None:
    fill(world, "reports/a.txt", "letters/b.txt", "z.txt")
    world.settings.prefix = "reports/"
    report = world.reconcile()
    assert (report.sent, report.drift) == (2, 0)
    assert world.work() == ["letters/b.txt", "z.txt"]
    assert list(world.index()) == ["reports/a.txt"]
    world.settings.prefix = ""
    assert world.follow() == ["letters/b.txt", "z.txt"]


def test_other_code_makes_every_document_anew_and_is_no_drift(any_world: World) -> None:
    world = any_world
    fill(world, *KEYS)
    world.put("bad.txt", "?")
    world.follow()
    world.settings.fingerprint = "code 2"
    report = world.reconcile()
    assert (report.sent, report.drift) == (11, 0)
    assert world.work() == [*KEYS, "bad.txt"]
    assert world.follow() == []


def test_drift_is_what_events_should_have_told_of_long_ago(world: World) -> None:
    fill(world, *KEYS)
    world.put("10.txt", "uploaded just now")
    world.delete("01.txt")
    assert (world.reconcile().drift, world.work()) == (0, ["01.txt", "10.txt"])
    [old] = world.s3.list_object_versions(Bucket=world.bucket, Prefix="02")["Versions"]
    world.delete("02.txt", old["VersionId"])
    assert (world.reconcile().drift, world.work()) == (1, ["02.txt"])


def test_a_deleted_document_has_no_chunks_and_no_vectors_after_the_next_pass(world: World) -> None:
    world.put("a.txt", "only in a\nshared")
    world.put("b.txt", "shared")
    world.follow()
    world.delete("a.txt")
    world.follow()
    report = world.reconcile()
    assert (report.finished, report.collected) == (True, 1)
    assert world.index() == {"b.txt": ["shared"]}
    assert (world.tenant.texts("a.txt"), world.tenant.released("a.txt"), world.tenant.vectors) == ([], set(), 1)


def test_an_earlier_text_may_come_back(world: World) -> None:
    for text in ("A", "B", "A"):
        world.put("a.txt", text)
        world.follow()
        assert world.index() == {"a.txt": [text]}
    world.reconcile()
    assert (world.index(), world.tenant.vectors) == ({"a.txt": ["A"]}, 1)
