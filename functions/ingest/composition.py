"""Ingest's parts, put together once for each execution environment, on first use."""

import os
from functools import partial

from bucketwise.aws_clients import PATIENT, PROMPT, aws_client
from bucketwise.database import Database, connect
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import InvalidSettings
from bucketwise.index_kind import IndexKind, LiveKind
from bucketwise.ingest_queue import IngestQueue
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from bucketwise.snapstart import closed_before_snapshot, kept
from bucketwise.telemetry import Metric, Telemetry
from ingest.bucket import S3Bucket
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingStage, LiveEmbeddingStage
from ingest.fingerprint import fingerprint
from ingest.index import DocumentIndex
from ingest.language import detect
from ingest.pipeline import IngestPipeline, Limits
from ingest.postings import Postings
from ingest.postponement import Postponement
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from ingest.tags import Tagger
from ingest.vectors import VectorTable

telemetry = Telemetry("ingest")

LAMBDA_MEGABYTES = 2048  # the template's
OWN_MEGABYTES = 512


@kept
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@kept
def ingest_pipeline() -> IngestPipeline:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_pipeline(settings(), telemetry, document_index())


@kept
def postponement() -> Postponement:
    """Raises InvalidSettings without QUEUE_URL, but not for other settings: while they are wrong, nothing is lost.

    The index is the pipeline's, with its connection.
    """
    url = os.environ.get("QUEUE_URL")
    if not url:
        raise InvalidSettings("QUEUE_URL: needed to put documents off")
    return Postponement(partial(IngestQueue, aws_client("sqs", PROMPT), url), document_index)


@kept
def tagger() -> Tagger:
    return Tagger(aws_client("s3", PATIENT), settings().bucket)


@kept
def document_index() -> DocumentIndex:
    given = settings()
    return DocumentIndex(
        Database(lambda deadline: connect(given, deadline)),
        given.tenant,
        fingerprint(given),
        detect=lambda text: detect(text) or given.language,
    )


@kept
def postings() -> Postings:
    """On the index's connection."""
    index = document_index()
    return Postings(index.database, index.tenant)


def build_pipeline(given: Settings, telemetry: Telemetry, index: DocumentIndex) -> IngestPipeline:
    client = model_client(given)
    sandbox = closed_before_snapshot(
        Sandbox(SandboxLimits(memory_bytes=parser_memory()), partial(report_loss, telemetry))
    )

    # Without a circuit: nobody waits here, and a document that was put off because of the model's server already
    # comes later each time. An open circuit would put off documents that the server would have taken.
    def stage_for(kind: IndexKind) -> EmbeddingStage:
        return EmbeddingStage(
            store=VectorTable(index.database, given.tenant, kind=kind),
            embedder=OpenAIEmbedder(client, kind.embedding_model, kind.dimensions),
            model=kind.embedding_model,
            batch_tokens=given.embedding_batch_tokens,
            concurrency=given.embedding_concurrency,
        )

    return IngestPipeline(
        bucket=S3Bucket(aws_client("s3", PATIENT), given.bucket, given.prefix),
        index=index,
        chunker=Chunker(given.chunk_tokens, given.chunk_overlap_tokens, given.whole_document_tokens),
        embedding=LiveEmbeddingStage(LiveKind(index.database), stage_for),
        parse=sandbox.parse,
        telemetry=telemetry,
        limits=Limits(given.max_document_bytes, given.max_document_tokens),
    )


def report_loss(telemetry: Telemetry, loss: Loss) -> None:
    """Of a parsing process: the document may be indexed all the same, in part."""
    telemetry.count_with_reason(Metric.PARSERS_LOST, loss.how.value)
    telemetry.logger.warning("a parsing process was lost", extra={"reason": loss.how.value, "cause": loss.cause})


def parser_memory() -> int:
    """Bytes of address space for a parsing process: the function's memory, less what the function needs itself."""
    megabytes = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", LAMBDA_MEGABYTES))
    return max(megabytes - OWN_MEGABYTES, OWN_MEGABYTES) << 20
