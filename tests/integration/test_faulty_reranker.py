"""Questions asked while the reranker fails in all the ways it can: they cost its order, and nothing else."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from ask import refinement
from ask.composition import build_pipeline
from ask.generation import OpenAIGenerator
from ask.pipeline import AskPipeline, Found
from ask.rerank import EndpointReranker
from ask.retrieval import Query
from bench.machine import QuietTelemetry
from bench.memory_bucket import MemoryBucket
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from bucketwise.telemetry import Metric, Telemetry
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.strays import Strays
from ingest.tenants import Tenancy
from ingest.vectors import VectorTable
from local.function_settings import model_settings
from local.index import create_index
from local.model_server.client import LocalModels
from local.model_server.embeddings import DIMENSIONS, EMBEDDING_MODEL
from local.postgres import Postgres
from tests.unit.fakes import log_to_current_stdout
from tests.unit.ingest_fakes import SOON

DOCUMENTS = {
    "gate.md": "# Gate\n\nThe gate closes at midnight. Shore staff on annual leave have no key to it for these days.",
    "leave.md": "# Leave\n\nShore staff have 27 days of annual leave.",
    "ferry.md": "# Ferry\n\nThe first ferry leaves at six, on all days of the year.",
}
QUESTION = "How many days of annual leave do shore staff have?"
# Each is asked twice at most.
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retry_after": 60},
    {"status": 429, "retry_after": 0.05, "times": 2},
    {"status": 401},
    {"status": 500, "times": 2},
    {"status": 503, "times": 2},
    {"kind": "hang", "seconds": 2, "times": 2},
    {"kind": "cut", "times": 2},
    {"kind": "empty", "times": 2},
    {"kind": "count", "times": 2},
    {"kind": "indexes", "times": 2},
    {"kind": "unknown", "times": 2},
    {"kind": "nan", "times": 2},
]
OF_A_CHAT_MODEL: list[dict[str, Any]] = [
    {"status": 500, "times": 2},
    {"kind": "hang", "seconds": 2, "times": 2},
    {"kind": "cut", "times": 2},
    {"kind": "empty", "times": 2},
    {"kind": "length", "times": 2},
]


@dataclass(frozen=True, slots=True)
class Asked:
    models: LocalModels
    pipeline: AskPipeline
    plain: AskPipeline
    telemetry: Telemetry

    def add_fault(self, **fault: object) -> None:
        self._control("POST", json.dumps(fault).encode())

    def no_more_faults(self) -> None:
        self._control("DELETE", None)

    def search(self) -> Found:
        return self.pipeline.search(Query(QUESTION), deadline=SOON)

    def _control(self, method: str, body: bytes | None) -> None:
        url = f"{self.models.url.removesuffix('/v1')}/faults"
        urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()  # noqa: S310


@pytest.fixture(scope="module")
def models() -> Iterator[LocalModels]:
    with LocalModels.start(faults=True) as running:
        yield running


@pytest.fixture(scope="module")
def ask_url(models: LocalModels, postgres: Postgres) -> str:
    """Of an index that holds the documents, for the role of ask."""
    name = f"rerank_{uuid4().hex[:12]}"
    urls = create_index(postgres, name, embedding_model=EMBEDDING_MODEL, dimensions=DIMENSIONS)
    given = settings_of(urls.ingest, models)
    database = Database(lambda deadline: connect(given, deadline))
    with model_client(given) as client:
        index = DocumentIndex(database, given.tenant, "rerank 1")
        pipeline = IngestPipeline(
            bucket=MemoryBucket(DOCUMENTS),
            index=index,
            strays=Strays(index, Tenancy(given.tenant)),
            chunker=Chunker(given.chunk_tokens, 0),
            embedding=EmbeddingStage(
                VectorTable(database, given.tenant),
                OpenAIEmbedder(client, EMBEDDING_MODEL, DIMENSIONS),
                EMBEDDING_MODEL,
                batch_tokens=10_000,
                concurrency=1,
            ),
            parse=parsed_here,
            telemetry=QuietTelemetry("rerank"),
            limits=Limits(given.max_document_bytes, given.max_document_tokens),
        )
        for key in DOCUMENTS:
            assert pipeline.bring_up_to_date(key, deadline=Deadline.after(20)).error is None
    database.close()
    return urls.ask


def settings_of(url: str, models: LocalModels, **options: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": url, **model_settings(options, models.url)})


@contextmanager
def composed(given: Settings, telemetry: Telemetry) -> Iterator[AskPipeline]:
    """The ask pipeline as the function has it, whose connections end with the test."""
    database = Database(lambda deadline: connect(given, deadline))
    pipeline = build_pipeline(given, database, telemetry)
    yield pipeline
    database.close()
    match pipeline.refinement.reranker:
        case EndpointReranker(client=client):
            client().close()
    match pipeline.answering.generator:
        case OpenAIGenerator(client=answering):
            answering.close()


@pytest.fixture
def asked(models: LocalModels, ask_url: str, request: pytest.FixtureRequest) -> Iterator[Asked]:
    """With RERANK as the test says."""
    telemetry = Telemetry("ask")
    telemetry.metrics.clear_metrics()
    log_to_current_stdout(telemetry)
    # All documents pass the floor, so that there is something to rank.
    reranking = settings_of(ask_url, models, RERANK=request.param, MIN_COSINE="0")
    plain = settings_of(ask_url, models)
    with composed(reranking, telemetry) as pipeline, composed(plain, QuietTelemetry("plain")) as other:
        asked = Asked(models, pipeline, other, telemetry)
        yield asked
        asked.no_more_faults()
    telemetry.metrics.clear_metrics()


by_endpoint = pytest.mark.parametrize("asked", ["endpoint"], indirect=True)
by_model = pytest.mark.parametrize("asked", ["model"], indirect=True)


def assert_the_search_stands(asked: Asked, printed: str) -> None:
    counted: dict[str, object] = dict(asked.telemetry.metrics.serialize_metric_set())
    assert counted[Metric.RERANKS_FAILED.value[0]] == [1.0]
    failures = [json.loads(line) for line in printed.splitlines() if '"failed"' in line]
    assert len(failures) == 1
    assert "gate" not in printed
    assert "leave" not in printed.casefold()


@pytest.mark.parametrize("asked", ["endpoint", "model"], indirect=True)
def test_a_reranker_decides_the_order_over_real_http(asked: Asked) -> None:
    found = asked.search()
    assert not found.degraded
    assert found.refined.passages[0].key == "leave.md"
    assert found.refined.passages[0].rerank_rank == 1
    assert sorted(passage.key for passage in found.refined.passages) == sorted(DOCUMENTS)
    assert found.refined.usage is not None
    assert found.refined.usage.input_tokens > 30


@by_endpoint
def test_every_passage_has_a_score_that_falls_with_its_rank(asked: Asked) -> None:
    found = asked.search().refined.passages
    assert [passage.rerank_rank for passage in found] == [1, 2, 3]
    scores = [passage.rerank_score or 0.0 for passage in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


@by_endpoint
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_faulty_reranker_costs_its_order_alone(
    asked: Asked, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(refinement, "RERANK_SECONDS", 0.8)
    asked.add_fault(**{"route": "rerank", **fault})
    found = asked.search()
    assert (found.degraded, found.retrieval.degraded) == (True, False)
    assert found.refined.passages == asked.plain.search(Query(QUESTION), deadline=SOON).refined.passages
    assert found.refined.usage is None
    assert_the_search_stands(asked, capsys.readouterr().out)


@by_model
@pytest.mark.parametrize("fault", OF_A_CHAT_MODEL, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_faulty_chat_model_costs_its_order_alone(
    asked: Asked, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(refinement, "RERANK_SECONDS", 0.8)
    asked.add_fault(**{"route": "chat", **fault})
    found = asked.search()
    assert found.degraded
    assert found.refined.passages == asked.plain.search(Query(QUESTION), deadline=SOON).refined.passages
    assert_the_search_stands(asked, capsys.readouterr().out)


@by_endpoint
def test_an_answer_is_given_all_the_same(asked: Asked) -> None:
    asked.add_fault(route="rerank", status=500, times=2)
    given = asked.pipeline.answer(Query(QUESTION), deadline=SOON)
    assert (given.degraded, given.draft.reason) == (True, None)
    assert given.draft.citations[0].quote == "Shore staff have 27 days of annual leave."


@by_endpoint
@pytest.mark.parametrize("fault", [{"status": 503}, {"kind": "count"}, {"kind": "cut"}], ids=str)
def test_one_failed_call_is_made_up_for_by_a_second(asked: Asked, fault: dict[str, Any]) -> None:
    asked.add_fault(route="rerank", **fault)
    found = asked.search()
    assert (found.degraded, found.refined.passages[0].rerank_rank) == (False, 1)


@by_endpoint
def test_results_in_another_order_are_sorted_by_their_scores(asked: Asked) -> None:
    usual = [passage.key for passage in asked.search().refined.passages]
    asked.add_fault(route="rerank", kind="order")
    assert [passage.key for passage in asked.search().refined.passages] == usual
