"""The bucket's listing, from pages as boto3 gives them: what stands on top under each key, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bucketwise.errors import BucketUnavailable
from ingest.differences import ListedObject
from ingest.listing import BucketListing

THEN = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)


def version(key: str, number: str = "v1", *, latest: bool = True, size: int = 3) -> dict[str, Any]:
    return {
        "Key": key, "VersionId": number, "IsLatest": latest, "ETag": '"e1"', "Size": size, "LastModified": THEN,
    }  # fmt: skip


def marker(key: str, number: str = "m1", *, latest: bool = True) -> dict[str, Any]:
    return {"Key": key, "VersionId": number, "IsLatest": latest, "LastModified": THEN}


class Pages:
    """A client whose only answer is these pages; an error among them is raised in its turn."""

    def __init__(self, *pages: dict[str, Any] | Exception) -> None:
        self.pages = pages
        self.asked: dict[str, Any] = {}
        self.taken = 0

    def get_paginator(self, name: str) -> "Pages":
        assert name == "list_object_versions"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked = asked
        for page in self.pages:
            self.taken += 1
            if isinstance(page, Exception):
                raise page
            yield page


def after(client: Pages, key: str = "", prefix: str = "") -> list[ListedObject]:
    return list(BucketListing(client, "documents", prefix).after(key))


def test_versions_and_delete_markers_are_one_listing_in_the_order_of_keys() -> None:
    page = {"Versions": [version("a"), version("c"), version("ü")], "DeleteMarkers": [marker("b"), marker("z")]}
    assert [(found.key, found.present) for found in after(Pages(page))] == [
        ("a", True), ("b", False), ("c", True), ("z", False), ("ü", True),
    ]  # fmt: skip


def test_only_what_is_on_top_counts_however_many_pages_lie_below() -> None:
    old = [{"Versions": [version("a", f"v{n}", latest=False), version("a", f"w{n}", latest=False)]} for n in range(5)]
    below = {"Versions": [version("a", "v0", latest=False), version("b")], "DeleteMarkers": [marker("a", latest=False)]}
    pages = Pages({"Versions": [version("a", "v9")]}, *old, below)
    assert [(found.key, found.version) for found in after(pages)] == [("a", "v9"), ("b", "v1")]


def test_an_object_is_as_listed_and_a_bucket_without_versioning_names_no_version() -> None:
    [found] = after(Pages({"Versions": [version("a", "null", size=7)]}))
    assert found == ListedObject("a", None, "e1", 7, THEN)


def test_the_mark_of_a_folder_is_no_document() -> None:
    page = {"Versions": [version("reports/", size=0), version("reports/a", size=0), version("odd/", size=1)]}
    assert {found.key: found.present for found in after(Pages(page))} == {
        "reports/": False, "reports/a": True, "odd/": True,
    }  # fmt: skip


def test_a_key_that_the_index_cannot_keep_is_left_out() -> None:
    assert [found.key for found in after(Pages({"Versions": [version("a\0b"), version("b")]}))] == ["b"]


def test_it_asks_for_what_comes_after_a_key_and_takes_no_other() -> None:
    pages = Pages({"Versions": [version("a"), version("b"), version("b", "v0", latest=False), version("c")]})
    assert [found.key for found in after(pages, "b", "p/")] == ["c"]
    assert pages.asked == {"Bucket": "documents", "Prefix": "p/", "KeyMarker": "b"}
    after(pages)
    assert pages.asked == {"Bucket": "documents", "Prefix": ""}


def test_pages_are_asked_for_one_by_one() -> None:
    pages = Pages(*({"Versions": [version(key)]} for key in "abc"))
    listing = BucketListing(pages, "documents").after("")
    assert [next(listing).key, pages.taken, next(listing).key, pages.taken] == ["a", 1, "b", 2]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "ListObjectVersions"),
        ReadTimeoutError(endpoint_url="http://s3"),
    ],
)
def test_a_bucket_that_cannot_be_listed_is_unavailable_and_not_empty(error: Exception) -> None:
    with pytest.raises(BucketUnavailable):
        after(Pages({"Versions": [version("a")]}, error))
