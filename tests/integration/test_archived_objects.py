"""Objects in an archive are known as such, and of those that were indexed before, the text stays."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest.receipts import Outcome
from local.storage.client import Storage
from tests.integration import folder_bucket as worlds
from tests.integration.folder_bucket import FolderBucket, folder_bucket
from tests.integration.index_database import IndexDatabase

TEXT = "Trains leave at noon."


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["versioned", "unversioned"])
def any_world(
    storage: Storage, index_database: IndexDatabase, request: pytest.FixtureRequest
) -> Iterator[FolderBucket]:
    with folder_bucket(storage, index_database, folders=False, versioned=request.param) as world:
        yield world


@pytest.fixture
def world(storage: Storage, index_database: IndexDatabase) -> Iterator[FolderBucket]:
    """Without versioning: with it, the twin's S3 can archive nothing without making another version of it."""
    with folder_bucket(storage, index_database, folders=False, versioned=False) as world:
        yield world


def archive(world: FolderBucket, key: str) -> None:
    """As a lifecycle rule does it, but for the time that S3 shows."""
    source = {"Bucket": world.bucket, "Key": key}
    world.s3.copy_object(**source, CopySource=source, StorageClass="GLACIER", MetadataDirective="COPY")


def texts(world: FolderBucket) -> dict[str, str]:
    return {key: text for (_, key), text in world.held().items()}


def test_an_archived_object_fails_and_is_left_alone_until_it_is_retried_after_being_restored(
    any_world: FolderBucket,
) -> None:
    world = any_world
    world.s3.put_object(Bucket=world.bucket, Key="old.txt", Body=TEXT.encode(), StorageClass="DEEP_ARCHIVE")
    world.follow()
    assert texts(world) == {"old.txt": "archived"}
    [[hint]] = world.rows("SELECT hint FROM bucketwise.documents WHERE key = 'old.txt'")
    assert "Restore" in hint
    assert world.reconcile().differences == 0
    world.look("old.txt", again=True)
    assert texts(world) == {"old.txt": "archived"}
    world.s3.restore_object(Bucket=world.bucket, Key="old.txt", RestoreRequest={"Days": 1})
    assert world.look("old.txt", again=True).outcome is Outcome.INDEXED
    assert texts(world) == {"old.txt": TEXT}
    assert world.reconcile().differences == 0


def test_the_text_of_an_object_that_is_archived_later_stays(
    world: FolderBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("old.txt", TEXT)
    world.work()
    archive(world, "old.txt")
    world.follow()
    assert world.look("old.txt", again=True).outcome is Outcome.UNCHANGED
    monkeypatch.setattr(worlds, "CODE", "code 2")
    assert world.follow().differences == 1
    assert texts(world) == {"old.txt": TEXT}
    assert world.reconcile().differences == 0


def test_an_archived_object_is_described_by_its_sidecar_and_fails_by_one_that_is_archived(world: FolderBucket) -> None:
    world.put("old.txt", TEXT)
    world.work()
    archive(world, "old.txt")
    world.s3.put_object(Bucket=world.bucket, Key="old.txt.metadata.json", Body=b'{"team": "ops"}')
    world.follow()
    assert world.rows("SELECT metadata FROM bucketwise.documents WHERE key = 'old.txt'") == [({"team": "ops"},)]
    archive(world, "old.txt.metadata.json")
    assert world.look("old.txt").outcome is Outcome.UNCHANGED
    assert texts(world) == {"old.txt": TEXT}
    world.put("old.txt", "Trains leave at one.")
    world.work()
    assert texts(world) == {"old.txt": "bad_metadata"}
    assert world.reconcile().differences == 0


def test_another_object_that_is_archived_takes_the_place_of_what_was_indexed(world: FolderBucket) -> None:
    world.put("old.txt", TEXT)
    world.work()
    world.s3.put_object(Bucket=world.bucket, Key="old.txt", Body=b"Other text.", StorageClass="GLACIER")
    world.follow()
    assert texts(world) == {"old.txt": "archived"}
    assert world.reconcile().differences == 0


def test_nothing_is_kept_of_an_archived_object_whose_folder_can_be_no_tenant(world: FolderBucket) -> None:
    world.put("//x.txt", TEXT)
    world.work()
    archive(world, "//x.txt")
    world.follow()
    world.tenancy = replace(world.tenancy, folders=True)
    world.follow()
    assert texts(world) == {"//x.txt": "bad_folder"}
    assert world.reconcile().differences == 0
