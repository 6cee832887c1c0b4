"""The whole system on one machine: the template's handlers, and stand-ins for what AWS runs around them."""

from collections.abc import Mapping

from local import CODE
from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function
from local.gateway import Gateway
from local.services import INGEST_SECONDS, Services

ASK_SECONDS = 29.0
IDENTITY = {"userArn": "arn:aws:sts::123456789012:assumed-role/bucketwise-caller/local", "accountId": "123456789012"}


class Twin(Services):
    """Services, and the functions: ingest fed from the queue, ask behind an HTTP gateway."""

    ingest: Function
    ask: Function
    gateway: Gateway
    events: EventSource

    @property
    def url(self) -> str:
        return self.gateway.url

    def _start_functions(self) -> None:
        options = self.options
        ingest = self.function_environment(database_url=self.index.ingest)
        ask = self.function_environment(database_url=self.index.ask)
        self.ingest = self._function("ingest", ingest, INGEST_SECONDS, options.ingest_concurrency)
        self.ask = self._function("ask", ask, ASK_SECONDS, options.ask_concurrency)
        self.events = EventSource(
            self.ingest, self.queue_url, self.storage.sqs, maximum_concurrency=options.ingest_concurrency
        )
        self.gateway = Gateway(self.ask, port=options.port, identity=IDENTITY)
        for part in (self.events, self.gateway):
            part.start()
            self._running.callback(part.stop)

    def _function(self, name: str, variables: Mapping[str, str], seconds: float, concurrency: int) -> Function:
        configuration = Configuration(
            name=f"bucketwise-{name}",
            handler=f"{name}.handler.lambda_handler",
            log_file=self.logs / f"{name}.log",
            variables=variables,
            paths=CODE,
            timeout_seconds=seconds,
            memory_mb=1769,
        )
        return self._running.enter_context(Function(configuration, concurrency=concurrency))
