"""What S3 answers, as botocore reports it, becomes facts, None, or BucketUnavailable, and never a false deletion."""

import errno
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from bucketwise.errors import BucketUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from ingest.bucket import PIECE, ObjectFacts, S3Bucket, StoredObject
from tests.unit.stubbed_s3 import client, s3

__all__ = ["client", "s3"]

MODIFIED = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)
SECRET = "s3cret text of S3"


class Body(io.BytesIO):
    """Bytes of a reply, which may not be read when only facts are wanted."""

    def __init__(self, content: bytes, *, readable: bool = True) -> None:
        super().__init__(content)
        self._readable = readable

    def read(self, size: int | None = -1, /) -> bytes:
        assert self._readable
        return super().read(size)


class UnreachableClient:
    """Behaves as a client without network."""

    exceptions: Any

    def __init__(self, real: Any) -> None:
        self.exceptions = real.exceptions

    def get_object(self, **_: str) -> dict[str, Any]:
        raise EndpointConnectionError(endpoint_url=f"https://{SECRET}")


@pytest.fixture
def bucket(client: Any) -> S3Bucket:
    return S3Bucket(client, "documents")


def answer(
    s3: Stubber, body: Body, *, length: int | None = None, version: str | None = "v1", key: str = "a b.txt"
) -> None:
    size = len(body.getvalue()) if length is None else length
    reply = {
        "Body": StreamingBody(body, size),
        "ETag": '"abc"',
        "ContentLength": size,
        "ContentType": "text/plain",
        "LastModified": MODIFIED,
        "Metadata": {"team": "ops"},
        **({"VersionId": version} if version is not None else {}),
    }
    s3.add_response("get_object", reply, {"Bucket": "documents", "Key": key})


def read(bucket: S3Bucket, *, most_bytes: int) -> bytes:
    with bucket.open("a b.txt") as found:
        return copied(found, most_bytes=most_bytes)


def copied(found: StoredObject | None, *, most_bytes: int) -> bytes:
    assert found is not None
    file = io.BytesIO()
    found.copy_to(file, most_bytes=most_bytes)
    return file.getvalue()


def test_facts_and_body_come_from_one_reply(s3: Stubber, bucket: S3Bucket) -> None:
    answer(s3, Body(b"hello"))
    with bucket.open("a b.txt") as found:
        assert copied(found, most_bytes=5) == b"hello"
    assert found is not None
    assert found.facts == ObjectFacts("a b.txt", "v1", "abc", 5, "text/plain", MODIFIED, {"team": "ops"})


@pytest.mark.parametrize("version", ["null", None])
def test_an_object_of_a_bucket_without_versioning_has_no_version(
    s3: Stubber, bucket: S3Bucket, version: str | None
) -> None:
    answer(s3, Body(b"hello"), version=version)
    with bucket.open("a b.txt") as found:
        assert found is not None
        assert found.facts.version is None


def test_an_object_without_type_and_metadata_is_read_all_the_same(s3: Stubber, bucket: S3Bucket) -> None:
    body = StreamingBody(Body(b""), 0)
    s3.add_response("get_object", {"Body": body, "ETag": '"e"', "ContentLength": 0, "LastModified": MODIFIED})
    with bucket.open("a b.txt") as found:
        assert found is not None
        assert (found.facts.content_type, found.facts.metadata) == (None, {})


def test_a_body_is_copied_whole_a_piece_at_a_time(s3: Stubber, bucket: S3Bucket) -> None:
    content = bytes(range(256)) * (3 * PIECE // 256) + b"end"
    answer(s3, Body(content))
    assert read(bucket, most_bytes=len(content)) == content


@pytest.mark.parametrize("key", ["folder/", "a/folder/"])
def test_an_empty_object_with_a_slash_at_its_end_marks_a_folder_and_is_no_document(
    s3: Stubber, bucket: S3Bucket, key: str
) -> None:
    answer(s3, Body(b""), key=key)
    with bucket.open(key) as found:
        assert found is None


@pytest.mark.parametrize(("key", "content"), [("folder/", b"x"), ("folder", b"")])
def test_an_object_that_only_looks_like_a_folder_is_a_document(
    s3: Stubber, bucket: S3Bucket, key: str, content: bytes
) -> None:
    answer(s3, Body(content), key=key)
    with bucket.open(key) as found:
        assert found is not None


@pytest.mark.parametrize("key", ["other/a.txt", "docs", "Docs/a.txt", "a/docs/a.txt"])
@pytest.mark.usefixtures("s3")
def test_what_does_not_begin_with_the_prefix_is_none_of_our_documents_and_is_not_asked_for(
    client: Any, key: str
) -> None:
    with S3Bucket(client, "documents", "docs/").open(key) as found:
        assert found is None


def test_what_begins_with_the_prefix_is_a_document(s3: Stubber, client: Any) -> None:
    answer(s3, Body(b"hello"), key="docs/a.txt")
    with S3Bucket(client, "documents", "docs/").open("docs/a.txt") as found:
        assert found is not None


def test_a_missing_key_is_none(s3: Stubber, bucket: S3Bucket) -> None:
    s3.add_client_error("get_object", "NoSuchKey", SECRET, 404)
    with bucket.open("a b.txt") as found:
        assert found is None


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", 403),
        ("NoSuchBucket", 404),
        ("404", 404),
        ("SlowDown", 503),
        ("InternalError", 500),
        ("KMS.DisabledException", 400),
        ("InvalidRequest", 400),
    ],
)
def test_any_other_refusal_is_an_outage_and_never_a_deletion(
    s3: Stubber, bucket: S3Bucket, code: str, status: int
) -> None:
    s3.add_client_error("get_object", code, SECRET, status)
    with pytest.raises(BucketUnavailable, match=str(status)) as raised, bucket.open("a b.txt"):
        pytest.fail("nothing was found")
    assert SECRET not in str(raised.value)


def test_an_unreachable_s3_is_an_outage(client: Any) -> None:
    with pytest.raises(BucketUnavailable) as raised, S3Bucket(UnreachableClient(client), "documents").open("a b.txt"):
        pytest.fail("nothing was found")
    assert SECRET not in str(raised.value)


def test_a_body_that_was_cut_short_is_an_outage(s3: Stubber, bucket: S3Bucket) -> None:
    body = Body(b"hel")
    answer(s3, body, length=5)
    with pytest.raises(BucketUnavailable):
        read(bucket, most_bytes=5)
    assert body.closed


def test_a_full_disk_is_not_the_buckets_fault(s3: Stubber, bucket: S3Bucket) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _content: object, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    answer(s3, Body(b"hello"))
    with bucket.open("a b.txt") as found:
        assert found is not None
        with pytest.raises(OSError, match="No space"):
            found.copy_to(FullDisk(), most_bytes=5)


def test_a_file_that_is_too_large_is_refused_before_a_byte_is_read(s3: Stubber, bucket: S3Bucket) -> None:
    answer(s3, Body(b"hello!", readable=False))
    with pytest.raises(UnreadableDocument) as raised:
        read(bucket, most_bytes=5)
    assert raised.value.reason is FailureReason.TOO_LARGE
    assert "MAX_DOCUMENT_BYTES" in raised.value.hint


def test_the_body_is_closed_when_nobody_reads_it(s3: Stubber, bucket: S3Bucket) -> None:
    body = Body(b"hello", readable=False)
    answer(s3, body)
    with bucket.open("a b.txt"):
        assert not body.closed
    assert body.closed


def test_the_body_is_closed_when_the_work_on_it_fails(s3: Stubber, bucket: S3Bucket) -> None:
    body = Body(b"hello")
    answer(s3, body)
    with pytest.raises(ZeroDivisionError), bucket.open("a b.txt"):
        raise ZeroDivisionError
    assert body.closed


def test_an_error_of_the_work_on_a_missing_object_stays_what_it_is(s3: Stubber, bucket: S3Bucket) -> None:
    s3.add_client_error("get_object", "NoSuchKey", SECRET, 404)
    with pytest.raises(ZeroDivisionError), bucket.open("a b.txt"):
        raise ZeroDivisionError
