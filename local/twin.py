"""The whole system on one machine: the template's handlers, and stand-ins for what AWS runs around them."""

from collections.abc import Mapping
from typing import Any

from local import CODE
from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function
from local.gateway import Gateway
from local.proxy_format import Request, Response
from local.schedule import SCHEDULED_EVENT, Schedule
from local.services import INGEST_SECONDS, RECONCILE_SECONDS, Services
from local.signature import SignatureCheck
from local.storage.client import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

ASK_SECONDS = 29.0
HANDLERS = {"ingest": "ingest.handler", "reconcile": "ingest.reconcile_handler", "ask": "ask.handler"}
IDENTITY = {"userArn": "arn:aws:sts::123456789012:assumed-role/bucketwise-caller/local", "accountId": "123456789012"}


class Twin(Services):
    """Services, and the functions: ingest fed from the queue, reconcile by schedule, ask behind an HTTP gateway."""

    ingest: Function
    reconciler: Function
    ask: Function
    gateway: Gateway
    events: EventSource

    @property
    def url(self) -> str:
        return self.gateway.url

    def reconcile(self) -> dict[str, Any]:
        """Has bucket and index compared now; what reconcile reports. Raises FunctionError."""
        report: dict[str, Any] = self.reconciler.invoke(SCHEDULED_EVENT)
        return report

    def _start_functions(self) -> None:
        options = self.options
        ingest = self.function_environment(database_url=self.index.ingest)
        ask = self.function_environment(database_url=self.index.ask)
        self.ingest = self._function("ingest", ingest, INGEST_SECONDS, options.ingest_concurrency)
        self.reconciler = self._function("reconcile", ingest, RECONCILE_SECONDS, 1)
        self.ask = self._function("ask", ask, ASK_SECONDS, options.ask_concurrency)
        self.events = EventSource(
            self.ingest, self.queue_url, self.storage.sqs, batch_size=1, maximum_concurrency=options.ingest_concurrency
        )
        refusal = self._refusal if options.signed else None
        self.gateway = Gateway(self.ask, port=options.port, identity=IDENTITY, refusal=refusal)
        parts: list[EventSource | Gateway | Schedule] = [self.events, self.gateway]
        if options.reconcile_seconds is not None:
            parts.append(Schedule(self.reconciler, seconds=options.reconcile_seconds))
        for part in parts:
            part.start()
            self._running.callback(part.stop)

    def _refusal(self, request: Request) -> Response | None:
        return SignatureCheck({ACCESS_KEY_ID: SECRET_ACCESS_KEY}, REGION).refusal(request)

    def _function(self, name: str, variables: Mapping[str, str], seconds: float, concurrency: int) -> Function:
        configuration = self._configuration(name, variables, seconds)
        return self._running.enter_context(Function(configuration, concurrency=concurrency))

    def _configuration(self, name: str, variables: Mapping[str, str], seconds: float) -> Configuration:
        return Configuration(
            name=f"bucketwise-{name}",
            handler=f"{HANDLERS[name]}.lambda_handler",
            log_file=self.logs / f"{name}.log",
            variables=variables,
            paths=CODE,
            timeout_seconds=seconds,
            memory_mb=1769,
        )
