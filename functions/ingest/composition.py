"""Ingest's parts, put together once for each execution environment, on first use."""

import os
from functools import lru_cache

import boto3

from bucketwise.database import Database, connect
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from ingest.bucket import S3Bucket
from ingest.chunking import CHUNKER_VERSION, Chunker
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import PARSER_VERSION
from ingest.pipeline import IngestPipeline

telemetry = Telemetry("ingest")


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@lru_cache(maxsize=1)
def ingest_pipeline() -> IngestPipeline:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_pipeline(settings(), telemetry)


def build_pipeline(given: Settings, telemetry: Telemetry) -> IngestPipeline:
    index = DocumentIndex(Database(lambda: connect(given)), given.tenant, fingerprint(given))
    return IngestPipeline(
        bucket=S3Bucket(boto3.client("s3"), given.bucket),
        index=index,
        chunker=Chunker(given.chunk_tokens, given.chunk_overlap_tokens),
        embedding=EmbeddingStage(
            store=index,
            embedder=OpenAIEmbedder(model_client(given), given.embedding_model, given.embedding_dimensions),
            model=given.embedding_model,
            batch_tokens=given.embedding_batch_tokens,
            concurrency=given.embedding_concurrency,
        ),
        telemetry=telemetry,
        max_document_bytes=given.max_document_bytes,
    )


def fingerprint(given: Settings) -> str:
    """Names all that decides which chunks and vectors a given version of an object gets."""
    chunking = f"{given.chunk_tokens}/{given.chunk_overlap_tokens}"
    model = f"{given.embedding_model} {given.embedding_dimensions}"
    return f"parser {PARSER_VERSION}, chunker {CHUNKER_VERSION} {chunking}, {model}"
