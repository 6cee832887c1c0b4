"""What S3 answers of an object that describes another one becomes a sidecar, None, or BucketUnavailable."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from bucketwise.errors import BucketUnavailable, UnreadableDocument
from ingest.bucket import MOST_KEY_BYTES, S3Bucket
from ingest.sidecar import MOST_BYTES, SUFFIX, Sidecar
from tests.unit.stubbed_s3 import client, s3

__all__ = ["client", "s3"]

KEY = "a b.txt"


@pytest.fixture
def bucket(client: Any) -> S3Bucket:
    return S3Bucket(client, "documents")


def answer(s3: Stubber, content: bytes, *, length: int | None = None) -> io.BytesIO:
    body = io.BytesIO(content)
    size = len(content) if length is None else length
    modified = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)
    reply = {"Body": StreamingBody(body, size), "ETag": '"abc"', "ContentLength": size, "LastModified": modified}
    s3.add_response("get_object", reply, {"Bucket": "documents", "Key": f"{KEY}{SUFFIX}"})
    return body


def test_a_sidecar_is_read_whole(s3: Stubber, bucket: S3Bucket) -> None:
    body = answer(s3, b'{"team": "ops"}')
    assert bucket.sidecar(KEY) == Sidecar("abc", b'{"team": "ops"}')
    assert body.closed


def test_a_sidecar_is_read_no_further_than_it_may_go(s3: Stubber, bucket: S3Bucket) -> None:
    body = answer(s3, b"x" * 2 * MOST_BYTES)
    assert bucket.sidecar(KEY) == Sidecar("abc", b"x" * (MOST_BYTES + 1))
    assert body.closed


def test_no_sidecar_is_none_and_a_refusal_is_an_outage(s3: Stubber, bucket: S3Bucket) -> None:
    s3.add_client_error("get_object", "NoSuchKey", "", 404)
    assert bucket.sidecar(KEY) is None
    s3.add_client_error("get_object", "AccessDenied", "", 403)
    with pytest.raises(BucketUnavailable):
        bucket.sidecar(KEY)


def test_a_sidecar_that_was_cut_short_is_an_outage(s3: Stubber, bucket: S3Bucket) -> None:
    body = answer(s3, b"{}", length=5)
    with pytest.raises(BucketUnavailable):
        bucket.sidecar(KEY)
    assert body.closed


@pytest.mark.usefixtures("s3")
def test_where_a_sidecar_cannot_be_none_is_asked_for(client: Any, bucket: S3Bucket) -> None:
    assert bucket.sidecar("x" * (MOST_KEY_BYTES - len(SUFFIX) + 1)) is None
    assert S3Bucket(client, "documents", "docs/").sidecar("other/a.txt") is None


@pytest.mark.usefixtures("s3")
def test_a_file_in_a_folder_does_not_describe_the_folder(bucket: S3Bucket) -> None:
    assert bucket.sidecar("folder/") is None


def test_a_sidecar_that_is_archived_is_there_and_no_metadata(s3: Stubber, bucket: S3Bucket) -> None:
    name = {"Bucket": "documents", "Key": f"{KEY}{SUFFIX}"}
    s3.add_client_error("get_object", "InvalidObjectState", "", 403, expected_params=name)
    s3.add_response("head_object", {"ETag": '"abc"', "StorageClass": "GLACIER"}, name)
    sidecar = bucket.sidecar(KEY)
    assert sidecar == Sidecar("abc", None)
    assert sidecar is not None
    with pytest.raises(UnreadableDocument, match="bad_metadata") as raised:
        sidecar.metadata()
    assert "archived" in raised.value.hint
