"""Ingest's parts, put together once for each execution environment, on first use."""

import os
from dataclasses import dataclass
from functools import partial

from openai import OpenAI

from bucketwise.aws_clients import PATIENT, PROMPT, aws_client
from bucketwise.database import Database, connect
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import InvalidSettings
from bucketwise.index_kind import IndexKind, LiveKind
from bucketwise.ingest_queue import IngestQueue
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from bucketwise.snapstart import closed_before_snapshot, kept, kept_for_each
from bucketwise.telemetry import Metric, Telemetry
from ingest.bucket import S3Bucket
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingStage, LiveEmbeddingStage
from ingest.fingerprint import fingerprint
from ingest.index import DocumentIndex
from ingest.language import detect
from ingest.pipeline import IngestPipeline, Limits, Parse
from ingest.postings import Postings
from ingest.postponement import Postponement
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from ingest.strays import Strays
from ingest.tags import Tagger
from ingest.tenants import Owner, Tenancy
from ingest.vectors import VectorTable

telemetry = Telemetry("ingest")

LAMBDA_MEGABYTES = 2048  # the template's
OWN_MEGABYTES = 512

MOST_TENANTS = 128
"""Whose parts are kept in an execution environment. They are small: all that is large or connected is shared."""


@kept
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pipelines of all tenants have in common."""

    tenancy: Tenancy
    model: OpenAI
    bucket: S3Bucket
    kinds: LiveKind
    parse: Parse


@kept_for_each(MOST_TENANTS)
def ingest_pipeline(owner: Owner) -> IngestPipeline:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_pipeline(settings(), telemetry, document_index(owner), shared(), refuses=owner.refused)


@kept
def postponement() -> Postponement:
    """Raises InvalidSettings without QUEUE_URL, but not for other settings: while they are wrong, nothing is lost.

    The index is the pipeline's, with its connection.
    """
    url = os.environ.get("QUEUE_URL")
    if not url:
        raise InvalidSettings("QUEUE_URL: needed to put documents off")
    return Postponement(
        partial(IngestQueue, aws_client("sqs", PROMPT), url),
        lambda key: document_index(Tenancy.of(settings()).owner(key)),
    )


@kept
def tagger() -> Tagger:
    return Tagger(aws_client("s3", PATIENT), settings().bucket)


@kept
def database() -> Database:
    given = settings()
    return Database(lambda deadline: connect(given, deadline))


@kept_for_each(MOST_TENANTS)
def document_index(owner: Owner) -> DocumentIndex:
    given = settings()
    return DocumentIndex(
        database(),
        owner.tenant,
        owner.fingerprint(fingerprint(given)),
        detect=lambda text: detect(text) or given.language,
        home=given.tenant,
    )


@kept_for_each(MOST_TENANTS)
def postings(tenant: str) -> Postings:
    """On the index's connection."""
    return Postings(database(), tenant)


@kept
def shared() -> Shared:
    return share(settings(), telemetry, database())


def share(given: Settings, telemetry: Telemetry, database: Database) -> Shared:
    sandbox = closed_before_snapshot(
        Sandbox(SandboxLimits(memory_bytes=parser_memory()), partial(report_loss, telemetry))
    )
    return Shared(
        tenancy=Tenancy.of(given),
        model=model_client(given),
        bucket=S3Bucket(aws_client("s3", PATIENT), given.bucket, given.prefix),
        kinds=LiveKind(database),
        parse=sandbox.parse,
    )


def build_pipeline(
    given: Settings, telemetry: Telemetry, index: DocumentIndex, shared: Shared, *, refuses: bool = False
) -> IngestPipeline:
    """For the tenant of ``index``."""

    # Without a circuit: nobody waits here, and a document that was put off because of the model's server already
    # comes later each time. An open circuit would put off documents that the server would have taken.
    def stage_for(kind: IndexKind) -> EmbeddingStage:
        return EmbeddingStage(
            store=VectorTable(index.database, index.tenant, kind=kind),
            embedder=OpenAIEmbedder(shared.model, kind.embedding_model, kind.dimensions),
            model=kind.embedding_model,
            batch_tokens=given.embedding_batch_tokens,
            concurrency=given.embedding_concurrency,
        )

    return IngestPipeline(
        bucket=shared.bucket,
        index=index,
        strays=Strays(index, shared.tenancy),
        chunker=Chunker(given.chunk_tokens, given.chunk_overlap_tokens, given.whole_document_tokens),
        embedding=LiveEmbeddingStage(shared.kinds, stage_for),
        parse=shared.parse,
        telemetry=telemetry,
        limits=Limits(given.max_document_bytes, given.max_document_tokens),
        refuses=refuses,
    )


def report_loss(telemetry: Telemetry, loss: Loss) -> None:
    """Of a parsing process: the document may be indexed all the same, in part."""
    telemetry.count_with_reason(Metric.PARSERS_LOST, loss.how.value)
    telemetry.logger.warning("a parsing process was lost", extra={"reason": loss.how.value, "cause": loss.cause})


def parser_memory() -> int:
    """Bytes of address space for a parsing process: the function's memory, less what the function needs itself."""
    megabytes = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", LAMBDA_MEGABYTES))
    return max(megabytes - OWN_MEGABYTES, OWN_MEGABYTES) << 20
