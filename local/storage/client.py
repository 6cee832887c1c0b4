"""Starts the twin's S3 and SQS under a guard and sets up buckets, queues and notifications."""

import json
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local.process import GuardedProcess

REGION = "us-east-1"
ACCESS_KEY_ID = "twin"
SECRET_ACCESS_KEY = "twin"  # noqa: S105  # opens nothing: the server accepts any
_ROOT = Path(__file__).resolve().parents[2]
_DLQ_RETENTION = 14 * 24 * 3600  # seconds, the longest SQS allows


@dataclass
class Storage:
    """A running server. Clients made here ignore the user's own AWS settings."""

    url: str
    _process: GuardedProcess

    @classmethod
    def start(cls, state: Path | None, *, port: int = 0, log: Path | None = None) -> Self:
        """Starts it; ``state`` None keeps nothing. Raises ServerDied with the tail of the log."""
        command = [
            sys.executable,
            *("-m", "local.storage"),
            *("--port", str(port)),
            *("--state", "none" if state is None else str(state.resolve())),
        ]
        # No environment: neither the user's AWS_* nor MOTO_* variables may change what it does.
        process = GuardedProcess.start(command, env={}, cwd=_ROOT, log=log)
        with ExitStack() as undo:
            undo.callback(process.stop)
            ready = cls(process.read_ready()["url"], process)
            undo.pop_all()
        return ready

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def log(self) -> str:
        """The end of what the server wrote to stderr."""
        return self._process.tail()

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    def client(self, service: str) -> Any:
        """A boto3 client for this server ("s3" or "sqs")."""
        session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
        config = Config(retries={"max_attempts": 2}, proxies={}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self.url, config=config)

    def create_bucket(self, name: str, versioned: bool = True) -> None:
        """Makes a bucket, or leaves the one there is; sets its versioning when asked for."""
        self.s3.create_bucket(Bucket=name)  # in us-east-1 an owner's repeated call succeeds
        if versioned:
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def create_queue(self, name: str, *, visibility_seconds: int, max_receives: int) -> tuple[str, str]:
        """A queue and its dead-letter queue ``NAME-dlq``; returns both URLs. Existing ones are adjusted."""
        dlq_url = self._queue(f"{name}-dlq", {"MessageRetentionPeriod": str(_DLQ_RETENTION)})
        reply = self.sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": reply["Attributes"]["QueueArn"], "maxReceiveCount": max_receives}
        attributes = {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": json.dumps(redrive)}
        return self._queue(name, attributes), dlq_url

    def notify(self, bucket: str, queue_url: str, prefix: str = "") -> None:
        """Sends the events of ``bucket`` (keys under ``prefix``) to a queue, after a test event."""
        body = json.dumps({"bucket": bucket, "queue_url": queue_url, "prefix": prefix}).encode()
        request = urllib.request.Request(f"{self.url}/_twin/notifications", body, method="PUT")  # noqa: S310
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            direct.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None

    def stop(self) -> None:
        """Saves the state and ends the server."""
        for client in (self.__dict__.get("s3"), self.__dict__.get("sqs")):
            if client is not None:
                client.close()
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _queue(self, name: str, attributes: dict[str, str]) -> str:
        try:
            url: str = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except self.sqs.exceptions.QueueDoesNotExist:
            url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        else:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        return url
