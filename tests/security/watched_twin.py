"""The twin with tracing on, secrets that are canaries, and all that it says kept: logs, metrics, traces, replies."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from local import CODE, ROOT
from local.api import Api, Reply
from local.environment import Configuration, FunctionError
from local.function import Function
from local.services import BUCKET, TwinOptions
from local.twin import Twin
from tests.security.canaries import Canaries
from tests.security.telltale_models import TelltaleModels
from tests.security.traces import TraceInbox

MOST_RECEIVES = 50
PATIENCE_SECONDS = 120.0


class WatchedTwin(Twin):
    def __init__(self, options: TwinOptions, canaries: Canaries, traces: TraceInbox) -> None:
        super().__init__(options)
        self.canaries = canaries
        self.traces = traces
        self.telltale: TelltaleModels

    def _start_functions(self) -> None:
        assert self.models is not None
        telltale = TelltaleModels(self.models.url, self.canaries.reply)
        self.telltale = self._running.enter_context(telltale.serving())
        super()._start_functions()

    def function_environment(self, *, database_url: str) -> dict[str, str]:
        parts = urlsplit(database_url)
        login = f"{parts.username}:{self.canaries.password}@{parts.hostname}:{parts.port}"
        return super().function_environment(database_url=database_url) | {
            "DATABASE_URL": urlunsplit(parts._replace(netloc=login)),
            "OPENAI_API_KEY": self.canaries.api_key,
            "OPENAI_BASE_URL": self.telltale.url,
            "POWERTOOLS_TRACE_DISABLED": "false",
            "LAMBDA_TASK_ROOT": str(ROOT),  # without it Powertools does not trace
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self.traces.port}",
            "TAG_OBJECTS": "true",
        }

    def function(self, name: str, variables: Mapping[str, str], seconds: float) -> Function:
        """One more, of ``tests.security.traced``."""
        return self._function(name, variables, seconds, 1)

    def _configuration(self, name: str, variables: Mapping[str, str], seconds: float) -> Configuration:
        given = Configuration(
            name=f"bucketwise-{name}",
            handler="",
            log_file=self.logs / f"{name}.log",
            variables=variables,
            paths=(*CODE, ROOT),
            timeout_seconds=seconds,
            memory_mb=1769,
        )
        return replace(given, handler=f"tests.security.traced.{name}")


@dataclass
class Watched:
    """``replies`` are those of a status of 400 and more, which nobody's words belong in; ``results`` what Lambda and
    the queue are told."""

    twin: WatchedTwin
    canaries: Canaries
    replies: list[Reply] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: bytes | None = None) -> Reply:
        reply = Api(self.twin.url).send(method, path, body, content_type="application/json")
        if reply.status >= 400:
            self.replies.append(reply)
        return reply

    def post(self, path: str, **body: Any) -> Reply:
        return self.send("POST", path, json.dumps(body).encode())

    def invoke(self, function: Function, event: Any) -> str:
        """What Lambda is told of it: the result, or the error that it would log."""
        try:
            told = json.dumps(function.invoke(event))
        except FunctionError as error:
            told = str(error)
        self.results.append(told)
        return told

    def put(self, key: str, content: str | bytes, **options: Any) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.twin.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)

    def settle(self) -> None:
        assert self.twin.events.wait_until_idle(PATIENCE_SECONDS), "the queue did not become empty"

    def states(self) -> dict[str, str]:
        documents = Api(self.twin.url).get("/documents").body["documents"]
        return {each["key"]: each["reason"] or each["state"] for each in documents}

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """As its superuser."""
        with psycopg.connect(self.twin.postgres.dsn("postgres", self.database_name), autocommit=True) as superuser:
            yield superuser

    @property
    def database_name(self) -> str:
        return urlsplit(self.twin.index.ask).path.removeprefix("/")

    @property
    def logs(self) -> dict[str, str]:
        """Of the functions; metrics are lines among them. Those of the model's and the storage server are not ours."""
        paths = [self.twin.logs / f"{name}.log" for name in ("ask", "ingest", "reconcile", "reindex", "migrate")]
        return {path.stem: path.read_text() for path in paths if path.exists()}


@contextmanager
def watched(home: Path) -> Iterator[Watched]:
    canaries = Canaries.fresh()
    options = TwinOptions(home=home, environment={}, visibility_seconds=1, max_receives=MOST_RECEIVES)
    with TraceInbox().open() as traces, WatchedTwin(options, canaries, traces) as twin:
        yield Watched(twin, canaries)
