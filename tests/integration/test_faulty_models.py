"""Documents that are ingested while the model's server fails in all the ways it can."""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from bench.chaos_bucket import VersionedMemoryBucket
from bench.chaos_checks import differing_keys
from bench.chaos_embeddings import EmbeddingLedger, WatchedVectors
from bench.chaos_texts import CHUNKER, chunks_of, make_text
from bench.machine import QuietTelemetry
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embedder, Embeddings, OpenAIEmbedder
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.receipts import Outcome, Receipt
from ingest.strays import Strays
from ingest.tenants import Tenancy
from ingest.vectors import VectorTable, text_digest
from local.index import create_index
from local.model_server.client import LocalModels
from local.model_server.embeddings import DIMENSIONS, EMBEDDING_MODEL
from local.postgres import Postgres
from tests.unit.ingest_fakes import SOON

KEYS = [f"{number}.txt" for number in range(3)]
BEFORE = {key: make_text(key, 1, 2) for key in KEYS}
DOCUMENTS = {key: f"{text}\n\n{make_text(key, 2, 4)}" for key, text in BEFORE.items()}
"""Half known: their beginnings were documents before."""
REQUESTS_SPOILED = 9
LOOK_SECONDS = 0.7
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retry_after": 0.2},
    {"status": 429, "code": "insufficient_quota"},
    {"status": 500},
    {"kind": "hang", "seconds": 2, "times": 4},
    {"kind": "cut"},
    {"kind": "empty"},
    {"kind": "count"},
    {"kind": "indexes"},
    {"kind": "nan"},
    {"kind": "zero"},
    {"kind": "size"},
]


@dataclass(frozen=True, slots=True)
class WatchedEmbedder:
    embedder: Embedder
    store: WatchedVectors
    ledger: EmbeddingLedger

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        self.ledger.note([text_digest(text) for text in texts], self.store.present)
        return self.embedder.embed(texts, deadline=deadline, tries=tries)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Ingest of one tenant, with the model's server it asks."""

    models: LocalModels
    settings: Settings
    superuser: str
    embedder: OpenAIEmbedder
    bucket: VersionedMemoryBucket
    ledger: EmbeddingLedger
    pipeline: IngestPipeline

    def add_fault(self, **fault: object) -> None:
        request = urllib.request.Request(  # noqa: S310
            f"{self.models.url.removesuffix('/v1')}/faults", json.dumps(fault).encode(), method="POST"
        )
        urllib.request.urlopen(request).close()  # noqa: S310

    def take_in(self, objects: dict[str, str]) -> list[Receipt]:
        """Puts the objects and looks at each until it is not put off any more."""
        for key, text in objects.items():
            self.bucket.put(key, text)
        receipts = []
        waiting = list(objects)
        while waiting:
            key = waiting.pop(0)
            receipt = self.pipeline.bring_up_to_date(key, deadline=Deadline.after(LOOK_SECONDS))
            if receipt.outcome is Outcome.POSTPONED:
                waiting.append(key)
            receipts.append(receipt)
        return receipts

    def stored_vectors(self) -> dict[bytes, list[float]]:
        with psycopg.connect(self.superuser) as connection:
            rows = connection.execute(
                "SELECT text_sha256, embedding::text FROM bucketwise.embeddings WHERE tenant = %s",
                (self.settings.tenant,),
            )
            return {digest: json.loads(vector) for digest, vector in rows}


@pytest.fixture(scope="module")
def models() -> Iterator[LocalModels]:
    with LocalModels.start(faults=True) as running:
        yield running


@pytest.fixture(scope="module")
def index(postgres: Postgres) -> tuple[str, str]:
    """URLs for ingest and for a superuser."""
    name = f"faulty_{uuid4().hex[:12]}"
    urls = create_index(postgres, name, embedding_model=EMBEDDING_MODEL, dimensions=DIMENSIONS)
    return urls.ingest, postgres.dsn("postgres", name)


@pytest.fixture
def ingest(models: LocalModels, index: tuple[str, str]) -> Iterator[Ingest]:
    settings = Settings.from_environment(
        {
            "DATABASE_URL": index[0],
            "TENANT": uuid4().hex,
            "OPENAI_BASE_URL": models.url,
            "EMBEDDING_MODEL": EMBEDDING_MODEL,
            "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        }
    )
    database, bucket, ledger = (
        Database(lambda deadline: connect(settings, deadline)),
        VersionedMemoryBucket(),
        EmbeddingLedger(),
    )
    database.run(lambda _: None, deadline=SOON)  # connecting is not begun in the short time of a look
    store = WatchedVectors(VectorTable(database, settings.tenant), ledger)
    with model_client(settings) as client:
        embedder = OpenAIEmbedder(client, EMBEDDING_MODEL, DIMENSIONS)
        # Small batches, so that one document takes several requests, of which some fail.
        stage = EmbeddingStage(
            store, WatchedEmbedder(embedder, store, ledger), EMBEDDING_MODEL, batch_tokens=64, concurrency=2
        )
        documents = DocumentIndex(database, settings.tenant, "faulty 1")
        pipeline = IngestPipeline(
            bucket=bucket,
            index=documents,
            strays=Strays(documents, Tenancy(settings.tenant)),
            chunker=CHUNKER,
            embedding=stage,
            parse=parsed_here,
            telemetry=QuietTelemetry("faulty"),
            limits=Limits(settings.max_document_bytes, settings.max_document_tokens),
        )
        yield Ingest(models, settings, index[1], embedder, bucket, ledger, pipeline)
    database.close()


def assert_all_is_as_it_should_be(ingest: Ingest) -> None:
    with psycopg.connect(ingest.superuser) as connection:
        assert differing_keys(connection, ingest.settings.tenant, ingest.bucket.contents()) == set()
    texts = [chunk for text in DOCUMENTS.values() for chunk in chunks_of(text)]
    right = ingest.embedder.embed(texts, deadline=SOON).vectors
    stored = ingest.stored_vectors()
    assert stored.keys() == {text_digest(text) for text in texts}
    for text, vector in zip(texts, right, strict=True):
        assert stored[text_digest(text)] == pytest.approx(vector, abs=1e-3)
    assert ingest.ledger.wasted == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_what_was_put_off_because_of_a_fault_is_indexed_when_it_is_over(ingest: Ingest, fault: dict[str, Any]) -> None:
    ingest.take_in(BEFORE)
    ingest.add_fault(**{"route": "embeddings", "times": REQUESTS_SPOILED, **fault})
    receipts = ingest.take_in(DOCUMENTS)
    assert any(receipt.outcome is Outcome.POSTPONED for receipt in receipts)
    assert [receipt.outcome for receipt in receipts].count(Outcome.INDEXED) == len(DOCUMENTS)
    assert_all_is_as_it_should_be(ingest)


def test_vectors_in_another_order_than_their_texts_go_to_the_right_ones(ingest: Ingest) -> None:
    ingest.add_fault(route="embeddings", kind="order", times=2 * REQUESTS_SPOILED)
    receipts = ingest.take_in(DOCUMENTS)
    assert [receipt.outcome for receipt in receipts] == [Outcome.INDEXED] * len(DOCUMENTS)
    assert_all_is_as_it_should_be(ingest)
