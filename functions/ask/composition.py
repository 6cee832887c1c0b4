"""Ask's parts, put together once for each execution environment, on first use.

What is a tenant's is made for that tenant alone, and takes its name: no part is handed from one to another.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

import openai

from ask.answer_cache import AnswerCache
from ask.answering import AnsweringStage
from ask.asking import Asking, Link
from ask.budgets import Budgets, Limits
from ask.documents import Documents
from ask.fingerprint import answer_fingerprint
from ask.floor import RelevanceFloor
from ask.generation import OpenAIGenerator
from ask.neighbours import NeighbourTable
from ask.pipeline import AskPipeline
from ask.prompt import PROMPT_VERSION, REPAIR_VERSION, TEXT_PROMPT_VERSION
from ask.refinement import Refinement
from ask.rerank import PROMPT_VERSION as RERANK_PROMPT_VERSION
from ask.rerank import ChatReranker, EndpointReranker, Reranker
from ask.retrieval import Query, RetrievalStage
from ask.rewriting import ChatRewriter, ConversationStage
from ask.searching import DatabaseSearcher
from bucketwise.aws_clients import PROMPT, aws_client
from bucketwise.circuit import Circuit
from bucketwise.database import Database, connect
from bucketwise.embedding import Embedder, OpenAIEmbedder
from bucketwise.errors import InvalidSettings
from bucketwise.index_kind import IndexKind, LiveKind
from bucketwise.ingest_queue import IngestQueue
from bucketwise.model_calls import model_client, rerank_client
from bucketwise.settings import Settings
from bucketwise.snapstart import kept, kept_for_each
from bucketwise.telemetry import Telemetry

telemetry = Telemetry("ask")

TENANTS_KEPT = 256
"""So many tenants' parts an environment keeps; they are some objects with a name, and quickly made anew."""

SHAPING_PROMPTS = (PROMPT_VERSION, TEXT_PROMPT_VERSION, REPAIR_VERSION, RERANK_PROMPT_VERSION)
"""All that answers depend on, whichever of them a model's server takes."""


@dataclass(frozen=True, slots=True)
class SharedParts:
    """What the pipelines of all tenants have in common: connections, clients of models, and their circuits.

    Nothing of it holds what is a tenant's, other than for the time of a request.
    """

    settings: Settings
    database: Database
    telemetry: Telemetry
    kinds: LiveKind
    conversation: ConversationStage
    embedder_for: Callable[[IndexKind], Embedder]
    reranker: Reranker | None
    answering: AnsweringStage

    @classmethod
    def of(cls, given: Settings, database: Database, telemetry: Telemetry) -> Self:
        client = model_client(given)
        embedding, answering = Circuit(), Circuit()
        rewriter = ChatRewriter(
            client, given.rewrite_model or given.answer_model, given.answer_format != "text", Circuit()
        )
        generator = OpenAIGenerator(client, given.answer_model, given.answer_tokens, given.answer_format, answering)
        return cls(
            settings=given,
            database=database,
            telemetry=telemetry,
            kinds=LiveKind(database),
            conversation=ConversationStage(rewriter, telemetry),
            embedder_for=lambda kind: OpenAIEmbedder(client, kind.embedding_model, kind.dimensions, embedding),
            reranker=_reranker(given, client),
            answering=AnsweringStage(generator, telemetry, given.max_context_tokens),
        )

    def pipeline(self, tenant: str) -> AskPipeline:
        given = self.settings
        return AskPipeline(
            conversation=self.conversation,
            retrieval=RetrievalStage(
                searcher=DatabaseSearcher(self.database),
                kinds=self.kinds,
                embedder_for=self.embedder_for,
                telemetry=self.telemetry,
                tenant=tenant,
                depth=given.search_depth,
                keyword_weight=given.keyword_weight,
                keyword_normalisation=given.keyword_normalisation,
                bm25_k1=given.bm25_k1,
                bm25_b=given.bm25_b,
            ),
            floor=RelevanceFloor(given.min_cosine, given.min_coverage, given.min_document_fit),
            refinement=Refinement(
                neighbourhood=NeighbourTable(self.database, tenant),
                telemetry=self.telemetry,
                reranker=self.reranker,
                rerank_candidates=given.rerank_candidates,
                near_duplicate_share=given.near_duplicate_share,
                max_per_document=given.max_per_document,
                reach=given.neighbours,
                max_context_tokens=given.max_context_tokens,
            ),
            answering=self.answering,
            telemetry=self.telemetry,
        )


@kept
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@kept
def database() -> Database:
    """Not connected yet."""
    return Database(lambda deadline: connect(settings(), deadline))


@kept
def tenants_of_callers() -> Mapping[str, str]:
    """Raises InvalidSettings."""
    return settings().tenants_of_callers


@kept_for_each(TENANTS_KEPT)
def documents(tenant: str) -> Documents:
    return Documents(database(), tenant)


@kept_for_each(TENANTS_KEPT)
def budgets(tenant: str) -> Budgets:
    return Budgets(database(), telemetry, tenant, Limits.of(settings()))


@kept
def shared_parts() -> SharedParts:
    """Raises InvalidSettings."""
    return SharedParts.of(settings(), database(), telemetry)


@kept_for_each(TENANTS_KEPT)
def ask_pipeline(tenant: str) -> AskPipeline:
    """Raises InvalidSettings."""
    return shared_parts().pipeline(tenant)


@kept_for_each(TENANTS_KEPT)
def asking(tenant: str) -> Asking:
    """Raises InvalidSettings."""
    return build_asking(settings(), ask_pipeline(tenant), database(), telemetry, tenant)


def build_asking(
    given: Settings, pipeline: AskPipeline, database: Database, telemetry: Telemetry, tenant: str
) -> Asking:
    def fingerprint(query: Query, kind: IndexKind) -> bytes:
        return answer_fingerprint(
            question=query.question,
            context=query.context,
            filters=query.filters or {},
            top_k=query.limit,
            settings=given,
            prompt_version=" ".join(SHAPING_PROMPTS),
            kind=kind,
        )

    seconds = given.answer_cache_seconds
    cache = AnswerCache(database, tenant, seconds, telemetry) if seconds else None
    return Asking(pipeline, cache, fingerprint)


def build_pipeline(given: Settings, database: Database, telemetry: Telemetry) -> AskPipeline:
    """Of the one tenant that the settings name."""
    return SharedParts.of(given, database, telemetry).pipeline(given.tenant)


def _reranker(given: Settings, client: openai.OpenAI) -> Reranker | None:
    match given.rerank:
        case "endpoint":
            # On first use: a key that cannot be read costs the rerank, not the answer.
            return EndpointReranker(cache(lambda: rerank_client(given)), given.rerank_model, Circuit())
        case "model":
            return ChatReranker(client, given.rerank_model or given.answer_model, Circuit())
    return None


@kept
def ingest_queue() -> IngestQueue:
    """Raises InvalidSettings without QUEUE_URL."""
    if not settings().queue_url:
        raise InvalidSettings("QUEUE_URL: needed to retry documents")
    return IngestQueue(aws_client("sqs", PROMPT), settings().queue_url, settings().bucket)


@kept
def link_maker() -> Link:
    """Makes a link to the exact version that a citation quotes, good for LINK_SECONDS; None with 0 seconds."""
    seconds = settings().link_seconds
    if seconds == 0:
        return lambda _key, _version: None
    # Without a style, botocore signs for the host that all regions share, which answers for other buckets than those of
    # us-east-1 by a redirect to where the signature does not hold. A server of one's own has no host for each bucket.
    of_amazon = not (os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"))
    style = {"addressing_style": "virtual" if of_amazon else "path"}
    client = aws_client("s3", PROMPT, signature_version="s3v4", s3=style)  # signs here, and is never called

    def link(key: str, version: str | None) -> str | None:
        parameters = {"Bucket": settings().bucket, "Key": key, **({"VersionId": version} if version else {})}
        signed: str = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        return signed

    return link
