"""Services of AWS that take a connection and say nothing: no call outlasts its bounds, nor begins without the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bucketwise import aws_clients, secrets_manager
from bucketwise.aws_clients import PATIENT, PROMPT, Bounds, aws_client
from bucketwise.connection import open_connection
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketUnavailable, DeadlineExceeded, QueueUnavailable, SecretUnavailable
from bucketwise.ingest_queue import Errand, IngestQueue
from bucketwise.settings import Settings
from ingest.bucket import S3Bucket
from ingest.listing import BucketListing
from local.services import INGEST_SECONDS
from tests.integration.silent_servers import silent_server

# Of a machine that has other things to do too.
LATE_SECONDS = 4.0
HASTY = Bounds(connect=0.3, read=0.3, tries=2)


@pytest.fixture(autouse=True)
def silent_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    aws_clients.session.cache_clear()
    secrets_manager._client.cache_clear()
    with silent_server() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        yield
    secrets_manager._client.cache_clear()


@contextmanager
def ended_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds + LATE_SECONDS


def test_a_secret_is_given_up_in_time() -> None:
    with ended_within(PROMPT.seconds), pytest.raises(SecretUnavailable):
        secrets_manager.read_secret("login", Deadline.after(28))


def test_a_secret_that_might_not_come_in_time_is_not_asked_for() -> None:
    given = {"DATABASE_HOST": "127.0.0.1", "DATABASE_AUTH": "secret", "DATABASE_SECRET": "login"}
    with ended_within(0), pytest.raises(DeadlineExceeded):
        open_connection(Settings.from_environment(given), Deadline.after(PROMPT.seconds - 0.5))


def test_a_message_that_the_queue_does_not_take_is_given_up_in_time() -> None:
    queue = IngestQueue(aws_client("sqs", PROMPT), "http://127.0.0.1:9/1/queue", "documents")
    with ended_within(PROMPT.seconds), pytest.raises(QueueUnavailable):
        queue.send(["key"], Errand())


def test_an_object_or_a_listing_that_does_not_come_is_given_up_in_time() -> None:
    client = aws_client("s3", HASTY)
    with ended_within(HASTY.seconds), pytest.raises(BucketUnavailable), S3Bucket(client, "documents").open("key"):
        pass
    with ended_within(HASTY.seconds), pytest.raises(BucketUnavailable):
        next(BucketListing(client, "documents").after(""))


def test_ingest_survives_a_bucket_that_is_silent_at_each_of_a_looks_three_calls() -> None:
    assert 3 * PATIENT.seconds < INGEST_SECONDS  # else its worker would count as lost, and the document as poison
