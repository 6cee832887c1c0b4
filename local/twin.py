"""The whole system on one machine: the template's handlers, and stand-ins for what AWS runs around them."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from local import CODE
from local.environment import Configuration
from local.event_source import EventSource
from local.function import Function
from local.function_settings import (
    database_name,
    lambda_environment,
    model_settings,
    wants_own_model,
    with_defaults,
)
from local.gateway import Gateway
from local.index import IndexUrls, create_index
from local.model_server.client import LocalModels
from local.postgres import Postgres
from local.storage.client import Storage

BUCKET = "bucketwise-documents"
QUEUE = "bucketwise-ingest"
INGEST_SECONDS = 300.0
ASK_SECONDS = 29.0
IDENTITY = {"userArn": "arn:aws:sts::123456789012:assumed-role/bucketwise-caller/local", "accountId": "123456789012"}


class _Stoppable(Protocol):
    def stop(self) -> None: ...


S = TypeVar("S", bound=_Stoppable)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinOptions:
    """``home`` holds all state and logs. ``durable``: state survives a crash, at the cost of speed.

    ``visibility_seconds`` and ``max_receives`` are the queue's. ``environment`` is where settings of the
    functions, and the user's own model, are looked up. ``faults``: the model server can be told to fail.
    """

    home: Path
    environment: Mapping[str, str]
    durable: bool = False
    port: int = 0
    visibility_seconds: int = 6 * int(INGEST_SECONDS)
    max_receives: int = 10
    ingest_concurrency: int = 2
    ask_concurrency: int = 4
    faults: bool = False


class Twin:
    """Started by ``with``; nothing of it is left running afterwards, however the block ends."""

    postgres: Postgres
    storage: Storage
    models: LocalModels | None
    ingest: Function
    ask: Function
    gateway: Gateway
    events: EventSource
    queue_url: str
    dead_letter_url: str
    index: IndexUrls

    def __init__(self, options: TwinOptions) -> None:
        self.options = options
        self._running = ExitStack()

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def logs(self) -> Path:
        return self.options.home / "logs"

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self._start_servers()
            self._start_functions()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _start_servers(self) -> None:
        home, own_model = self.options.home, wants_own_model(self.options.environment)
        # Waited for on leaving the block, so that a server is stopped also when another did not start.
        with ThreadPoolExecutor(max_workers=3) as pool:
            postgres = pool.submit(self._kept, lambda: Postgres.start(home / "postgres", durable=self.options.durable))
            storage = pool.submit(
                self._kept,
                lambda: Storage.start(
                    home / "storage" if self.options.durable else None, log=self.logs / "storage.log"
                ),
            )
            models = pool.submit(
                lambda: (
                    None
                    if own_model
                    else self._kept(lambda: LocalModels.start(faults=self.options.faults, log=self.logs / "models.log"))
                )
            )
        self.postgres, self.storage, self.models = postgres.result(), storage.result(), models.result()

    def _kept(self, start: Callable[[], S]) -> S:
        server = start()
        self._running.callback(server.stop)
        return server

    def _start_functions(self) -> None:
        models = model_settings(self.options.environment, self.models.url if self.models else None)
        self.storage.create_bucket(BUCKET)
        self.queue_url, self.dead_letter_url = self.storage.create_queue(
            QUEUE, visibility_seconds=self.options.visibility_seconds, max_receives=self.options.max_receives
        )
        self.storage.notify(BUCKET, self.queue_url)
        self.index = self._create_index(models)
        shared = models | {"BUCKET": BUCKET, "QUEUE_URL": self.queue_url}
        shared |= lambda_environment(storage_url=self.storage.url)
        self.ingest = self._function(
            "ingest", shared | {"DATABASE_URL": self.index.ingest}, INGEST_SECONDS, self.options.ingest_concurrency
        )
        self.ask = self._function(
            "ask", shared | {"DATABASE_URL": self.index.ask}, ASK_SECONDS, self.options.ask_concurrency
        )
        self.events = EventSource(
            self.ingest,
            self.queue_url,
            self.storage.sqs,
            maximum_concurrency=self.options.ingest_concurrency,
        )
        self.gateway = Gateway(self.ask, port=self.options.port, identity=IDENTITY)
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

    def _create_index(self, models: Mapping[str, str]) -> IndexUrls:
        settings = with_defaults(models)
        return create_index(
            self.postgres,
            database_name(settings),
            embedding_model=settings.embedding_model,
            dimensions=settings.embedding_dimensions,
        )

    @property
    def s3(self) -> Any:
        """A boto3 client for the twin's S3."""
        return self.storage.s3
