"""The ingest Lambda's handler with an in-memory bucket, index and embedder behind it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bucketwise.settings import Settings
from ingest import handler
from ingest.chunking import Chunker
from ingest.composition import telemetry
from ingest.embedding_stage import EmbeddingStage
from ingest.pipeline import IngestPipeline
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
class World:
    bucket: MemoryBucket
    index: MemoryIndex
    log: io.StringIO

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextmanager
def ingest_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The handler on a bucket called documents; its log lines go to ``World.log``."""
    bucket, index, log = MemoryBucket(), MemoryIndex(), io.StringIO()
    pipeline = IngestPipeline(
        bucket=bucket,
        index=index,
        chunker=Chunker(max_tokens=16, overlap_tokens=0),
        embedding=EmbeddingStage(index, LetterEmbedder(), "text-embedding-3-small", batch_tokens=16, concurrency=1),
        telemetry=telemetry,
        max_document_bytes=1000,
    )
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere", "BUCKET": "documents"})
    monkeypatch.setattr(handler, "settings", lambda: settings)
    monkeypatch.setattr(handler, "ingest_pipeline", lambda: pipeline)
    streams = [one for one in telemetry.logger.handlers if isinstance(one, logging.StreamHandler)]
    before = [one.setStream(log) for one in streams]
    yield World(bucket, index, log)
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
