"""The twin's S3 lists versions page by page, and goes on after any marker, as S3 does."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.storage.client import Storage

KEYS = ["a.txt", "b b.txt", "c+c.txt", "ü.txt", "日本.txt", "🚂.txt"]


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["versioned", "unversioned"])
def bucket(storage: Storage, request: pytest.FixtureRequest) -> str:
    name = uuid4().hex
    storage.create_bucket(name, versioned=request.param)
    for key in reversed(KEYS):
        for body in (b"old", b"new"):
            storage.s3.put_object(Bucket=name, Key=key, Body=body)
    return name


def entries(page: dict[str, Any]) -> list[tuple[str, str, bool]]:
    found = page.get("Versions", []) + page.get("DeleteMarkers", [])
    return [(item["Key"], item["VersionId"], item["IsLatest"]) for item in found]


def everything(storage: Storage, bucket: str, **options: Any) -> list[tuple[str, str, bool]]:
    pages = storage.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **options)
    return [entry for page in pages for entry in entries(page)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_of_any_size_give_what_one_page_gives(storage: Storage, bucket: str, size: int) -> None:
    whole = everything(storage, bucket)
    assert [key for key, _, latest in whole if latest] == KEYS
    assert everything(storage, bucket, PaginationConfig={"PageSize": size}) == whole


def test_a_listing_goes_on_after_a_key_whether_or_not_it_is_there(storage: Storage, bucket: str) -> None:
    for marker in (*KEYS, "", "a", "b b.txt~", "zz", "🚂🚂"):
        listed = {key for key, _, _ in everything(storage, bucket, KeyMarker=marker)}
        assert listed == {key for key in KEYS if key > marker}


def test_a_listing_goes_on_although_the_version_it_ended_with_was_removed(storage: Storage) -> None:
    bucket = uuid4().hex
    storage.create_bucket(bucket)
    for key in KEYS:
        storage.s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    first = storage.s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    key, version = first["NextKeyMarker"], first["NextVersionIdMarker"]
    storage.s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    rest = storage.s3.list_object_versions(Bucket=bucket, KeyMarker=key, VersionIdMarker=version)
    assert [entry[0] for entry in entries(rest)] == KEYS[2:]


def test_a_prefix_and_a_marker_go_together(storage: Storage, bucket: str) -> None:
    listed = everything(storage, bucket, Prefix="c", KeyMarker="a.txt")
    assert {key for key, _, _ in listed} == {"c+c.txt"}
    assert everything(storage, bucket, Prefix="c", KeyMarker="c+c.txt") == []


@pytest.mark.parametrize(
    "key", ["line\nbreak", "\x07\x1b[31m", "\u2028\x85", "\uffff", "a b+c%20d", "a*b~/..//", "]]>&<", "\ufeff\ufdd0"]
)
def test_a_listing_holds_any_key_that_s3_takes(storage: Storage, bucket: str, key: str) -> None:
    for prefix in ("", key, key[0]):
        listed = {each for each, _, _ in everything(storage, bucket, Prefix=prefix, PaginationConfig={"PageSize": 1})}
        assert listed == {each for each in KEYS if each.startswith(prefix)}
    version = storage.s3.put_object(Bucket=bucket, Key=key, Body=b"x").get("VersionId", "null")
    assert (key, version, True) in everything(storage, bucket, PaginationConfig={"PageSize": 1})
    assert everything(storage, bucket, Prefix=key) == [(key, version, True)]
    assert [each for each, _, _ in everything(storage, bucket, KeyMarker=key)] == [
        each for each, _, _ in everything(storage, bucket) if each > key
    ]
    assert storage.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
