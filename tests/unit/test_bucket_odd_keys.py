"""A missing key that XML cannot hold: boto3 cannot read S3's reply, and the key is missing all the same."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from bucketwise.errors import BucketUnavailable
from ingest.bucket import S3Bucket

NO_SUCH_KEY = "<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Key>{}</Key></Error>"
DENIED = "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Resource>{}</Resource></Error>"
NO_SUCH_BUCKET = "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><BucketName>documents</BucketName></Error>"
IN_NO_XML = ["a\x07.txt", "\x1b[31m.txt", "\x0b", "\uffff.txt"]


class Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def bucket_that_answers(status: int, body: str) -> S3Bucket:
    """boto3 reads this reply as it would S3's."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")

    def reply(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, {"Content-Type": "application/xml"}, Body(body.encode()))

    client.meta.events.register("before-send.s3.GetObject", reply)
    return S3Bucket(client, "documents")


def opened(bucket: S3Bucket, key: str) -> object:
    with bucket.open(key) as found:
        return found


Look = Callable[[S3Bucket, str], object]
looks = pytest.mark.parametrize("look", [opened, S3Bucket.sidecar])


@looks
@pytest.mark.parametrize("key", [*IN_NO_XML, "a.txt", "line\nbreak.txt", "\ufffd\U0001f682.txt"])
def test_a_missing_key_is_none_whatever_it_holds(look: Look, key: str) -> None:
    written = "".join(f"&#{ord(character)};" for character in key)
    assert look(bucket_that_answers(404, NO_SUCH_KEY.format(written)), key) is None
    assert look(bucket_that_answers(404, NO_SUCH_KEY.format(key)), key) is None


@looks
@pytest.mark.parametrize("key", [*IN_NO_XML, "a.txt"])
def test_another_refusal_is_an_outage_whatever_the_key_holds(look: Look, key: str) -> None:
    for status, body in [(404, NO_SUCH_BUCKET), (403, DENIED.format(key)), (503, "")]:
        with pytest.raises(BucketUnavailable, match=str(status)):
            look(bucket_that_answers(status, body), key)


@looks
def test_a_reply_that_cannot_be_read_means_nothing_for_a_key_that_xml_can_hold(look: Look) -> None:
    with pytest.raises(BucketUnavailable, match="404"):
        look(bucket_that_answers(404, "<html>a proxy's page"), "a.txt")
