"""The twin's event source mapping against a real SQS protocol: what is deleted, what comes back, what is lost."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function

ROOT = Path(__file__).parents[2]
NAMES = itertools.count()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@dataclass
class Queue:
    """A queue with a dead letter queue, messages of which come back after a second."""

    sqs: Any
    received: Path
    url: str = field(init=False)
    dead_letters: str = field(init=False)

    def __post_init__(self) -> None:
        name = f"queue-{next(NAMES)}"
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}-dead"
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        attributes = {"VisibilityTimeout": "1", "RedrivePolicy": redrive}
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def send(self, *bodies: str) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def records(self) -> list[dict[str, Any]]:
        """What the handler was given, in order."""
        if not self.received.exists():
            return []
        return [json.loads(line) for line in self.received.read_text().splitlines()]

    def bodies(self) -> list[str]:
        return sorted(record["body"] for record in self.records())

    def dead(self) -> list[str]:
        reply = self.sqs.receive_message(QueueUrl=self.dead_letters, MaxNumberOfMessages=10)
        return sorted(message["Body"] for message in reply.get("Messages", []))


@pytest.fixture
def queue(endpoint: str, tmp_path: Path) -> Queue:
    return Queue(client(endpoint), tmp_path / "received.jsonl")


def client(endpoint: str) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


Consume = Callable[..., EventSource]


@pytest.fixture
def consume(queue: Queue, tmp_path: Path) -> Iterator[Consume]:
    """Starts a consumer of the queue."""
    with ExitStack() as stack:

        def start(*, handler: str = "consume", timeout_seconds: float = 5, **settings: Any) -> EventSource:
            configuration = Configuration(
                name="consumer",
                handler=f"tests.integration.handlers_for_tests.{handler}",
                log_file=tmp_path / "consumer.log",
                variables={"RECEIVED": str(queue.received)},
                paths=[ROOT],
                timeout_seconds=timeout_seconds,
            )
            function = stack.enter_context(Function(configuration, concurrency=2))
            source = EventSource(function, queue.url, queue.sqs, **settings)
            source.start()
            stack.callback(source.stop, timeout=0)  # its idle poll ends within a second, unattended
            return source

        yield start


def test_messages_that_succeed_are_deleted(queue: Queue, consume: Consume) -> None:
    queue.send("one", "two", "three")
    assert consume().wait_until_idle(10)
    assert queue.bodies() == ["one", "three", "two"]
    assert queue.dead() == []


def test_a_record_is_what_lambda_makes_of_a_message(queue: Queue, consume: Consume) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "event"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    sent = queue.sqs.send_message(QueueUrl=queue.url, MessageBody="ü", MessageAttributes=attributes)
    assert consume().wait_until_idle(10)
    [record] = queue.records()
    assert record["messageId"] == sent["MessageId"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].startswith("arn:aws:sqs:us-east-1:123456789012:queue-")
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"].keys() >= {
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    lists: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "kind": {"dataType": "String", "stringValue": "event", **lists},
        "raw": {"dataType": "Binary", "binaryValue": "AAE=", **lists},
    }


def test_of_a_batch_only_the_failed_message_comes_back(queue: Queue, consume: Consume) -> None:
    queue.send("one", "fail once", "two")
    assert consume().wait_until_idle(10)
    assert queue.bodies() == ["fail once", "fail once", "one", "two"]
    first, second = [record["at"] for record in queue.records() if record["body"] == "fail once"]
    assert second - first > 0.5, "not before the visibility timeout, but for the first one's cold start"
    assert queue.dead() == []


def test_without_partial_responses_a_result_that_names_failures_is_a_success(queue: Queue, consume: Consume) -> None:
    queue.send("fail", "one")
    assert consume(partial_responses=False).wait_until_idle(10)
    assert queue.bodies() == ["fail", "one"]


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(queue: Queue, consume: Consume) -> None:
    queue.send("fail", "one")
    assert consume().wait_until_idle(10)
    assert queue.bodies() == ["fail", "fail", "one"]
    assert queue.dead() == ["fail"]


@pytest.mark.parametrize("body", ["crash once", "hang once"])
def test_a_crash_or_a_time_out_loses_nothing(queue: Queue, consume: Consume, body: str) -> None:
    queue.send("one", body, "two")
    assert consume(timeout_seconds=0.5).wait_until_idle(10)
    assert queue.bodies() == sorted([body, "one", "two"] * 2)
    assert queue.dead() == []


def test_at_most_the_maximum_concurrency_of_batches_is_under_way(queue: Queue, consume: Consume) -> None:
    queue.send(*["sleep 0.3"] * 4)
    started = time.monotonic()
    assert consume(batch_size=1, maximum_concurrency=2).wait_until_idle(10)
    assert time.monotonic() - started > 0.6
    assert len(queue.records()) == 4


def test_a_queue_is_not_idle_while_a_message_is_delayed_or_in_a_handler(queue: Queue, consume: Consume) -> None:
    source = consume()
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="sleep 0.5", DelaySeconds=1)
    assert not source.wait_until_idle(0.5)
    assert source.wait_until_idle(10)
    assert queue.bodies() == ["sleep 0.5"]


def test_stopping_lets_a_batch_under_way_finish(queue: Queue, consume: Consume) -> None:
    source = consume()
    queue.send("sleep 0.5")
    while not queue.records():
        time.sleep(0.01)
    source.stop()
    assert source.wait_until_idle(1)


def test_an_endpoint_that_comes_back_is_polled_again(tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    queue = Queue(client(f"http://{host}:{port}"), tmp_path / "received.jsonl")
    configuration = Configuration(
        name="consumer",
        handler="tests.integration.handlers_for_tests.consume",
        log_file=tmp_path / "consumer.log",
        variables={"RECEIVED": str(queue.received)},
        paths=[ROOT],
    )
    with Function(configuration) as function:
        source = EventSource(function, queue.url, queue.sqs, maximum_concurrency=1)
        source.start()
        server.stop()
        time.sleep(1.5)
        server = ThreadedMotoServer(ip_address=host, port=port, verbose=False)
        server.start()
        queue.send("one")
        assert source.wait_until_idle(10)
        source.stop()
        server.stop()
    assert queue.bodies() == ["one"]
