"""Logs, traces and metrics. No question, answer, passage or key goes into any of them.

Names and units of the metrics are stated in the README's table, which is checked against this enumeration.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from types import TracebackType
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from bucketwise.errors import BucketwiseError
from bucketwise.prices import ModelUsage

# Of the metrics outside of a stack. In one, POWERTOOLS_METRICS_NAMESPACE has the stack's name behind it.
NAMESPACE = "Bucketwise"

Handler = Callable[[dict[str, Any], Any], Any]


class Metric(Enum):
    """Every metric that the functions emit, with its unit."""

    EMBEDDING_LATENCY = ("EmbeddingLatency", MetricUnit.Milliseconds)
    KEYWORD_LATENCY = ("KeywordLatency", MetricUnit.Milliseconds)
    RETRIEVAL_LATENCY = ("RetrievalLatency", MetricUnit.Milliseconds)
    RERANK_LATENCY = ("RerankLatency", MetricUnit.Milliseconds)
    GENERATION_LATENCY = ("GenerationLatency", MetricUnit.Milliseconds)
    PROMPT_TOKENS = ("PromptTokens", MetricUnit.Count)
    COMPLETION_TOKENS = ("CompletionTokens", MetricUnit.Count)
    EMBEDDING_TOKENS = ("EmbeddingTokens", MetricUnit.Count)
    RERANK_TOKENS = ("RerankTokens", MetricUnit.Count)
    COST_USD = ("CostUSD", MetricUnit.NoUnit)
    CACHE_HIT = ("CacheHit", MetricUnit.Count)
    CACHE_MISS = ("CacheMiss", MetricUnit.Count)
    FAILED_REQUESTS = ("FailedRequests", MetricUnit.Count)
    CITATIONS_VERIFIED = ("CitationsVerified", MetricUnit.Count)
    CITATIONS_DROPPED = ("CitationsDropped", MetricUnit.Count)
    ANSWERS_REFUSED = ("AnswersRefused", MetricUnit.Count)
    ANSWERS_DEGRADED = ("AnswersDegraded", MetricUnit.Count)
    TIME_TO_ANSWER = ("TimeToAnswer", MetricUnit.Milliseconds)
    BUDGET_EXCEEDED = ("BudgetExceeded", MetricUnit.Count)
    RERANKS_FAILED = ("RerankFailures", MetricUnit.Count)
    NEAR_DUPLICATES = ("NearDuplicates", MetricUnit.Count)
    CROWDED_OUT = ("CrowdedOut", MetricUnit.Count)
    DOCUMENTS_INDEXED = ("DocumentsIndexed", MetricUnit.Count)
    DOCUMENTS_FAILED = ("DocumentsFailed", MetricUnit.Count)
    DOCUMENTS_POSTPONED = ("DocumentsPostponed", MetricUnit.Count)
    PARSERS_LOST = ("ParsersLost", MetricUnit.Count)
    CHUNKS_EMBEDDED = ("ChunksEmbedded", MetricUnit.Count)
    CHUNKS_REUSED = ("ChunksReused", MetricUnit.Count)
    INGEST_LAG = ("IngestLag", MetricUnit.Milliseconds)
    RECONCILE_OBJECTS = ("ReconcileObjects", MetricUnit.Count)
    RECONCILE_DRIFT = ("ReconcileDrift", MetricUnit.Count)
    VECTORS_COLLECTED = ("VectorsCollected", MetricUnit.Count)


class Telemetry:
    """One function's Logger, Tracer and Metrics, so that a pipeline needs a single collaborator."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
        self.logger = Logger(service=service)
        # Patched clients would write object keys into traces.
        self.tracer = Tracer(service=service, auto_patch=False)
        self.metrics = Metrics(namespace=self._namespace, service=service)

    def count(self, metric: Metric, value: float) -> None:
        name, unit = metric.value
        self.metrics.add_metric(name=name, unit=unit, value=value)

    def count_usage(self, usage: ModelUsage) -> None:
        """Tokens of a chat model, and what they cost if that is known."""
        self.count(Metric.PROMPT_TOKENS, usage.input_tokens)
        self.count(Metric.COMPLETION_TOKENS, usage.output_tokens)
        if usage.usd is not None:
            self.count(Metric.COST_USD, usage.usd)

    def count_with_reason(self, metric: Metric, reason: str) -> None:
        """Counts one under the dimension ``reason``, in an EMF document of its own: a dimension belongs to all
        metrics of a document, and a request's other metrics have no reason."""
        name, unit = metric.value
        dimensions = {"service": self._service, "reason": reason}
        with single_metric(name=name, unit=unit, value=1, namespace=self._namespace, default_dimensions=dimensions):
            pass

    def metrics_flushed(self, handler: Handler) -> Handler:
        """A handler after which the metrics it counted are written, also when it raises.

        Powertools' own decorator warns about an invocation that counted nothing, such as a test event.
        """

        @wraps(handler)
        def flushing(event: dict[str, Any], context: Any) -> Any:
            try:
                return handler(event, context)
            finally:
                if self.metrics.metric_set:
                    self.metrics.flush_metrics()

        return flushing

    def failures_logged(self, **details: object) -> "_FailureLog":
        """A context that logs an error on its way through, see ``log_failure``, and lets only a text of ours go on.

        Raises UnexpectedFailure in the place of an error that is not a BucketwiseError.
        """
        return _FailureLog(self, details)

    def log_failure(self, error: BaseException, **details: object) -> None:
        """Logs the kind of error and where it was raised.

        Its text is logged only if it is one of ours, which hold nobody's text; a library's may.
        """
        frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        text = str(error) if isinstance(error, BucketwiseError) else None
        self.logger.error("failed", extra={"error": type(error).__name__, "text": text, "frames": frames, **details})

    @contextmanager
    def step(self, name: str, latency: Metric | None = None) -> Iterator[None]:
        """A trace subsegment, and its duration as a metric, also when the step fails.

        The SDK's own context manager would record an exception's text, so the subsegment is opened by hand.
        """
        recorder: Any = self.tracer.provider
        subsegment = recorder.begin_subsegment(f"## {name}")
        began = perf_counter()
        is_done = False
        try:
            yield
            is_done = True
        finally:
            if subsegment is not None and not is_done:
                subsegment.add_error_flag()
            recorder.end_subsegment()
            if latency is not None:
                self.count(latency, (perf_counter() - began) * 1000)


class UnexpectedFailure(Exception):
    """Goes on in the place of an error that is not ours: Lambda logs its text, X-Ray keeps it, and whoever invoked the
    function is told it. PostgreSQL's, for one, may hold a whole row."""


class _FailureLog:
    def __init__(self, telemetry: Telemetry, details: dict[str, object]) -> None:
        self._telemetry = telemetry
        self._details = details

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            return
        self._telemetry.log_failure(error, **self._details)
        if not isinstance(error, BucketwiseError):
            raise UnexpectedFailure(type(error).__name__) from None
        error.__cause__ = None  # whose text may be printed with it
