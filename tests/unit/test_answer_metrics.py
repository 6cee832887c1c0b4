"""What is counted of each reply."""

from collections.abc import Iterator
from typing import Any

import pytest

from ask.replies import GeneratedAnswer
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelUnavailable
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedEmbedder, FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_searcher import MemorySearcher

LEAVE = passage("Leave is 25 days a year.")
UNRELATED = passage("Bake for an hour.", cosine=0.1, coverage=0.2)
RIGHT = said("25 days [1].", (1, "25 days"))
NAMES = ("CitationsVerified", "CitationsDropped", "AnswersRefused", "AnswersDegraded")


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry("ask")
    telemetry.metrics.clear_metrics()
    yield telemetry
    telemetry.metrics.clear_metrics()


@pytest.mark.parametrize(
    ("reply", "failures", "found", "counted"),
    [
        (RIGHT, {}, LEAVE, [1, 0, 0, 0]),
        (said("25 days [1].", (1, "25 days"), (1, "a year"), (1, "a month")), {}, LEAVE, [2, 1, 0, 0]),
        (said("", answerable=False), {}, LEAVE, [0, 0, 1, 0]),
        (said("30 days [1].", (1, "30 days")), {}, LEAVE, [0, 2, 1, 0]),
        (RIGHT, {}, UNRELATED, [0, 0, 1, 0]),
        (RIGHT, {"generator"}, LEAVE, [0, 0, 0, 1]),
        (RIGHT, {"embedder"}, LEAVE, [1, 0, 0, 1]),
    ],
)
def test_citations_refusals_and_degraded_replies_are_counted(
    telemetry: Telemetry, reply: GeneratedAnswer, failures: set[str], found: Any, counted: list[int]
) -> None:
    failure = ModelUnavailable("x")
    generator = FixedGenerator(reply, failure if "generator" in failures else None)
    embedder = FixedEmbedder(failure if "embedder" in failures else None)
    pipeline = ask_pipeline(MemorySearcher([found]), generator, embedder, telemetry=telemetry)
    pipeline.answer(Query("How much leave?"), deadline=Deadline.after(20))
    metrics: dict[str, Any] = dict(telemetry.metrics.serialize_metric_set())
    assert [sum(metrics.get(name, [])) for name in NAMES] == counted
