"""Reads the event messages of the twin's S3, for tests of what it announces."""

import json
from typing import Any
from urllib.parse import unquote_plus

from local.storage.client import Storage

VERSIONED, PLAIN = "versioned-documents", "plain-documents"


class Inbox:
    """The queue that the events of one bucket go to."""

    def __init__(self, storage: Storage, bucket: str) -> None:
        self.url, _ = storage.create_queue("events", visibility_seconds=30, max_receives=3)
        self._sqs = storage.sqs
        self.take()
        storage.notify(bucket, self.url)
        assert [body["Event"] for body in self.take()] == ["s3:TestEvent"]

    def take(self) -> list[dict[str, Any]]:
        bodies = []
        while found := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def records(self) -> list[dict[str, Any]]:
        bodies = self.take()
        assert all(len(body["Records"]) == 1 for body in bodies)
        return [body["Records"][0] for body in bodies]

    def events(self) -> list[tuple[str, str]]:
        return [(r["eventName"], unquote_plus(r["s3"]["object"]["key"])) for r in self.records()]


def put(storage: Storage, key: str, body: bytes = b"text", bucket: str = VERSIONED) -> str:
    return str(storage.s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId"))


def read(storage: Storage, key: str, bucket: str = VERSIONED) -> bytes:
    content: bytes = storage.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content
