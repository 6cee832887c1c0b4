"""Lambda's event source mapping for SQS: polls a queue, invokes a function, deletes what succeeded.

Failed messages stay in the queue: they come back after its visibility timeout, and its own redrive policy
takes them to the dead letter queue.
"""

import base64
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local.environment import FunctionError
from local.function import Function

LONG_POLL_SECONDS = 1  # bounds how long stop() waits for an idle poller
EMPTY_PAUSE_SECONDS = 0.05  # also for a server that answers long polls at once
RETRY_SECONDS = 0.5
DELETE_ATTEMPTS = 3

_ENDPOINT_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)

_logger = logging.getLogger(__name__)


class EventSource:
    """Feeds ``function`` from ``queue_url`` with at most ``maximum_concurrency`` invocations at a time.

    ``sqs``: a boto3 SQS client. ``batch_size``: 1 to 10. ``partial_responses``: whether the function's
    response is read (``FunctionResponseTypes: [ReportBatchItemFailures]``) or only its success.
    """

    def __init__(
        self,
        function: Function,
        queue_url: str,
        sqs: Any,
        *,
        batch_size: int = 10,
        maximum_concurrency: int = 2,
        partial_responses: bool = True,
    ) -> None:
        if not 1 <= batch_size <= 10:
            raise ValueError("batch_size must be from 1 to 10")
        self._function = function
        self._queue_url = queue_url
        self._queue_arn = ""
        self._sqs = sqs
        self._batch_size = batch_size
        self._partial_responses = partial_responses
        self._stopping = threading.Event()
        self._polling = threading.Lock()
        self._lock = threading.Lock()
        self._under_way = 0
        self._workers = [
            threading.Thread(target=self._work, name=f"event source {n} of {queue_url}", daemon=True)
            for n in range(maximum_concurrency)
        ]

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Receives no more; returns when the batches under way are done, after ``timeout`` s at the latest."""
        self._stopping.set()
        deadline = time.monotonic() + timeout
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def wait_until_idle(self, timeout: float) -> bool:
        """True as soon as no message is visible, delayed, in flight or in a handler; False after ``timeout`` s."""
        deadline = time.monotonic() + timeout
        quiet = False
        while time.monotonic() < deadline:
            # Twice, as the three counts of one reply need not be of one moment.
            before, quiet = quiet, self._is_quiet()
            if before and quiet:
                return True
            time.sleep(EMPTY_PAUSE_SECONDS)
        return False

    def _is_quiet(self) -> bool:
        try:
            reply = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(_COUNTS))
        except _ENDPOINT_ERRORS:
            return False
        with self._lock:
            return self._under_way == 0 and not any(int(reply["Attributes"][name]) for name in _COUNTS)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                messages = self._receive()
            except _ENDPOINT_ERRORS as error:
                _logger.warning("cannot receive from %s: %s", self._queue_url, error)
                self._stopping.wait(RETRY_SECONDS)
                continue
            if not messages:
                self._stopping.wait(EMPTY_PAUSE_SECONDS)
                continue
            try:
                self._process(messages)
            finally:
                with self._lock:
                    self._under_way -= 1

    def _look_up_arn(self) -> str:
        reply = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
        return str(reply["Attributes"]["QueueArn"])

    def _receive(self) -> list[dict[str, Any]]:
        """One batch, which counts as under way from here on, or nothing."""
        # One poller at a time is enough, and a local queue may hand one message to two at once.
        with self._polling:
            if self._stopping.is_set():
                return []
            self._queue_arn = self._queue_arn or self._look_up_arn()
            reply = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=self._batch_size,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages: list[dict[str, Any]] = reply.get("Messages", [])
            if messages:
                with self._lock:
                    self._under_way += 1
            return messages

    def _process(self, messages: Sequence[dict[str, Any]]) -> None:
        identifiers = {message["MessageId"] for message in messages}
        try:
            response = self._function.invoke(build_event(messages, self._queue_arn))
        except FunctionError as error:
            _logger.warning("a batch of %d failed: %s", len(messages), error.error_type)
            return
        failed = failed_identifiers(response, identifiers) if self._partial_responses else set()
        self._delete([m["ReceiptHandle"] for m in messages if m["MessageId"] not in failed])

    def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
        for _ in range(DELETE_ATTEMPTS if entries else 0):
            try:
                self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except _ENDPOINT_ERRORS as error:
                _logger.warning("cannot delete from %s: %s", self._queue_url, error)
                time.sleep(RETRY_SECONDS)
            else:
                return


def build_event(messages: Sequence[dict[str, Any]], queue_arn: str) -> dict[str, Any]:
    """The event that Lambda makes of messages as ``ReceiveMessage`` returns them."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute


def failed_identifiers(response: Any, identifiers: set[str]) -> set[str]:
    """Which of a batch's message ids failed, as AWS documents ``ReportBatchItemFailures``.

    ``{"batchItemFailures": [{"itemIdentifier": id}]}`` names them. None, ``{}`` and an empty or null list say
    that all succeeded; anything malformed, or an id that is not of the batch, that all failed.
    """
    if response is None:
        return set()
    if not isinstance(response, dict):
        return identifiers
    failures = response.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return identifiers
    failed = {_identifier(failure) for failure in failures}
    return failed if failed.issubset(identifiers) else identifiers


def _identifier(failure: Any) -> str:
    """The id, or the empty string, which is no message's."""
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return identifier if isinstance(identifier, str) else ""
