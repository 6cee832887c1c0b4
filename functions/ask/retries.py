"""Documents put back into ingest's queue, as if S3 had told of them again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import BotoCoreError, ClientError

from bucketwise.errors import QueueUnavailable

BATCH = 10  # SQS: messages of one SendMessageBatch


@dataclass(frozen=True, slots=True)
class IngestQueue:
    """``client`` is boto3's SQS client."""

    client: Any
    url: str
    bucket: str

    def send(self, keys: Iterable[str]) -> int:
        """How many were sent. Raises QueueUnavailable if one was not; those before it stay sent."""
        sent = 0
        for batch in _batches(keys):
            entries = [{"Id": str(number), "MessageBody": self._message(key)} for number, key in enumerate(batch)]
            try:
                reply = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise QueueUnavailable(f"the queue did not answer ({type(error).__name__})") from None
            if reply.get("Failed"):
                raise QueueUnavailable(f"the queue refused {len(reply['Failed'])} of {len(batch)} messages")
            sent += len(batch)
        return sent

    def _message(self, key: str) -> str:
        event = {
            "eventSource": "aws:s3",
            "eventTime": datetime.now(UTC).isoformat(),
            "eventName": "Bucketwise:Retry",
            "s3": {"bucket": {"name": self.bucket}, "object": {"key": quote_plus(key, safe="/")}},
        }
        return json.dumps({"Records": [event]})


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
        yield batch
