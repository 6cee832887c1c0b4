"""S3 and SQS of the local twin, through boto3: events as S3 sends them, queues, and a state file."""

import http.client
import io
import urllib.request
from collections.abc import Iterator
from urllib.parse import unquote_plus, urlsplit

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from local.storage.client import Storage
from tests.integration.event_inbox import PLAIN, VERSIONED, Inbox, put, read

PARTS = TransferConfig(multipart_threshold=1, multipart_chunksize=5 * 1024 * 1024)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        running.create_bucket(VERSIONED)
        running.create_bucket(PLAIN, versioned=False)
        yield running


@pytest.fixture
def inbox(storage: Storage) -> Inbox:
    return Inbox(storage, VERSIONED)


@pytest.fixture
def plain_inbox(storage: Storage) -> Inbox:
    return Inbox(storage, PLAIN)


def test_a_put_event_has_every_field_that_s3_documents(storage: Storage, inbox: Inbox) -> None:
    version = put(storage, "fields.md", b"four")
    (record,) = inbox.records()
    assert record["eventVersion"] == "2.1"
    assert record["eventSource"] == "aws:s3"
    assert record["awsRegion"] == "us-east-1"
    assert record["eventTime"].endswith("Z")
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["userIdentity"]["principalId"]
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert record["responseElements"].keys() == {"x-amz-request-id", "x-amz-id-2"}
    assert record["s3"]["s3SchemaVersion"] == "1.0"
    assert record["s3"]["configurationId"]
    assert record["s3"]["bucket"]["name"] == VERSIONED
    assert record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{VERSIONED}"
    assert record["s3"]["bucket"]["ownerIdentity"]["principalId"]
    stored = record["s3"]["object"]
    assert int(stored.pop("sequencer"), 16) > 0
    etag = "8cbad96aced40b3838dd9f07f6ef5772"
    assert stored == {"key": "fields.md", "size": 4, "eTag": etag, "versionId": version}


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("red flower.jpg", "red+flower.jpg"),
        ("a+b/c&d=e.md", "a%2Bb/c%26d%3De.md"),
        ("prüfung/日本.md", "pr%C3%BCfung/%E6%97%A5%E6%9C%AC.md"),
        ("100%25/./x//y", "100%2525/./x//y"),
        ("/leading", "/leading"),
    ],
)
def test_keys_are_form_encoded_and_slashes_are_kept(storage: Storage, inbox: Inbox, key: str, sent: str) -> None:
    put(storage, key, b"x")
    (record,) = inbox.records()
    assert record["s3"]["object"]["key"] == sent
    assert unquote_plus(sent) == key
    assert read(storage, key) == b"x"


def test_sequencers_grow_with_every_change_of_a_key(storage: Storage, inbox: Inbox) -> None:
    for _ in range(3):
        put(storage, "grows.md")
    sequencers = [record["s3"]["object"]["sequencer"] for record in inbox.records()]
    assert len(set(sequencers)) == 3
    assert sequencers == sorted(sequencers)
    assert {len(value) for value in sequencers} == {16}


def test_an_upload_in_parts_sends_one_event_and_stores_the_bytes(storage: Storage, inbox: Inbox) -> None:
    content = bytes(range(256)) * 43_000  # 11 MB: three parts
    storage.s3.upload_fileobj(io.BytesIO(content), VERSIONED, "parts.bin", Config=PARTS)
    (record,) = inbox.records()
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert record["s3"]["object"]["size"] == len(content)
    assert record["s3"]["object"]["eTag"].endswith("-3")
    assert read(storage, "parts.bin") == content


def test_a_repeated_completion_of_an_upload_sends_no_second_event(storage: Storage, inbox: Inbox) -> None:
    where = {"Bucket": VERSIONED, "Key": "twice.bin"}
    where["UploadId"] = storage.s3.create_multipart_upload(**where)["UploadId"]
    etag = storage.s3.upload_part(**where, PartNumber=1, Body=b"part")["ETag"]
    assert inbox.events() == []
    for _ in range(2):
        storage.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert inbox.events() == [("ObjectCreated:CompleteMultipartUpload", "twice.bin")]


def test_a_copy_sends_a_copy_event_for_the_new_key(storage: Storage, inbox: Inbox) -> None:
    put(storage, "origin.md")
    storage.s3.copy_object(Bucket=VERSIONED, Key="copy.md", CopySource={"Bucket": VERSIONED, "Key": "origin.md"})
    assert inbox.events()[1:] == [("ObjectCreated:Copy", "copy.md")]


def test_a_form_upload_sends_a_post_event(storage: Storage, inbox: Inbox) -> None:
    form = storage.s3.generate_presigned_post(VERSIONED, "posted.md")
    fields = [*form["fields"].items(), ("file", "posted text")]
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    body = ("".join(parts) + "--edge--\r\n").encode()
    urllib.request.urlopen(urllib.request.Request(form["url"], body, headers, method="POST")).close()  # noqa: S310
    assert inbox.events() == [("ObjectCreated:Post", "posted.md")]
    assert read(storage, "posted.md") == b"posted text"


def test_deleting_in_a_versioned_bucket_makes_a_marker_and_deleting_the_marker_revives_the_object(
    storage: Storage, inbox: Inbox
) -> None:
    put(storage, "revived.md", b"old")
    marker = storage.s3.delete_object(Bucket=VERSIONED, Key="revived.md")["VersionId"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        read(storage, "revived.md")
    storage.s3.delete_object(Bucket=VERSIONED, Key="revived.md", VersionId=marker)
    _, made, removed = inbox.records()
    assert made["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert removed["eventName"] == "ObjectRemoved:Delete"
    assert made["s3"]["object"]["versionId"] == removed["s3"]["object"]["versionId"] == marker
    assert "size" not in removed["s3"]["object"]
    assert read(storage, "revived.md") == b"old"


def test_deleting_the_current_version_sends_a_delete_event_and_revives_the_one_before(
    storage: Storage, inbox: Inbox
) -> None:
    put(storage, "versions.md", b"old")
    current = put(storage, "versions.md", b"new")
    storage.s3.delete_object(Bucket=VERSIONED, Key="versions.md", VersionId=current)
    removed = inbox.records()[-1]
    assert removed["eventName"] == "ObjectRemoved:Delete"
    assert removed["s3"]["object"]["versionId"] == current
    assert read(storage, "versions.md") == b"old"


def test_a_delete_in_a_bucket_without_versions_removes_the_object(storage: Storage, plain_inbox: Inbox) -> None:
    put(storage, "plain.md", bucket=PLAIN)
    put(storage, "plain.md", bucket=PLAIN)
    storage.s3.delete_object(Bucket=PLAIN, Key="plain.md")
    records = plain_inbox.records()
    assert [r["eventName"] for r in records] == ["ObjectCreated:Put"] * 2 + ["ObjectRemoved:Delete"]
    assert all("versionId" not in r["s3"]["object"] for r in records)


def test_a_batch_delete_sends_one_event_for_each_key_that_was_there(storage: Storage, plain_inbox: Inbox) -> None:
    for key in ("one +.md", "two/ü.md"):
        put(storage, key, bucket=PLAIN)
    plain_inbox.take()
    keys = [{"Key": "one +.md"}, {"Key": "two/ü.md"}, {"Key": "never there"}]
    storage.s3.delete_objects(Bucket=PLAIN, Delete={"Objects": keys})
    assert sorted(plain_inbox.events()) == [
        ("ObjectRemoved:Delete", "one +.md"),
        ("ObjectRemoved:Delete", "two/ü.md"),
    ]


@pytest.mark.parametrize(("bucket", "kind"), [(VERSIONED, "DeleteMarkerCreated"), (PLAIN, "Delete")])
def test_a_delete_played_as_lifecycle_expiry_sends_what_s3_sends_for_one(
    storage: Storage, bucket: str, kind: str
) -> None:
    inbox = Inbox(storage, bucket)
    put(storage, "expires.md", bucket=bucket)
    url = f"{storage.url}/{bucket}/expires.md"
    headers = {
        "x-twin-lifecycle": "true",
        "Authorization": "AWS4-HMAC-SHA256 Credential=twin/x/us-east-1/s3/aws4_request",
    }
    urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE")).close()  # noqa: S310
    expired = inbox.records()[-1]
    assert expired["eventName"] == f"LifecycleExpiration:{kind}"
    assert expired["eventVersion"] == "2.3"
    assert expired["requestParameters"]["sourceIPAddress"] == "s3.amazonaws.com"


def test_requests_that_change_no_object_send_no_event(storage: Storage, inbox: Inbox) -> None:
    put(storage, "quiet.md")
    inbox.take()
    s3, where = storage.s3, {"Bucket": VERSIONED, "Key": "quiet.md"}
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object_tagging(**where)
    s3.put_object_acl(**where, ACL="public-read")
    upload = s3.create_multipart_upload(**where)["UploadId"]
    s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"part")
    s3.abort_multipart_upload(**where, UploadId=upload)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**where, Body=b"x", IfNoneMatch="*")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="absent-bucket", Key="quiet.md", Body=b"x")
    s3.delete_object(**where, VersionId="absent")
    assert inbox.events() == []


def test_only_keys_under_the_prefix_are_announced(storage: Storage, inbox: Inbox) -> None:
    storage.notify(VERSIONED, inbox.url, prefix="inbox/")
    inbox.take()
    put(storage, "elsewhere/a.md")
    put(storage, "inbox/a.md")
    assert inbox.events() == [("ObjectCreated:Put", "inbox/a.md")]


def test_a_notification_needs_a_bucket_and_a_queue_that_exist(storage: Storage, inbox: Inbox) -> None:
    with pytest.raises(ValueError, match="there is no bucket absent"):
        storage.notify("absent", inbox.url)
    with pytest.raises(ValueError, match="there is no queue absent"):
        storage.notify(VERSIONED, f"{storage.url}/123456789012/absent")


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_presigned_upload_stores_its_bytes_whatever_its_content_type(
    storage: Storage, inbox: Inbox, media_type: str | None
) -> None:
    url = urlsplit(storage.s3.generate_presigned_url("put_object", {"Bucket": VERSIONED, "Key": "pre signed.md"}))
    connection = http.client.HTTPConnection(url.netloc)
    headers = {} if media_type is None else {"Content-Type": media_type}
    connection.request("PUT", f"{url.path}?{url.query}", b"a=b&c=d", headers)
    assert connection.getresponse().read() == b""
    connection.close()
    assert inbox.events() == [("ObjectCreated:Put", "pre signed.md")]
    assert read(storage, "pre signed.md") == b"a=b&c=d"


def test_a_bucket_can_be_named_in_the_host(storage: Storage, inbox: Inbox) -> None:
    url = urlsplit(storage.s3.generate_presigned_url("put_object", {"Bucket": VERSIONED, "Key": "host/ü 1.md"}))
    connection = http.client.HTTPConnection(url.netloc)
    path = url.path.removeprefix(f"/{VERSIONED}")
    connection.request("PUT", f"{path}?{url.query}", iter([b"by ", b"host"]), {"Host": f"{VERSIONED}.localhost"})
    assert connection.getresponse().status == 200
    connection.close()
    assert inbox.events() == [("ObjectCreated:Put", "host/ü 1.md")]
    assert read(storage, "host/ü 1.md") == b"by host"
