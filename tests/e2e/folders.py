"""A bucket on the twin's services whose folders are tenants, its functions, and an API for each tenant."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from local import CODE
from local.api import Api
from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function
from local.gateway import Gateway
from local.schedule import SCHEDULED_EVENT
from local.twin import HANDLERS, IDENTITY, Twin
from tests.e2e.conftest import INDEXING_SECONDS

CALLER = "arn:aws:iam::123456789012:role/bucketwise-caller"  # whose session IDENTITY is


@dataclass
class Folders:
    """``home`` is TENANT, and names the bucket. ``deploy`` first."""

    twin: Twin
    home: str
    inbox: str
    running: ExitStack
    apis: dict[str, Api] = field(default_factory=dict)
    deployed: ExitStack = field(default_factory=ExitStack)

    @property
    def bucket(self) -> str:
        return f"{self.home}-documents"

    def deploy(self, **settings: str) -> None:
        """Has ingest and reconcile run with these settings from now on."""
        self.deployed.close()
        variables = self._variables(self.twin.index.ingest) | settings
        ingest = self.deployed.enter_context(self._function("ingest", variables))
        self.reconciler = self.deployed.enter_context(self._function("reconcile", variables))
        self.events = EventSource(ingest, self.inbox, self.twin.storage.sqs, batch_size=1, maximum_concurrency=2)
        self.events.start()
        self.deployed.callback(self.events.stop)

    def reconcile(self) -> dict[str, Any]:
        """Compares bucket and index; when what it sent is done, what it reported."""
        report: dict[str, Any] = self.reconciler.invoke(SCHEDULED_EVENT)
        self.settle()
        return report

    def put(self, key: str, text: str) -> None:
        self.twin.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def delete(self, key: str) -> None:
        self.twin.s3.delete_object(Bucket=self.bucket, Key=key)

    def settle(self) -> None:
        assert self.events.wait_until_idle(INDEXING_SECONDS), "the queue did not become empty"

    @contextmanager
    def events_lost(self) -> Iterator[None]:
        storage = self.twin.storage
        elsewhere, _ = storage.create_queue(f"{self.home}-lost", visibility_seconds=30, max_receives=3)
        storage.notify(self.bucket, elsewhere)
        yield
        storage.notify(self.bucket, self.inbox)

    def api(self, tenant: str) -> Api:
        """Of an ask function of the stack, as one who is of this tenant calls it."""
        if tenant not in self.apis:
            variables = self._variables(self.twin.index.ask) | {"CALLERS": json.dumps({CALLER: tenant})}
            gateway = Gateway(self.running.enter_context(self._function("ask", variables)), identity=IDENTITY)
            gateway.start()
            self.running.callback(gateway.stop)
            self.apis[tenant] = Api(gateway.url)
        return self.apis[tenant]

    def documents(self, tenant: str) -> dict[str, str]:
        """What the API shows the tenant: each key's state, or the reason of its failure."""
        found = self.api(tenant).get("/documents").body["documents"]
        return {each["key"]: each["reason"] or each["state"] for each in found if each["state"] != "deleted"}

    def answer(self, tenant: str, question: str) -> str | None:
        reply = self.api(tenant).post("/ask", {"question": question})
        assert reply.status == 200, reply
        answer: str | None = reply.body["answer"]
        return answer

    def _variables(self, database_url: str) -> dict[str, str]:
        own = {"TENANT": self.home, "BUCKET": self.bucket, "QUEUE_URL": self.inbox}
        return self.twin.function_environment(database_url=database_url) | own

    def _function(self, name: str, variables: Mapping[str, str]) -> Function:
        return Function(
            Configuration(
                name=f"bucketwise-{name}",
                handler=f"{HANDLERS[name]}.lambda_handler",
                log_file=self.twin.logs / f"{self.home}-{name}.log",
                variables=variables,
                paths=CODE,
                timeout_seconds=60.0,
                memory_mb=1769,
            )
        )


@contextmanager
def folders(twin: Twin, home: str) -> Iterator[Folders]:
    storage = twin.storage
    storage.create_bucket(f"{home}-documents")
    inbox, _ = storage.create_queue(f"{home}-ingest", visibility_seconds=30, max_receives=20)
    storage.notify(f"{home}-documents", inbox)
    with ExitStack() as running:
        made = Folders(twin, home, inbox, running)
        running.callback(lambda: made.deployed.close())
        yield made
