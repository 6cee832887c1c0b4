"""Ingest's queue, for whoever has documents looked at: as if S3 had told of them (again)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import BotoCoreError, ClientError

from bucketwise.errors import QueueUnavailable

BATCH = 10  # SQS: messages of one SendMessageBatch
LONGEST_DELAY_SECONDS = 900  # SQS: of one message


@dataclass(frozen=True, slots=True)
class Errand:
    """What a message of our own adds to what S3 would tell.

    ``tries`` counts how often it was put off. ``ended`` is the claim of the latest attempt, which ended in order.
    ``again`` asks for a look also at a version that the index knows already.
    """

    tries: int = 0
    ended: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class IngestQueue:
    """``client`` is boto3's SQS client."""

    client: Any
    url: str
    bucket: str

    def send(self, keys: Iterable[str], errand: Errand = Errand()) -> int:
        """How many were sent. Raises QueueUnavailable if one was not; those before it stay sent."""
        sent = 0
        for batch in _batches(keys):
            now = datetime.now(UTC)
            entries = [
                {"Id": str(number), "MessageBody": self._message(key, now, errand)} for number, key in enumerate(batch)
            ]
            try:
                reply = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise QueueUnavailable(f"the queue did not answer ({type(error).__name__})") from None
            if reply.get("Failed"):
                raise QueueUnavailable(f"the queue refused {len(reply['Failed'])} of {len(batch)} messages")
            sent += len(batch)
        return sent

    def put_off(self, key: str, time: datetime, errand: Errand, *, seconds: int) -> None:
        """Has a change of ``time`` looked at in so many seconds, at most 900. Raises QueueUnavailable."""
        try:
            self.client.send_message(
                QueueUrl=self.url, MessageBody=self._message(key, time, errand), DelaySeconds=seconds
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"the queue did not take a message ({type(error).__name__})") from None

    def backlog(self) -> int:
        """About how many messages wait or are worked on. Raises QueueUnavailable."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        try:
            reply = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"the queue did not answer ({type(error).__name__})") from None
        return sum(int(reply["Attributes"][name]) for name in names)

    def _message(self, key: str, time: datetime, errand: Errand) -> str:
        event = {
            "eventSource": "aws:s3",
            "eventTime": time.isoformat(),
            "eventName": "Bucketwise:LookAgain",
            "s3": {"bucket": {"name": self.bucket}, "object": {"key": quote_plus(key, safe="/")}},
            "bucketwise": asdict(errand),
        }
        return json.dumps({"Records": [event]})


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
        yield batch
