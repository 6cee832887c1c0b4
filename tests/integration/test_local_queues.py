"""What the ingest side relies on in SQS, and that the twin's state outlives its server."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.process import ServerDied
from local.storage.client import Storage


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


def receive(storage: Storage, url: str, *, wait: int = 0) -> list[dict[str, Any]]:
    reply = storage.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, AttributeNames=["ApproximateReceiveCount"]
    )
    messages: list[dict[str, Any]] = reply.get("Messages", [])
    return messages


def test_a_message_comes_back_after_its_visibility_timeout_and_then_goes_to_the_dead_letter_queue(
    storage: Storage,
) -> None:
    url, dead = storage.create_queue("redrive", visibility_seconds=1, max_receives=2)
    storage.sqs.send_message(QueueUrl=url, MessageBody="poison")
    (first,) = receive(storage, url)
    assert receive(storage, url) == []
    (second,) = receive(storage, url, wait=3)
    assert [m["Attributes"]["ApproximateReceiveCount"] for m in (first, second)] == ["1", "2"]
    assert receive(storage, url, wait=2) == []
    assert [m["Body"] for m in receive(storage, dead)] == ["poison"]


def test_a_changed_visibility_brings_a_message_back_at_once(storage: Storage) -> None:
    url, _ = storage.create_queue("visible", visibility_seconds=60, max_receives=5)
    storage.sqs.send_message(QueueUrl=url, MessageBody="again")
    (message,) = receive(storage, url)
    storage.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(receive(storage, url, wait=2)) == 1


def test_a_delayed_message_is_invisible_until_its_time(storage: Storage) -> None:
    url, _ = storage.create_queue("delayed", visibility_seconds=60, max_receives=5)
    storage.sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert receive(storage, url) == []
    assert len(receive(storage, url, wait=3)) == 1


def test_a_waiting_receiver_does_not_block_others_and_gets_what_arrives(storage: Storage) -> None:
    url, _ = storage.create_queue("waiting", visibility_seconds=60, max_receives=5)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receive, storage, url, wait=10)
        time.sleep(0.3)
        began = time.monotonic()
        storage.sqs.send_message(QueueUrl=url, MessageBody="hello")
        assert [m["Body"] for m in waiting.result()] == ["hello"]
        assert time.monotonic() - began < 5


def test_no_message_is_lost_or_given_twice_when_many_send_and_receive(storage: Storage) -> None:
    url, _ = storage.create_queue("busy", visibility_seconds=60, max_receives=5)
    sent = [f"message {n}" for n in range(120)]
    received: list[str] = []
    done = threading.Event()

    def consume() -> None:
        while not done.is_set():
            for message in receive(storage, url):
                storage.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                received.append(message["Body"])

    with ThreadPoolExecutor(6) as pool:
        consumers = [pool.submit(consume) for _ in range(3)]
        try:
            list(pool.map(lambda body: storage.sqs.send_message(QueueUrl=url, MessageBody=body), sent))
            deadline = time.monotonic() + 10
            while len(received) < len(sent) and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            done.set()
        for consumer in consumers:
            consumer.result()
    assert Counter(received) == Counter(sent)


def test_a_queue_made_again_keeps_its_messages_and_takes_the_new_settings(storage: Storage) -> None:
    url, _ = storage.create_queue("again", visibility_seconds=60, max_receives=5)
    storage.sqs.send_message(QueueUrl=url, MessageBody="kept")
    assert storage.create_queue("again", visibility_seconds=7, max_receives=3)[0] == url
    attributes = storage.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "7"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 3
    assert [m["Body"] for m in receive(storage, url)] == ["kept"]


def test_objects_versions_queues_and_notifications_outlive_the_server(tmp_path: Path) -> None:
    where = {"Bucket": "kept-documents", "Key": "a b/ü.md"}
    with Storage.start(tmp_path / "state") as first:
        first.create_bucket("kept-documents")
        url, _ = first.create_queue("kept", visibility_seconds=60, max_receives=5)
        first.notify("kept-documents", url)
        old = first.s3.put_object(**where, Body=b"old", Metadata={"origin": "test"})["VersionId"]
        new = first.s3.put_object(**where, Body=b"new", ContentType="text/markdown")["VersionId"]
        upload = first.s3.create_multipart_upload(**where)["UploadId"]
        part = first.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"joined")["ETag"]
    with Storage.start(tmp_path / "state") as second:
        current, earlier = (second.s3.get_object(**where, VersionId=version) for version in (new, old))
        assert current["Body"].read() == b"new"
        assert current["ContentType"] == "text/markdown"
        assert earlier["Body"].read() == b"old"
        assert earlier["Metadata"] == {"origin": "test"}
        assert second.s3.get_object(**where)["VersionId"] == new
        second.s3.complete_multipart_upload(
            **where, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}
        )
        url, _ = second.create_queue("kept", visibility_seconds=60, max_receives=5)
        bodies = [json.loads(m["Body"]) for m in receive(second, url)]
    names = [body["Records"][0]["eventName"] for body in bodies if "Records" in body]
    created = ["ObjectCreated:Put", "ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload"]
    assert names == created


def test_changes_are_saved_soon_without_a_stop(tmp_path: Path) -> None:
    with Storage.start(tmp_path / "state") as storage:
        storage.create_bucket("kept-documents")
        storage.s3.put_object(Bucket="kept-documents", Key="a.md", Body=b"findable bytes")
        deadline = time.monotonic() + 5
        while not (saved := _content(tmp_path / "state")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert b"findable bytes" in saved


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("damage", [b"not a state file", None])
def test_a_damaged_state_file_is_put_aside_and_the_server_starts_empty(tmp_path: Path, damage: bytes | None) -> None:
    state = tmp_path / "state"
    with Storage.start(state) as storage:
        storage.create_bucket("lost-documents")
    damaged = state.read_bytes()[:-1] + b"!" if damage is None else damage
    state.write_bytes(damaged)
    with Storage.start(state) as storage:
        assert storage.s3.list_buckets()["Buckets"] == []
        assert "starting empty" in storage.log
    assert [path.read_bytes() for path in tmp_path.glob("state.unreadable-*")] == [damaged]


def test_a_port_that_is_taken_is_an_error_that_says_so(storage: Storage) -> None:
    port = int(storage.url.rpartition(":")[2])
    with pytest.raises(ServerDied, match=f"Port {port} is in use|Address already in use"):
        Storage.start(None, port=port)
