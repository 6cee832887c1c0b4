"""The reindex Lambda, invoked by hand: ``make reindex`` invokes it until it is done."""

from bucketwise import startup  # isort: split

import os
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import BucketwiseError, InvalidSettings
from bucketwise.index_kind import IndexKind
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from bucketwise.snapstart import kept
from bucketwise.telemetry import Metric, Telemetry
from ingest.embedding_sets import EmbeddingSets
from ingest.embedding_stage import EmbeddingStage
from ingest.reindex import Progress, Reindex
from ingest.vectors import VectorTable

# What is kept of an invocation's time to answer.
RESERVE_SECONDS = 10.0

telemetry = Telemetry("reindex")

startup.imported()


class Request(BaseModel):
    """Either the kind to go over to, or ``drop_others``."""

    model_config = ConfigDict(extra="forbid")

    embedding_model: str = Field(default="", max_length=200)
    dimensions: int = Field(default=0, ge=0, le=4000)
    drop_others: bool = False


@telemetry.logger.inject_lambda_context(clear_state=True)
@telemetry.metrics_flushed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """How far it got: ``live`` says that it is done. To go on, invoke it again with the same event."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    try:
        with telemetry.failures_logged():
            progress = _run(_request(event), deadline)
    except BucketwiseError as error:
        return {"error": type(error).__name__, "text": str(error)}
    telemetry.count(Metric.EMBEDDING_TOKENS, progress.tokens)
    telemetry.logger.info("reindexed" if progress.live else "not done yet", extra=asdict(progress))
    return asdict(progress)


def _request(event: dict[str, Any]) -> Request:
    try:
        return Request.model_validate(event)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
        raise InvalidSettings(f"wrong in the event: {wrong}") from None


def _run(request: Request, deadline: Deadline) -> Progress:
    if request.drop_others:
        return reindex().drop_others(deadline=deadline)
    if not request.embedding_model or not request.dimensions:
        raise InvalidSettings("embedding_model and dimensions: needed to know what to go over to")
    kind = IndexKind(request.embedding_model, request.dimensions)
    return reindex().go_over(kind, deadline=deadline)


@kept
def reindex() -> Reindex:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_reindex(Settings.from_environment(os.environ))


def build_reindex(given: Settings) -> Reindex:
    database = Database(lambda deadline: connect(given, deadline))
    client = model_client(given)

    def stage_for(kind: IndexKind, table: str, tenant: str) -> EmbeddingStage:
        return EmbeddingStage(
            store=VectorTable(database, tenant, table),
            embedder=OpenAIEmbedder(client, kind.embedding_model, kind.dimensions),
            model=kind.embedding_model,
            batch_tokens=given.embedding_batch_tokens,
            concurrency=given.embedding_concurrency,
        )

    return Reindex(EmbeddingSets(database), stage_for, given.vector_index)
