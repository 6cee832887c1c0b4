"""Looks that ended in order, with nothing committed: they cost no worker, and what they paid for is remembered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import ModelUnavailable
from bucketwise.ingest_queue import Errand
from ingest.attempts import Earlier
from ingest.chunking import Chunker
from ingest.composition import telemetry
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.postponement import next_errand
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON, MemoryBucket, facts
from tests.unit.ingest_world import NoStrays

HOUR = timedelta(hours=1)
NOTHING = EmbeddingReceipt()
TOLD = Errand()


@dataclass
class Model:
    """Takes so many requests of a few texts, and is then out."""

    takes: int = 1000

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        if self.takes == 0:
            raise ModelUnavailable("the model's server answered 503")
        self.takes -= 1
        return Embeddings([[1.0, len(text) % 100, 0, 0, 0, 0, 0, 0] for text in texts], 10)


@dataclass
class Ingest:
    tenant: Tenant
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    model: Model = field(default_factory=Model)

    def look(self, errand: Errand = TOLD, *, deadline: Deadline = SOON) -> Receipt:
        index = self.tenant.index
        pipeline = IngestPipeline(
            bucket=self.bucket,
            index=index,
            strays=NoStrays(),
            chunker=Chunker(16, 0),
            embedding=EmbeddingStage(self.tenant.table, self.model, "text-embedding-3-small", 16, concurrency=1),
            parse=parsed_here,
            telemetry=telemetry,
            limits=Limits(10_000, 10_000),
        )
        return pipeline.bring_up_to_date("a.txt", deadline=deadline, ended=errand.ended, again=errand.again)

    def pass_time(self, time: timedelta = 2 * HOUR) -> None:
        with connected(self.tenant.database.superuser) as connection:
            connection.execute(
                """UPDATE bucketwise.attempts SET over_by = over_by - %s, ended_at = ended_at - %s WHERE tenant = %s""",
                (time, time, self.tenant.index.tenant),
            )

    def begin(self) -> Earlier:
        return self.tenant.index.begin_attempt(facts(), self.tenant.claim(), ended=None, deadline=SOON)

    def end(self, *, stalled: bool = False, embedding: EmbeddingReceipt = NOTHING) -> None:
        claim = self.tenant.claim()
        self.tenant.index.begin_attempt(facts(), claim, ended=None, deadline=SOON)
        receipt = Receipt(Outcome.POSTPONED, claim, embedding=embedding, begun=True, stalled=stalled)
        self.tenant.index.end_attempt("a.txt", claim, receipt, deadline=SOON)


@pytest.fixture
def ingest(shared_index: IndexDatabase) -> Iterator[Ingest]:
    with opened(shared_index.ingest) as database:
        yield Ingest(Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index))


def test_an_outage_costs_no_worker_however_many_messages_tell_of_a_version(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", b"Harbour dues are 12 euros.")
    ingest.look()
    ingest.bucket.objects["a.txt"] = ("v2", b"Harbour dues are 13 euros.")
    ingest.model.takes = 0
    errands = [Errand(), Errand(again=True), Errand(again=True), Errand(again=True)]
    for _ in range(2):
        looks = [ingest.look(errand) for errand in errands]
        assert [look.error_name for look in looks] == ["model_unavailable"] * 4
        errands = list(map(next_errand, errands, looks))
        ingest.pass_time()
    assert ingest.tenant.texts() == ["Harbour dues are 12 euros."]
    assert ingest.tenant.attempts() == set()
    ingest.model.takes = 1000
    assert ingest.look(errands[0]).outcome is Outcome.INDEXED


def test_an_outage_costs_no_worker_if_the_connection_ends_while_the_model_is_waited_for(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", b"Harbour dues are 12 euros.")
    ingest.look()
    ingest.bucket.objects["a.txt"] = ("v2", b"Harbour dues are 13 euros.")

    def hang(*_: object, **__: object) -> Embeddings:
        """For longer than idle_session_timeout."""
        with connected(ingest.tenant.database.superuser) as connection:
            connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE usename = 'bucketwise_ingest' AND datname = current_database()"""
            )
        raise ModelUnavailable("the model's server did not answer")

    monkeypatch.setattr(ingest.model, "embed", hang)
    assert ingest.look().told
    assert ingest.tenant.attempts() == set()


def test_a_receipt_holds_what_all_looks_at_the_version_took(ingest: Ingest) -> None:
    paragraphs = [f"Paragraph number {number} has words of its own about harbour {number}." for number in range(8)]
    ingest.bucket.objects["a.txt"] = ("v1", "\n\n".join(paragraphs).encode())
    ingest.model.takes = 2
    first = ingest.look()
    ingest.pass_time()
    ingest.model.takes = 3
    second = ingest.look()
    ingest.pass_time()
    ingest.model.takes = 1000
    last = ingest.look()
    tokens = [look.embedding.tokens for look in (first, second, last)]
    assert tokens[:2] == [20, 30]
    assert tokens[2] > 0
    whole = last.embedding_in_all
    assert stored(ingest) == (whole.embedded, whole.reused, whole.tokens, whole.cost_usd)
    assert (whole.embedded, whole.reused, whole.tokens) == (last.chunks, 0, sum(tokens))
    assert whole.cost_usd == pytest.approx(sum(tokens) * 0.02 / 1_000_000)
    assert ingest.tenant.attempts() == set()


def test_what_another_version_took_is_not_counted(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = (
        "v1",
        b"One paragraph of words.\n\n" + b"Another one that has many more words. " * 5,
    )
    ingest.model.takes = 1
    assert ingest.look().embedding.tokens == 10
    ingest.bucket.objects["a.txt"] = ("v2", b"Nothing of that.")
    ingest.model.takes = 1
    ingest.look()
    assert stored(ingest)[:3] == (1, 0, 10)


def test_a_cost_is_unknown_if_that_of_one_look_is(ingest: Ingest) -> None:
    ingest.end(embedding=EmbeddingReceipt(1, 0, 10, 0.25))
    ingest.end(embedding=EmbeddingReceipt(2, 0, 20, 0.5))
    assert ingest.begin().embedding == EmbeddingReceipt(3, 0, 30, 0.75)
    ingest.end(embedding=EmbeddingReceipt(4, 0, 40, None))
    assert ingest.begin().embedding == EmbeddingReceipt(7, 0, 70, None)


def test_a_look_that_came_to_nothing_leaves_nothing(ingest: Ingest) -> None:
    ingest.end()
    assert ingest.tenant.attempts() == set()


def test_what_is_kept_of_a_look_stays_when_a_message_tells_of_its_end_too(ingest: Ingest) -> None:
    ingest.end(embedding=EmbeddingReceipt(1, 0, 10, 0.25))
    [claim] = ingest.tenant.attempts()
    earlier = ingest.tenant.index.begin_attempt(facts(), ingest.tenant.claim(), ended=claim, deadline=SOON)
    assert earlier == Earlier(embedding=EmbeddingReceipt(1, 0, 10, 0.25))
    assert claim in ingest.tenant.attempts()


def test_what_is_kept_of_a_look_costs_no_worker(ingest: Ingest) -> None:
    ingest.end(embedding=EmbeddingReceipt(1, 0, 10, 0.25))
    ingest.end(stalled=True)
    ingest.pass_time(1000 * HOUR)
    assert (ingest.begin().lost, len(ingest.tenant.attempts())) == (0, 3)


def test_looks_without_the_time_to_store_are_counted_and_so_is_the_time_since_the_first(ingest: Ingest) -> None:
    assert ingest.begin() == Earlier()
    for _ in range(3):
        ingest.end(stalled=True)
        ingest.pass_time(HOUR)
    earlier = ingest.begin()
    assert earlier.stalls == 3
    assert 3 * HOUR <= earlier.stalled_for < 4 * HOUR


def test_a_look_that_could_not_store_in_time_what_needs_no_embedding_is_such_a_one(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", b"Harbour dues are 12 euros.")
    ingest.look()
    with connected(ingest.tenant.database.superuser) as connection, connection.transaction():
        connection.execute(
            "SELECT FROM bucketwise.documents WHERE tenant = %s FOR UPDATE", (ingest.tenant.index.tenant,)
        )
        receipt = ingest.look(Errand(again=True), deadline=Deadline.after(1.5))
    assert (receipt.error_name, receipt.stalled, receipt.told) == ("deadline_exceeded", True, True)
    assert (ingest.begin().stalls, ingest.begin().lost) == (1, 0)


def stored(ingest: Ingest) -> tuple[int, int, int, float]:
    with connected(ingest.tenant.database.superuser) as connection:
        row = connection.execute(
            "SELECT embedded, reused, embedding_tokens, cost_usd FROM bucketwise.documents WHERE tenant = %s",
            (ingest.tenant.index.tenant,),
        ).fetchone()
    assert row is not None
    return row
