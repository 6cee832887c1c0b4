"""Several looks at one version: what they took together, and when there will be no more of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import pytest

from bucketwise.errors import BucketwiseError, DatabaseUnavailable, DeadlineExceeded, ModelUnavailable
from bucketwise.ingest_queue import Errand
from bucketwise.models import DocumentState, FailureReason
from ingest.pipeline import IngestPipeline
from ingest.postponement import delay_seconds, next_errand
from ingest.protocol import MOST_STALLS
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from ingest.tags import tags_of
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex
from tests.unit.ingest_world import pipeline_of

LONG = "\n\n".join(f"Paragraph {number} says something of harbour {number}." for number in range(12)).encode()
LOOK = timedelta(minutes=5)


class World:
    """A document, and an index whose methods can be made to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.bucket, self.index, self.embedder = MemoryBucket(), MemoryIndex(), LetterEmbedder()
        self.bucket.objects["a.txt"] = ("v1", LONG)
        self.pipeline: IngestPipeline = pipeline_of(self.bucket, self.index, self.embedder, tokens=1000)

    def look(self, errand: Errand | None = None) -> Receipt:
        ended = errand.ended if errand is not None else None
        return self.pipeline.bring_up_to_date("a.txt", deadline=SOON, ended=ended)

    def failing(self, method: str, error: BucketwiseError) -> None:
        def fail(*_: object, **__: object) -> NoReturn:
            raise type(error)(*error.args)

        self._monkeypatch.setattr(self.index, method, fail)

    def mend(self, method: str) -> None:
        self._monkeypatch.setattr(self.index, method, getattr(MemoryIndex, method).__get__(self.index))

    def tries(self, most: int, each: Callable[[Receipt], None] = lambda _: None) -> tuple[int, timedelta]:
        """How many looks, and how long, until there is an end; or ``most``."""
        errand, passed = Errand(), timedelta()
        for number in range(1, most + 1):
            receipt = self.look(errand)
            if receipt.outcome is not Outcome.POSTPONED:
                return number, passed
            each(receipt)
            errand = next_errand(errand, receipt)
            wait = LOOK + timedelta(seconds=delay_seconds(errand.tries, receipt))
            self.index.let_attempts_lapse(wait)
            passed += wait
        return most, passed


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_what_earlier_looks_embedded_is_part_of_the_receipt_and_of_the_tags_but_is_counted_once(world: World) -> None:
    world.embedder.refused = "harbour 6"
    first = world.look()
    world.embedder.refused = None
    second = world.look()
    assert (first.outcome, second.outcome) == (Outcome.POSTPONED, Outcome.INDEXED)
    assert first.embedding.embedded + second.embedding.embedded == second.chunks
    whole = second.embedding_in_all
    assert (whole.embedded, whole.reused) == (second.chunks, 0)
    assert whole.tokens == first.embedding.tokens + second.embedding.tokens
    tags = {tag["Key"]: tag["Value"] for tag in tags_of(second)}
    assert tags["bucketwise-embedded"] == str(second.chunks)
    assert tags["bucketwise-tokens"] == str(whole.tokens)
    assert world.index.attempts == {}


@pytest.mark.parametrize(
    ("last", "earlier", "whole"),
    [
        (EmbeddingReceipt(2, 5, 20, 0.5), EmbeddingReceipt(3, 0, 30, 0.25), EmbeddingReceipt(5, 2, 50, 0.75)),
        (EmbeddingReceipt(2, 1, 20, 0.5), EmbeddingReceipt(3, 0, 30, 0.25), EmbeddingReceipt(3, 0, 50, 0.75)),
        (EmbeddingReceipt(2, 5, 20, None), EmbeddingReceipt(), EmbeddingReceipt(2, 5, 20, None)),
        (EmbeddingReceipt(), EmbeddingReceipt(3, 0, 30, None), EmbeddingReceipt(0, 0, 30, None)),
    ],
)
def test_receipts_of_looks_add_up_to_the_chunks_there_are(
    last: EmbeddingReceipt, earlier: EmbeddingReceipt, whole: EmbeddingReceipt
) -> None:
    assert last.after(earlier) == whole


def test_a_version_that_is_never_stored_in_time_is_poison_after_a_day_and_several_looks(world: World) -> None:
    world.failing("replace", DeadlineExceeded("the database took longer than was left"))
    looks, passed = world.tries(1000)
    assert world.index.rows["a.txt"].state is DocumentState.FAILED
    assert world.index.rows["a.txt"].reason == FailureReason.POISON
    assert looks > MOST_STALLS
    assert timedelta(hours=24) <= passed < timedelta(hours=25)
    world.mend("replace")
    world.bucket.objects["a.txt"] = ("v2", LONG)
    assert world.look().outcome is Outcome.INDEXED


def test_many_messages_about_a_version_do_not_make_the_day_shorter(world: World) -> None:
    world.failing("replace", DeadlineExceeded("the database took longer than was left"))
    for _ in range(4 * MOST_STALLS):
        assert world.look().outcome is Outcome.POSTPONED
        world.index.let_attempts_lapse(timedelta(minutes=30))
    world.mend("replace")
    assert world.look().outcome is Outcome.INDEXED


def test_few_looks_over_a_long_time_are_forgiven(world: World) -> None:
    world.failing("replace", DeadlineExceeded("the database took longer than was left"))
    for _ in range(MOST_STALLS - 1):
        world.look()
        world.index.let_attempts_lapse(timedelta(days=1))
    world.mend("replace")
    assert world.look().outcome is Outcome.INDEXED


def test_a_database_that_is_slow_for_all_makes_no_document_poison(world: World) -> None:
    """It takes no note of the look's end either."""
    for method in ("replace", "end_attempt"):
        world.failing(method, DeadlineExceeded("the database took longer than was left"))
    world.look()  # embeds
    assert world.tries(120)[0] == 120
    for method in ("replace", "end_attempt"):
        world.mend(method)
    assert world.look().outcome is not Outcome.FAILED


@pytest.mark.parametrize("error", [ModelUnavailable("503"), DeadlineExceeded("no time was left to embed more")])
def test_a_model_that_is_out_or_slow_makes_no_document_poison(world: World, error: BucketwiseError) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise type(error)(*error.args)

    embed, world.embedder.embed = world.embedder.embed, fail  # type: ignore[method-assign]
    assert world.tries(120)[0] == 120
    world.embedder.embed = embed  # type: ignore[method-assign]
    assert world.look().outcome is Outcome.INDEXED


def test_the_end_that_the_index_could_not_be_told_of_is_in_the_message(world: World) -> None:
    world.embedder.refused = "harbour"
    told = world.look()
    assert (told.begun, told.told, next_errand(Errand(), told)) == (True, True, Errand(tries=1))
    world.failing("end_attempt", DatabaseUnavailable("the database did not answer, twice"))
    untold = world.look()
    assert (untold.begun, untold.told) == (True, False)
    assert next_errand(Errand(), untold) == Errand(tries=1, ended=untold.claim)
