"""The parts of the local twin that a benchmark needs, and pipelines on them."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ask.composition import build_pipeline as build_ask
from ask.pipeline import AskPipeline
from bucketwise.database import Database, connect
from bucketwise.settings import Settings
from bucketwise.telemetry import Metric, Telemetry
from ingest.composition import build_pipeline as build_ingest
from ingest.composition import share
from ingest.fingerprint import fingerprint
from ingest.index import DocumentIndex
from ingest.language import detect
from ingest.pipeline import IngestPipeline
from local.function_settings import model_settings, wants_own_model, with_defaults
from local.index import create_index
from local.model_server.client import LocalModels
from local.postgres import Postgres


class QuietTelemetry(Telemetry):
    """Logs and counts nothing: Powertools prints a metric's values once there are a hundred, disabled or not."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.logger.setLevel(logging.CRITICAL)

    def count(self, metric: Metric, value: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """PostgreSQL with a fresh index, and a model's server: the local one, or the user's own."""

    ingest: Settings
    ask: Settings
    telemetry: Telemetry

    def ingest_pipeline(self, bucket: object) -> IngestPipeline:
        """One for each thread: it holds a connection. ``bucket`` is asked instead of S3."""
        database = Database(lambda deadline: connect(self.ingest, deadline))
        index = DocumentIndex(
            database,
            self.ingest.tenant,
            fingerprint(self.ingest),
            detect=lambda text: detect(text) or self.ingest.language,
        )
        shared = share(self.ingest, self.telemetry, database)
        return replace(build_ingest(self.ingest, self.telemetry, index, shared), bucket=bucket)  # type: ignore[arg-type]

    def ask_pipeline(self) -> AskPipeline:
        return build_ask(self.ask, Database(lambda deadline: connect(self.ask, deadline)), self.telemetry)


@contextmanager
def machine() -> Iterator[Machine]:
    """Starts it in a temporary folder and leaves nothing behind."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    with tempfile.TemporaryDirectory(prefix="bucketwise-bench-") as folder:
        home = Path(folder)
        with Postgres.start(home / "postgres", durable=False) as postgres:
            if wants_own_model(os.environ):
                yield machine_on(postgres, model_settings(os.environ, None))
            else:
                with LocalModels.start() as models:
                    yield machine_on(postgres, model_settings(os.environ, models.url))


def machine_on(postgres: Postgres, models: Mapping[str, str], *, name: str = "bench") -> Machine:
    """With an index in the database ``name``. ``models``: environment variables of the functions."""
    known = with_defaults(models)
    urls = create_index(
        postgres,
        name,
        embedding_model=known.embedding_model,
        dimensions=known.embedding_dimensions,
        vector_index=known.vector_index,
    )
    return Machine(
        ingest=Settings.from_environment({**models, "DATABASE_URL": urls.ingest}),
        ask=Settings.from_environment({**models, "DATABASE_URL": urls.ask}),
        telemetry=QuietTelemetry("bench"),
    )
