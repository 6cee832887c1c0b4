"""A tenant on the twin's services: its own bucket, queue and functions, and one database with all others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from local import CODE
from local.api import Api
from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function
from local.gateway import Gateway
from local.twin import Twin
from tests.e2e.conftest import INDEXING_SECONDS


@dataclass(frozen=True, slots=True)
class Site:
    """``retries`` is where the ask function sends what is to be looked at again; nothing reads it but ``retried``."""

    twin: Twin
    tenant: str
    api: Api
    events: EventSource
    retries: str

    @property
    def canary(self) -> str:
        """A word that only this tenant's documents have."""
        return f"canary{self.tenant}"

    def put(self, key: str, content: bytes, **options: Any) -> str:
        """Uploads, waits until it was looked at, and returns the version."""
        reply = self.twin.s3.put_object(Bucket=f"{self.tenant}-documents", Key=key, Body=content, **options)
        assert self.events.wait_until_idle(INDEXING_SECONDS), "the queue did not become empty"
        return str(reply["VersionId"])

    def retried(self) -> list[str]:
        """The keys that were sent since the last call."""
        keys = []
        while found := self.twin.storage.sqs.receive_message(QueueUrl=self.retries).get("Messages"):
            for message in found:
                [record] = json.loads(message["Body"])["Records"]
                keys.append(unquote_plus(record["s3"]["object"]["key"]))
                self.twin.storage.sqs.delete_message(QueueUrl=self.retries, ReceiptHandle=message["ReceiptHandle"])
        return sorted(keys)


@contextmanager
def site(twin: Twin, tenant: str) -> Iterator[Site]:
    bucket, storage = f"{tenant}-documents", twin.storage
    storage.create_bucket(bucket)
    inbox, _ = storage.create_queue(f"{tenant}-ingest", visibility_seconds=30, max_receives=20)
    retries, _ = storage.create_queue(f"{tenant}-retries", visibility_seconds=30, max_receives=20)
    storage.notify(bucket, inbox)
    own = {"TENANT": tenant, "BUCKET": bucket}
    ingest_variables = twin.function_environment(database_url=twin.index.ingest) | own | {"QUEUE_URL": inbox}
    ask_variables = twin.function_environment(database_url=twin.index.ask) | own | {"QUEUE_URL": retries}
    with ExitStack() as running:
        ingest = running.enter_context(Function(_configuration(twin, "ingest", ingest_variables)))
        ask = running.enter_context(Function(_configuration(twin, "ask", ask_variables)))
        events = EventSource(ingest, inbox, storage.sqs, batch_size=1, maximum_concurrency=1)
        gateway = Gateway(ask)
        for part in (events, gateway):
            part.start()
            running.callback(part.stop)
        yield Site(twin, tenant, Api(gateway.url), events, retries)


def _configuration(twin: Twin, name: str, variables: dict[str, str]) -> Configuration:
    return Configuration(
        name=f"bucketwise-{name}",
        handler=f"{name}.handler.lambda_handler",
        log_file=twin.logs / f"{variables['TENANT']}-{name}.log",
        variables=variables,
        paths=CODE,
        timeout_seconds=60.0,
        memory_mb=1769,
    )
