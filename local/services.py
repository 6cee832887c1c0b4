"""What AWS and a model provider run around the functions: PostgreSQL, S3, SQS and models, on one machine."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from local.function_settings import (
    database_name,
    lambda_environment,
    model_settings,
    wants_own_model,
    with_defaults,
)
from local.index import IndexUrls, create_index
from local.model_server.client import LocalModels
from local.postgres import Postgres
from local.storage.client import Storage

BUCKET = "bucketwise-documents"
QUEUE = "bucketwise-ingest"
INGEST_SECONDS = 300.0
RECONCILE_SECONDS = 900.0


class _Stoppable(Protocol):
    def stop(self) -> None: ...


S = TypeVar("S", bound=_Stoppable)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinOptions:
    """``home`` holds all state and logs. ``durable``: state survives a crash, at the cost of speed.

    ``visibility_seconds`` and ``max_receives`` are the queue's. ``environment`` is where settings of the
    functions, and the user's own model, are looked up. ``faults``: the model server can be told to fail.
    ``reconcile_seconds``: between two comparisons of bucket and index; None leaves them to who asks for one.
    ``signed``: the API refuses requests that are not signed with the twin's AWS keys, as a stack does.
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
    reconcile_seconds: float | None = None
    signed: bool = False


class Services:
    """Started by ``with``; nothing of them is left running afterwards, however the block ends."""

    postgres: Postgres
    storage: Storage
    models: LocalModels | None
    index: IndexUrls
    queue_url: str
    dead_letter_url: str

    def __init__(self, options: TwinOptions) -> None:
        self.options = options
        self._running = ExitStack()

    @property
    def logs(self) -> Path:
        return self.options.home / "logs"

    @property
    def s3(self) -> Any:
        """A boto3 client for the twin's S3."""
        return self.storage.s3

    def function_environment(self, *, database_url: str) -> dict[str, str]:
        """The environment variables of a function that connects to ``database_url``."""
        own = {"DATABASE_URL": database_url, "BUCKET": BUCKET, "QUEUE_URL": self.queue_url}
        return self._models | own | lambda_environment(storage_url=self.storage.url)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self._running.close)
            self._start_servers()
            self._set_up()
            self._start_functions()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _start_functions(self) -> None:
        """Nothing here; the twin has functions."""

    def _start_servers(self) -> None:
        home, own_model = self.options.home, wants_own_model(self.options.environment)
        # Waited for on leaving the block, so that a server is stopped also when another did not start.
        with ThreadPoolExecutor(max_workers=3) as pool:
            postgres = pool.submit(
                self._kept,
                lambda: Postgres.start(home / "postgres", durable=self.options.durable, log=self.logs / "postgres.log"),
            )
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

    def _set_up(self) -> None:
        self._models = model_settings(self.options.environment, self.models.url if self.models else None)
        self.storage.create_bucket(BUCKET)
        self.queue_url, self.dead_letter_url = self.storage.create_queue(
            QUEUE, visibility_seconds=self.options.visibility_seconds, max_receives=self.options.max_receives
        )
        self.storage.notify(BUCKET, self.queue_url)
        settings = with_defaults(self._models)
        self.index = create_index(
            self.postgres,
            database_name(settings),
            embedding_model=settings.embedding_model,
            dimensions=settings.embedding_dimensions,
            vector_index=settings.vector_index,
        )
