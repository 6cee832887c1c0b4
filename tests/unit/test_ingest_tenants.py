"""One look and its tenant: who had the document before loses it first, and what can be nobody's fails unread."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DatabaseUnavailable, ModelUnavailable
from bucketwise.models import DocumentState, FailureReason
from bucketwise.settings import Settings
from ingest import composition, handler
from ingest.pipeline import IngestPipeline
from ingest.receipts import Outcome
from ingest.tenants import Owner
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex
from tests.unit.ingest_world import Folds, handle, ingest_world, pipeline_of
from tests.unit.test_events import notification

TEXT = b"Trains leave at noon."


@dataclass
class Elsewhere:
    """What other tenants have; ``saw`` is what had happened when it was removed."""

    looked: Callable[[], object]
    error: BucketwiseError | None = None
    saw: list[object] = field(default_factory=list)

    def remove(self, key: str, claim: int, *, deadline: Deadline) -> None:
        deadline.allow(1)
        if self.error is not None:
            raise self.error
        self.saw.append((key, claim, self.looked()))


@dataclass
class Ingest:
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    index: MemoryIndex = field(default_factory=MemoryIndex)
    embedder: LetterEmbedder = field(default_factory=LetterEmbedder)

    def __post_init__(self) -> None:
        self.bucket.index = self.index
        self.bucket.objects["//a.txt"] = self.bucket.objects["a.txt"] = ("v1", TEXT)
        self.elsewhere = Elsewhere(lambda: (list(self.bucket.opened_under), dict(self.index.rows)))
        pipeline = pipeline_of(self.bucket, self.index, self.embedder, tokens=1000)
        self.pipeline = replace(pipeline, strays=self.elsewhere)


@pytest.fixture
def ingest() -> Ingest:
    return Ingest()


@pytest.mark.parametrize("key", ["a.txt", "gone.txt"])
def test_other_tenants_lose_the_document_after_the_claim_and_before_the_bucket_is_read(
    ingest: Ingest, key: str
) -> None:
    ingest.pipeline.bring_up_to_date(key, deadline=SOON)
    assert ingest.elsewhere.saw == [(key, 1, ([], {}))]
    assert ingest.bucket.opened_under == [1]
    assert ingest.index.rows[key].claim == 1


def test_other_tenants_lose_the_document_also_while_it_cannot_be_indexed(ingest: Ingest) -> None:
    ingest.embedder.refused = "noon"
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert isinstance(receipt.error, ModelUnavailable)
    assert len(ingest.elsewhere.saw) == 1


def test_a_look_that_could_not_take_it_from_others_is_postponed_before_it_costs_anything(ingest: Ingest) -> None:
    ingest.elsewhere.error = DatabaseUnavailable("the database did not answer, twice")
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert (receipt.outcome, receipt.error) == (Outcome.POSTPONED, ingest.elsewhere.error)
    assert (ingest.bucket.opened_under, ingest.embedder.texts, ingest.index.rows) == ([], [], {})


def test_what_can_be_nobodys_fails_and_not_a_byte_is_read(ingest: Ingest) -> None:
    ingest.bucket.objects["//a.txt"] = ("v1", None)
    ingest.bucket.sidecars["//a.txt"] = b"no metadata"
    pipeline = replace(ingest.pipeline, refuses=True)
    receipt = pipeline.bring_up_to_date("//a.txt", deadline=SOON)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, FailureReason.BAD_FOLDER)
    assert ingest.index.rows["//a.txt"].state is DocumentState.FAILED
    assert pipeline.bring_up_to_date("//a.txt", deadline=SOON).outcome is Outcome.UNCHANGED
    del ingest.bucket.objects["//a.txt"]
    assert pipeline.bring_up_to_date("//a.txt", deadline=SOON).outcome is Outcome.DELETED


def test_the_key_of_an_event_picks_the_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Owner] = []
    folded: list[str] = []
    with ingest_world(monkeypatch) as world:
        pipeline = pipeline_of(world.bucket, world.index, world.embedder, tokens=1000)
        environment = {"DATABASE_URL": "postgresql://nowhere", "BUCKET": "documents", "TENANT_FOLDERS": "true"}
        given = Settings.from_environment(environment)

        def pipeline_for(owner: Owner) -> IngestPipeline:
            asked.append(owner)
            return pipeline

        def postings_of(tenant: str) -> Folds:
            folded.append(tenant)
            return world.folds

        monkeypatch.setattr(handler, "settings", lambda: given)
        monkeypatch.setattr(handler, "ingest_pipeline", pipeline_for)
        monkeypatch.setattr(handler, "postings", postings_of)
        for key in ("a+b/x.txt", "x.txt", "%2F/x.txt", "acme/x.txt.metadata.json"):
            handle(notification(key))
    assert asked == [Owner("a b"), Owner("default"), Owner("default", refused=True), Owner("acme")]
    assert folded == ["a b", "default", "default", "acme"]


def test_tenants_share_what_is_connected_and_nothing_that_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "DATABASE_URL": "postgresql://nowhere", "OPENAI_API_KEY": "opens-nothing", "AWS_DEFAULT_REGION": "us-east-1",
        "TENANT": "home", "TENANT_FOLDERS": "true",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    cached = [
        composition.settings, composition.ingest_pipeline, composition.document_index, composition.database,
        composition.shared, composition.postings,
    ]  # fmt: skip
    for each in cached:
        each.cache_clear()
    try:
        one, other, refused = (composition.ingest_pipeline(o) for o in (Owner("a"), Owner("b"), Owner("home", True)))
        indexes = [composition.document_index(owner) for owner in (Owner("a"), Owner("b"), Owner("home", True))]
        assert [each.index for each in (one, other, refused)] == indexes
        assert [each.tenant for each in indexes] == ["a", "b", "home"]
        assert {each.home for each in indexes} == {"home"}
        assert [each.refuses for each in (one, other, refused)] == [False, False, True]
        assert indexes[0].fingerprint == indexes[1].fingerprint != indexes[2].fingerprint
        assert len({id(each.database) for each in indexes}) == 1
        assert one.bucket is other.bucket
        assert one.parse == other.parse
        for number in range(2 * composition.MOST_TENANTS):
            composition.ingest_pipeline(Owner(f"tenant {number}"))
        assert composition.ingest_pipeline.cache_info().currsize == composition.MOST_TENANTS
    finally:
        for each in cached:
            each.cache_clear()
