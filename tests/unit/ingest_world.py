"""The ingest Lambda's handler with an in-memory bucket, index and embedder behind it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

import pytest

from bucketwise.deadline import Deadline
from bucketwise.ingest_queue import IngestQueue
from bucketwise.settings import Settings
from ingest import handler
from ingest.chunking import Chunker
from ingest.composition import telemetry
from ingest.embedding_stage import EmbeddingStage
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.postponement import Postponement
from tests.unit.ingest_fakes import LetterEmbedder, MemoryBucket, MemoryIndex


@dataclass
class Context:
    """What the handler and Powertools read of Lambda's context."""

    seconds: float = 900.0
    function_name: str = "ingest"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ingest"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class SqsClient:
    """Takes messages, with their delays; or, once it has a ``failure``, none."""

    sent: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    failure: Exception | None = None

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803
        assert QueueUrl == "https://queue.test"
        if self.failure is not None:
            raise self.failure
        self.sent.append((json.loads(MessageBody), DelaySeconds))

    def keys(self) -> list[str]:
        return [unquote_plus(body["Records"][0]["s3"]["object"]["key"]) for body, _ in self.sent]


@dataclass
class Notes:
    """The waiting list, in memory; or, once it has a ``failure``, out of reach."""

    waiting: dict[str, tuple[int, str, float]] = field(default_factory=dict)
    failure: Exception | None = None

    def postpone(self, key: str, *, tries: int, reason: str, seconds: float, deadline: Deadline) -> None:
        deadline.allow(1)
        if self.failure is not None:
            raise self.failure
        self.waiting[key] = (tries, reason, seconds)


@dataclass
class Folds:
    """Counts the commits after which folding is thought of."""

    asked: int = 0

    def fold_now_and_then(self, *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.asked += 1


class NoStrays:
    """All documents were always of one tenant."""

    def remove(self, key: str, claim: int, *, deadline: Deadline) -> None:
        assert key
        assert claim
        deadline.allow(1)


@dataclass
class World:
    bucket: MemoryBucket
    index: MemoryIndex
    embedder: LetterEmbedder
    sqs: SqsClient
    notes: Notes
    folds: Folds
    log: io.StringIO

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def put_off(self) -> list[str]:
        """The body of every message that was sent again."""
        return [json.dumps(body) for body, _ in self.sqs.sent]


def pipeline_of(bucket: MemoryBucket, index: MemoryIndex, embedder: LetterEmbedder, *, tokens: int) -> IngestPipeline:
    """At most 1,000 bytes and so many tokens; a chunk has up to 16 of them, and so has a request."""
    return IngestPipeline(
        bucket=bucket,
        index=index,
        strays=NoStrays(),
        chunker=Chunker(max_tokens=16, overlap_tokens=0),
        embedding=EmbeddingStage(index, embedder, "text-embedding-3-small", batch_tokens=16, concurrency=1),
        parse=parsed_here,
        telemetry=telemetry,
        limits=Limits(bytes=1000, tokens=tokens),
    )


@contextmanager
def ingest_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The handler on a bucket called documents; its log lines go to ``World.log``."""
    world = World(MemoryBucket(), MemoryIndex(), LetterEmbedder(), SqsClient(), Notes(), Folds(), io.StringIO())
    pipeline = pipeline_of(world.bucket, world.index, world.embedder, tokens=1000)
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere", "BUCKET": "documents"})
    postponement = Postponement(partial(IngestQueue, world.sqs, "https://queue.test"), lambda _: world.notes)
    monkeypatch.setattr(handler, "settings", lambda: settings)
    monkeypatch.setattr(handler, "ingest_pipeline", lambda _: pipeline)
    monkeypatch.setattr(handler, "postings", lambda _: world.folds)
    monkeypatch.setattr(handler, "postponement", lambda: postponement)
    streams = [one for one in telemetry.logger.handlers if isinstance(one, logging.StreamHandler)]
    before = [one.setStream(world.log) for one in streams]
    yield world
    for one, stream in zip(streams, before, strict=True):
        one.setStream(stream)


def batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ingest",
            }
            for number, body in enumerate(bodies, start=1)
        ]
    }


def handle(event: dict[str, Any], context: Context | None = None) -> dict[str, Any]:
    reply: dict[str, Any] = handler.lambda_handler(event, context or Context())
    json.dumps(reply)  # Lambda sends it on as JSON
    return reply


def failed_messages(reply: dict[str, Any]) -> list[str]:
    assert reply.keys() == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in reply["batchItemFailures"]]
