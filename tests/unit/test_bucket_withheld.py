"""What S3 shows and does not give is a document that cannot be read; what it may say of all objects is an outage."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from bucketwise.errors import BucketUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from ingest.bucket import ObjectFacts, S3Bucket
from tests.unit.stubbed_s3 import client, s3

__all__ = ["client", "s3"]

MODIFIED = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)
NAME = {"Bucket": "documents", "Key": "a"}
FACTS = {"ETag": '"abc"', "ContentLength": 5, "LastModified": MODIFIED, "VersionId": "v1"}
RESTORED = 'ongoing-request="false", expiry-date="Fri, 13 Mar 2026 00:00:00 GMT"'
NEEDS_ITS_KEY = (
    "The object was stored using a form of Server Side Encryption. "
    "The correct parameters must be provided to retrieve the object."
)
LISTED = {"Key": "a", "VersionId": "v1", "IsLatest": True, "ETag": '"abc"', "Size": 5, "LastModified": MODIFIED}


@pytest.fixture
def bucket(client: Any) -> S3Bucket:
    return S3Bucket(client, "documents")


def refuse(s3: Stubber, code: str, message: str = "", *, status: int = 400, version: str | None = None) -> None:
    name = NAME | ({"VersionId": version} if version else {})
    s3.add_client_error("get_object", code, message, status, expected_params=name)


def facts_and_reason(bucket: S3Bucket) -> tuple[ObjectFacts, FailureReason]:
    with bucket.open("a") as found:
        assert found is not None
        with pytest.raises(UnreadableDocument) as raised:
            found.copy_to(io.BytesIO(), most_bytes=10)
    return found.facts, raised.value.reason


@pytest.mark.parametrize(
    "state",
    [
        {"StorageClass": "GLACIER"},
        {"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="true"'},
        {"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"},
    ],
    ids=["archived", "being restored", "by access"],
)
def test_an_archived_object_is_one_that_cannot_be_read(s3: Stubber, bucket: S3Bucket, state: dict[str, str]) -> None:
    refuse(s3, "InvalidObjectState", status=403)
    s3.add_response("head_object", FACTS | {"Metadata": {"team": "ops"}} | state, NAME)
    expected = ObjectFacts("a", "v1", "abc", 5, None, MODIFIED, {"team": "ops"}, archived=True)
    assert facts_and_reason(bucket) == (expected, FailureReason.ARCHIVED)


def test_a_restored_object_is_read_as_any(s3: Stubber, bucket: S3Bucket) -> None:
    body = {"Body": StreamingBody(io.BytesIO(b"hello"), 5)}
    s3.add_response("get_object", FACTS | body | {"StorageClass": "GLACIER", "Restore": RESTORED}, NAME)
    content = io.BytesIO()
    with bucket.open("a") as found:
        assert found is not None
        found.copy_to(content, most_bytes=5)
    assert (found.facts.archived, content.getvalue()) == (False, b"hello")


@pytest.mark.parametrize("state", [{}, {"StorageClass": "GLACIER", "Restore": RESTORED}], ids=["other", "restored"])
def test_what_is_no_longer_archived_when_it_is_looked_at_is_looked_at_again(
    s3: Stubber, bucket: S3Bucket, state: dict[str, str]
) -> None:
    refuse(s3, "InvalidObjectState", status=403)
    s3.add_response("head_object", FACTS | state, NAME)
    with pytest.raises(BucketUnavailable), bucket.open("a"):
        pytest.fail("another object than the one that was refused")


def test_an_archived_object_that_is_gone_a_moment_later_is_no_deletion(s3: Stubber, bucket: S3Bucket) -> None:
    refuse(s3, "InvalidObjectState", status=403)
    s3.add_client_error("head_object", "404", "", 404, expected_params=NAME)
    with pytest.raises(BucketUnavailable, match="404"), bucket.open("a"):
        pytest.fail("nothing was found")


@pytest.mark.parametrize("version", ["v1", "null"])
def test_an_object_under_its_uploaders_own_key_is_encrypted(s3: Stubber, bucket: S3Bucket, version: str) -> None:
    refuse(s3, "InvalidRequest", NEEDS_ITS_KEY)
    listed = {"Versions": [LISTED | {"VersionId": version}]}
    s3.add_response("list_object_versions", listed, {"Bucket": "documents", "Prefix": "a", "MaxKeys": 1})
    refuse(s3, "InvalidRequest", NEEDS_ITS_KEY, version=version)
    expected = ObjectFacts("a", version if version != "null" else None, "abc", 5, None, MODIFIED, {})
    assert facts_and_reason(bucket) == (expected, FailureReason.ENCRYPTED)


def test_a_version_that_was_stored_since_the_refusal_is_read(s3: Stubber, bucket: S3Bucket) -> None:
    refuse(s3, "InvalidRequest", NEEDS_ITS_KEY)
    s3.add_response("list_object_versions", {"Versions": [LISTED]})
    s3.add_response("get_object", FACTS | {"Body": StreamingBody(io.BytesIO(b"hello"), 5)}, NAME | {"VersionId": "v1"})
    content = io.BytesIO()
    with bucket.open("a") as found:
        assert found is not None
        found.copy_to(content, most_bytes=5)
    assert content.getvalue() == b"hello"


@pytest.mark.parametrize(
    "page", [{}, {"DeleteMarkers": [{"Key": "a", "IsLatest": True}]}, {"Versions": [LISTED | {"Key": "ab"}]}]
)
def test_an_encrypted_object_that_no_listing_shows_is_looked_at_again(
    s3: Stubber, bucket: S3Bucket, page: dict[str, Any]
) -> None:
    refuse(s3, "InvalidRequest", NEEDS_ITS_KEY)
    s3.add_response("list_object_versions", page)
    with pytest.raises(BucketUnavailable), bucket.open("a"):
        pytest.fail("nothing was found")


@pytest.mark.parametrize("denied", ["list_object_versions", "get_object"])
def test_a_right_that_is_missing_to_tell_is_an_outage(s3: Stubber, bucket: S3Bucket, denied: str) -> None:
    refuse(s3, "InvalidRequest", NEEDS_ITS_KEY)
    if denied == "get_object":
        s3.add_response("list_object_versions", {"Versions": [LISTED]})
    s3.add_client_error(denied, "AccessDenied", "", 403)
    with pytest.raises(BucketUnavailable, match="403"), bucket.open("a"):
        pytest.fail("nothing was found")
