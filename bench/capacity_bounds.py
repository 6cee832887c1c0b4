"""How many documents a day, questions a second and chunks each part of a stack carries by itself."""

import math
from dataclasses import dataclass

from bench.capacity_limits import limit
from bench.capacity_queue import Course, Observed, lognormal, mean_of_lognormal, simulate
from bench.capacity_steps import Steps

DAY = 86_400
MINUTES = 1_440
GIB = 2**30
BATCH_TOKENS = 50_000  # EMBEDDING_BATCH_TOKENS
MODEL_SPREAD = 2.0  # of a model's times, p95 to p50: an assumption
REFUSED = 0.01
QUESTIONS = 12_000
FINER = 9  # halvings of the interval in which saturation lies


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters of the template, limits a minute of the models, and what a document and a question are like.

    ``cached_share``: of the questions, those that are answered from the cache, which asks no model.
    """

    name: str
    ask_concurrency: int = 50
    ingest_concurrency: int = 5
    acu: float = 4
    embedding_tpm: int = 1_000_000
    embedding_rpm: int = 3_000
    answer_tpm: int = 200_000
    answer_rpm: int = 500
    chunks: int = 100_000
    document_kb: float = 50
    prompt_tokens: int = 3_000
    answer_tokens: int = 200
    embed_ms: float = 150
    generate_ms: float = 1_800
    cached_share: float = 0.0
    gateway_rps: float = 50

    @property
    def cores(self) -> float:
        return self.acu * limit("Aurora, processors of a capacity unit")


@dataclass(frozen=True, slots=True)
class Bound:
    what: str
    value: float


def chunks_of_document(given: Settings, steps: Steps) -> float:
    return max(1.0, given.document_kb / 1000 * steps.chunks_per_megabyte)


def documents_a_day(given: Settings, steps: Steps) -> list[Bound]:
    """Least first."""
    chunks = chunks_of_document(given, steps)
    tokens = chunks * steps.tokens_per_chunk
    requests = math.ceil(tokens / BATCH_TOKENS)
    seconds = (given.embed_ms + chunks * steps.chunk_ms) / 1000
    return _least_first(
        Bound("IngestMaximumConcurrency", given.ingest_concurrency * DAY / seconds),
        Bound("embedding model, tokens", given.embedding_tpm * MINUTES / tokens),
        Bound("embedding model, requests", given.embedding_rpm * MINUTES / requests),
        Bound("database, processors", given.cores * DAY * 1000 / (chunks * steps.chunk_database_ms)),
    )


def questions_a_second(given: Settings, steps: Steps) -> list[Bound]:
    """Least first. Raises ZeroDivisionError if all questions are answered from the cache."""
    new = 1 - given.cached_share
    cached = mean_of_lognormal(steps.cached_p50_ms, steps.cached_p95_ms) / 1000
    database = mean_of_lognormal(*steps.search_ms(given.chunks)) / 1000
    seconds = new * _mean_seconds(given, steps) + given.cached_share * cached
    return _least_first(
        Bound("AskConcurrency", given.ask_concurrency / seconds),
        Bound("answering model, tokens", given.answer_tpm / 60 / (given.prompt_tokens + given.answer_tokens) / new),
        Bound("answering model, requests", given.answer_rpm / 60 / new),
        Bound("database, processors", given.cores / database / new),
        Bound("API Gateway", given.gateway_rps),
    )


def chunks_in_memory(acu: float, steps: Steps) -> float:
    """So many that vector index, postings and keys stay in memory."""
    gib = acu * limit("Aurora, GiB of memory of a capacity unit") * limit("Aurora, share of memory for pages")
    return gib * GIB / steps.hot_bytes


def with_readers(given: Settings, steps: Steps, readers: int) -> float:
    """Questions a second that the database's processors carry if searches are spread over readers, too."""
    [database] = [bound for bound in questions_a_second(given, steps) if bound.what == "database, processors"]
    return database.value * (1 + readers)


def connections(given: Settings) -> int:
    """Each environment of a function holds one; migrate, reindex and reconcile need a few."""
    return given.ask_concurrency + given.ingest_concurrency + 5


def course(given: Settings, steps: Steps) -> Course:
    """The steps of a question, with the function's own time before the database."""
    own = lognormal(*(ms / 1000 for ms in steps.function_ms))
    embed = lognormal(given.embed_ms / 1000, given.embed_ms * MODEL_SPREAD / 1000)
    p50, p95 = (ms / 1000 for ms in steps.search_ms(given.chunks))
    return Course(
        before=lambda chance: own(chance) + embed(chance),
        database=lognormal(p50, p95),
        after=lognormal(given.generate_ms / 1000, given.generate_ms * MODEL_SPREAD / 1000),
    )


def ask_at(rate: float, given: Settings, steps: Steps) -> Observed:
    cores = max(1, int(given.cores))
    return simulate(
        rate=rate,
        course=course(given, steps),
        environments=given.ask_concurrency,
        cores=cores,
        questions=QUESTIONS,
    )


def saturation(given: Settings, steps: Steps) -> float:
    """The questions a second at which one in a hundred finds no free environment; models' limits left aside."""
    low, high = 0.0, 2 * given.ask_concurrency / _mean_seconds(given, steps)
    for _ in range(FINER):
        middle = (low + high) / 2
        if ask_at(middle, given, steps).refused > REFUSED:
            high = middle
        else:
            low = middle
    return low


def _mean_seconds(given: Settings, steps: Steps) -> float:
    """Of a question with nothing to wait for."""
    models = [mean_of_lognormal(ms, ms * MODEL_SPREAD) for ms in (given.embed_ms, given.generate_ms)]
    return (
        sum(models) + mean_of_lognormal(*steps.function_ms) + mean_of_lognormal(*steps.search_ms(given.chunks))
    ) / 1000


def _least_first(*bounds: Bound) -> list[Bound]:
    return sorted(bounds, key=lambda bound: bound.value)
