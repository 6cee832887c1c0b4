"""The document of the check, in a real bucket: what it leaves, and what it leaves alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud_check.canary import Canary
from local.storage.client import Storage

BUCKET, PLAIN = "versioned", "plain"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as server:
        server.create_bucket(BUCKET)
        server.create_bucket(PLAIN, versioned=False)
        yield server


def versions(storage: Storage, bucket: str, prefix: str) -> list[dict[str, Any]]:
    listed = storage.s3.list_object_versions(Bucket=bucket, Prefix=prefix)
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]


@pytest.mark.parametrize("bucket", [BUCKET, PLAIN])
@pytest.mark.parametrize("deleted", [False, True])
def test_of_all_its_versions_none_is_left_and_a_key_that_begins_alike_stays(
    storage: Storage, bucket: str, deleted: bool
) -> None:
    canary = Canary.below("reports/", s3=storage.s3, bucket=bucket)
    storage.s3.put_object(Bucket=bucket, Key=f"{canary.key}.metadata.json", Body=b"{}")
    for number in canary.numbers:
        canary.put(number)
    if deleted:
        canary.delete()
    canary.erase()
    left = versions(storage, bucket, canary.key)
    assert [(each["Key"], each["IsLatest"]) for each in left] == [(f"{canary.key}.metadata.json", True)]


def test_an_object_that_has_the_key_already_is_neither_replaced_nor_deleted(storage: Storage) -> None:
    canary = Canary.below("reports/", s3=storage.s3, bucket=BUCKET)
    storage.s3.put_object(Bucket=BUCKET, Key=canary.key, Body=b"of somebody")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        canary.put(canary.numbers[0])
    canary.erase()
    assert storage.s3.get_object(Bucket=BUCKET, Key=canary.key)["Body"].read() == b"of somebody"
    assert len(versions(storage, BUCKET, canary.key)) == 1


def test_nothing_is_deleted_if_nothing_was_stored(storage: Storage) -> None:
    canary = Canary.below("", s3=storage.s3, bucket=BUCKET)
    canary.erase()
    assert versions(storage, BUCKET, canary.key) == []


def test_no_two_documents_share_a_key_a_word_or_a_number(storage: Storage) -> None:
    made = [Canary.below("", s3=storage.s3, bucket=BUCKET) for _ in range(50)]
    assert len({each.key for each in made}) == len({each.word for each in made}) == 50
    assert all(first != second for first, second in (each.numbers for each in made))
