"""Small stand-ins that behave: a search, models and a Lambda context, all in memory."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import openai

from ask.answering import AnsweringStage
from ask.floor import RelevanceFloor
from ask.generation import Generation
from ask.pipeline import AskPipeline
from ask.prompt import Prompt
from ask.refinement import Refinement
from ask.replies import GeneratedAnswer, Quotation
from ask.rerank import Reranker
from ask.retrieval import RetrievalStage
from ask.rewriting import ConversationStage
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.models import Place, PlaceMark
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.spending import tell_usage
from bucketwise.telemetry import Telemetry
from tests.unit.current_stdout import CurrentStdout
from tests.unit.memory_kinds import EMBEDDING_MODEL
from tests.unit.memory_neighbours import MemoryNeighbourhood
from tests.unit.memory_rewriter import JoiningRewriter
from tests.unit.memory_searcher import MemorySearcher

EVENTS = Path(__file__).parents[2] / "events"
ANSWER_MODEL = "gpt-4.1-mini"


def passage(
    text: str,
    *,
    key: str = "handbook.md",
    start: int = 0,
    marks: tuple[PlaceMark, ...] | None = None,
    title: str | None = "Handbook",
    tokens: int = 10,
    cosine: float | None = 0.9,
    coverage: float = 1.0,
) -> Passage:
    return Passage(
        key=key,
        ordinal=0,
        text=text,
        tokens=tokens,
        start=start,
        marks=marks if marks is not None else (PlaceMark(start, Place(page=1, heading=("Leave",))),),
        version="v1",
        title=title,
        content_type="text/markdown",
        last_modified=None,
        metadata={},
        score=1.0,
        vector_rank=1,
        cosine=cosine,
        keyword_rank=1,
        keyword_score=2.0,
        coverage=coverage,
    )


@dataclass
class FixedEmbedder:
    failure: Exception | None = None

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        if self.failure is not None:
            raise self.failure
        tell_usage(ModelUsage(EMBEDDING_MODEL, 5 * len(texts)))
        return Embeddings([[1.0, 0.0] for _ in texts], tokens=5 * len(texts))


@dataclass
class FixedGenerator:
    """Says what it was told to, to any prompt, and if it is asked again what is in ``later``; keeps the prompts."""

    answer: GeneratedAnswer
    failure: Exception | None = None
    prompts: list[Prompt] = field(default_factory=list)
    later: list[GeneratedAnswer | Exception] = field(default_factory=list)

    def generate(self, prompt: Prompt, *, deadline: Deadline) -> Generation:
        self.prompts.append(prompt)
        deadline.allow(1)
        if self.failure is not None:
            raise self.failure
        said = self.later[len(self.prompts) - 2] if 1 < len(self.prompts) <= 1 + len(self.later) else self.answer
        if isinstance(said, Exception):
            raise said
        usage = ModelUsage(ANSWER_MODEL, 1000, 100)
        tell_usage(usage)
        return Generation(said, usage, reply=said.answer)


def said(answer: str, *quotations: tuple[int, str], answerable: bool = True) -> GeneratedAnswer:
    return GeneratedAnswer(
        answerable=answerable,
        answer=answer,
        citations=[Quotation(passage=number, quote=quote) for number, quote in quotations],
        reason="",
    )


def retrieval_stage(
    searcher: MemorySearcher, embedder: FixedEmbedder | None = None, *, telemetry: Telemetry
) -> RetrievalStage:
    return RetrievalStage(
        searcher=searcher,
        kinds=searcher.kinds,
        embedder_for=lambda _: embedder or FixedEmbedder(),
        telemetry=telemetry,
        tenant="default",
        depth=100,
        keyword_weight=0.6,
    )


def ask_pipeline(
    searcher: MemorySearcher,
    generator: FixedGenerator,
    embedder: FixedEmbedder | None = None,
    *,
    telemetry: Telemetry,
    max_context_tokens: int = 6000,
    reranker: Reranker | None = None,
    rewriter: JoiningRewriter | None = None,
) -> AskPipeline:
    return AskPipeline(
        conversation=ConversationStage(rewriter or JoiningRewriter(), telemetry),
        retrieval=retrieval_stage(searcher, embedder, telemetry=telemetry),
        floor=RelevanceFloor(min_cosine=0.3, min_coverage=0.6),
        refinement=Refinement(MemoryNeighbourhood(), telemetry, reranker=reranker),
        answering=AnsweringStage(generator, telemetry, max_context_tokens),
        telemetry=telemetry,
    )


def client_to(server: Callable[[httpx2.Request], httpx2.Response]) -> openai.OpenAI:
    """The real SDK, whose requests end in ``server``."""
    return openai.OpenAI(
        api_key="x",
        base_url="http://model.test/v1",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(server)),
    )


@dataclass
class ScriptedServer:
    """Answers with one reply after the other, and with the last one from then on."""

    replies: list[httpx2.Response | Exception]
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(json.loads(request.content))
        if isinstance(reply, Exception):
            raise reply
        # A response can be read once only.
        return httpx2.Response(reply.status_code, headers=reply.headers, content=reply.content)


def log_to_current_stdout(telemetry: Telemetry) -> None:
    for handler in telemetry.logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(CurrentStdout())


@dataclass
class LambdaContext:
    """What Lambda hands a function: 29 s, less what has passed."""

    function_name: str = "ask"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ask"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
    ends_at: float = field(default_factory=lambda: time.monotonic() + 29)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - time.monotonic()) * 1000)


def sample_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def http_event(
    method: str,
    path: str,
    body: str | None = None,
    *,
    query: dict[str, str] | None = None,
    content_type: str = "application/json",
) -> dict[str, Any]:
    """A REST API's proxy event, after the sample of POST /ask."""
    event = sample_event("ask")
    return event | {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "body": body,
        "headers": event["headers"] | {"Content-Type": content_type},
        "multiValueHeaders": event["multiValueHeaders"] | {"Content-Type": [content_type]},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "requestContext": event["requestContext"] | {"httpMethod": method, "path": f"/live{path}"},
    }
