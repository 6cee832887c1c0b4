"""One object at a time, the index is made equal to the bucket: read, parsed, cut, embedded and stored, or not."""

from dataclasses import dataclass

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketUnavailable
from bucketwise.models import Chunk, DocumentState, FailureReason
from ingest.pipeline import IngestPipeline
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from ingest.terms import Analysis, ChunkTerms
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex, Row
from tests.unit.ingest_world import pipeline_of

TEXT = b"Trains leave at noon."
LATER_CLAIM = 99


@dataclass
class Ingest:
    bucket: MemoryBucket
    index: MemoryIndex
    embedder: LetterEmbedder
    pipeline: IngestPipeline


@pytest.fixture
def ingest() -> Ingest:
    bucket, index, embedder = MemoryBucket(), MemoryIndex(), LetterEmbedder()
    bucket.index = index
    return Ingest(bucket, index, embedder, pipeline_of(bucket, index, embedder, tokens=1000))


def look(ingest: Ingest, key: str = "a.txt", *, again: bool = False) -> Receipt:
    return ingest.pipeline.bring_up_to_date(key, deadline=SOON, again=again)


def test_a_new_object_is_indexed(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    receipt = look(ingest)
    assert ingest.index.rows["a.txt"] == Row(1, DocumentState.INDEXED, "v1", [TEXT.decode()])
    assert (receipt.outcome, receipt.claim, receipt.chunks) == (Outcome.INDEXED, 1, 1)
    assert (receipt.embedding.embedded, receipt.embedding.reused) == (1, 0)


def test_the_claim_is_taken_before_the_bucket_is_read(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    look(ingest, "gone.txt")
    assert ingest.bucket.opened_under == [1, 2]
    assert ingest.index.rows["a.txt"].claim == 1
    assert ingest.index.rows["gone.txt"].claim == 2


def test_terms_are_made_of_a_version_that_is_indexed_and_of_no_other(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = Analysis.of

    def of(analysis: Analysis, chunk: Chunk) -> ChunkTerms:
        made.append(chunk.text)
        return make(analysis, chunk)

    monkeypatch.setattr(Analysis, "of", of)
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    assert look(ingest).outcome is Outcome.INDEXED
    assert look(ingest).outcome is Outcome.UNCHANGED
    ingest.bucket.sidecars["a.txt"] = b'{"metadataAttributes": {"year": 2020}}'
    assert look(ingest).outcome is Outcome.DESCRIBED
    assert made == [TEXT.decode()]


def test_an_unchanged_version_is_confirmed_without_a_byte_being_read(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    ingest.bucket.objects["a.txt"] = ("v1", None)
    receipt = look(ingest)
    assert (receipt.outcome, receipt.chunks) == (Outcome.UNCHANGED, 0)
    assert ingest.index.rows["a.txt"] == Row(2, DocumentState.INDEXED, "v1", [TEXT.decode()])
    assert len(ingest.embedder.requests) == 1


def test_without_versions_the_object_is_read_again_but_no_text_is_embedded_again(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = (None, TEXT)
    look(ingest)
    receipt = look(ingest)
    assert receipt.outcome is Outcome.INDEXED
    assert receipt.embedding == EmbeddingReceipt(reused=1)
    assert ingest.index.rows["a.txt"].claim == 2


def test_a_missing_object_is_buried(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    del ingest.bucket.objects["a.txt"]
    receipt = look(ingest)
    assert receipt.outcome is Outcome.DELETED
    assert ingest.index.rows["a.txt"] == Row(2, DocumentState.DELETED, None)


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("a.txt", b"", FailureReason.EMPTY),
        ("a.txt", b" \n\t ", FailureReason.EMPTY),
        ("a.bin", b"\x00\x01\x02", FailureReason.UNSUPPORTED),
        ("a.pdf", b"%PDF-1.7 broken", FailureReason.CORRUPT),
        ("a.txt", b"x" * 1001, FailureReason.TOO_LARGE),
    ],
)
def test_an_object_that_can_never_be_indexed_is_committed_as_failed(
    ingest: Ingest, key: str, content: bytes, reason: FailureReason
) -> None:
    ingest.bucket.objects[key] = ("v2", content)
    receipt = look(ingest, key)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, reason.value)
    assert ingest.index.rows[key] == Row(1, DocumentState.FAILED, "v2", [], reason.value)
    assert ingest.embedder.requests == []


@pytest.mark.parametrize("content", [TEXT, b"", None])
def test_a_worker_that_looked_later_wins_and_this_one_says_so(ingest: Ingest, content: bytes | None) -> None:
    later = Row(LATER_CLAIM, DocumentState.INDEXED, "v9", ["newer"])
    ingest.index.rows["a.txt"] = later
    if content is not None:
        ingest.bucket.objects["a.txt"] = ("v1", content)
    receipt = look(ingest)
    assert receipt.outcome is Outcome.SUPERSEDED
    assert ingest.index.rows["a.txt"] is later


def test_an_error_of_the_model_postpones_and_leaves_the_index_as_it_was(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    ingest.bucket.objects["a.txt"] = ("v2", b"Trams leave at one.")
    ingest.embedder.refused = "Trams"
    receipt = look(ingest)
    assert (receipt.outcome, receipt.error_name) == (Outcome.POSTPONED, "model_unavailable")
    assert (receipt.claim, receipt.begun) == (2, True)
    assert ingest.index.rows["a.txt"] == Row(1, DocumentState.INDEXED, "v1", [TEXT.decode()])
    ingest.embedder.refused = None
    assert look(ingest).outcome is Outcome.INDEXED


def test_a_bucket_that_does_not_answer_deletes_nothing(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    ingest.bucket.error = BucketUnavailable("S3 answered 403")
    receipt = look(ingest)
    assert (receipt.outcome, receipt.error_name) == (Outcome.POSTPONED, "bucket_unavailable")
    assert (receipt.claim, receipt.begun) == (2, False)
    assert ingest.index.rows["a.txt"].state is DocumentState.INDEXED


def test_nothing_is_begun_after_the_deadline(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=Deadline.after(-1))
    assert (receipt.outcome, receipt.error_name) == (Outcome.POSTPONED, "deadline_exceeded")
    assert (receipt.claim, receipt.begun) == (None, False)
    assert (ingest.index.last_claim, ingest.index.rows, ingest.bucket.opened_under) == (0, {}, [])


def test_an_error_of_no_kind_of_ours_is_raised(ingest: Ingest) -> None:
    ingest.bucket.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        look(ingest)


def test_a_failure_of_an_unchanged_version_is_final_until_somebody_asks_again(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", b"")
    assert look(ingest).outcome is Outcome.FAILED
    assert look(ingest).outcome is Outcome.UNCHANGED
    assert look(ingest, again=True).outcome is Outcome.FAILED
    assert ingest.index.rows["a.txt"].claim == 3


def test_somebody_may_ask_again_for_what_is_indexed(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    receipt = look(ingest, again=True)
    assert (receipt.outcome, receipt.embedding) == (Outcome.INDEXED, EmbeddingReceipt(reused=1))


def test_a_version_that_lost_three_workers_is_not_tried_again(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", None)
    for _ in range(3):
        with pytest.raises(ValueError, match="closed"):
            look(ingest)
        ingest.index.let_attempts_lapse()
    receipt = look(ingest)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, FailureReason.POISON)
    assert ingest.index.rows["a.txt"] == Row(4, DocumentState.FAILED, "v1", [], "poison")
    assert look(ingest).outcome is Outcome.UNCHANGED


def test_a_new_version_and_one_that_is_asked_for_again_have_three_workers_to_lose(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", None)
    for _ in range(3):
        with pytest.raises(ValueError, match="closed"):
            look(ingest)
        ingest.index.let_attempts_lapse()
    look(ingest)
    with pytest.raises(ValueError, match="closed"):
        look(ingest, again=True)
    ingest.bucket.objects["a.txt"] = ("v2", TEXT)
    assert look(ingest).outcome is Outcome.INDEXED


def test_two_lost_workers_and_any_number_that_ended_in_order_are_forgiven(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", None)
    for _ in range(2):
        with pytest.raises(ValueError, match="closed"):
            look(ingest)
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.embedder.refused = "Trains"
    ended: int | None = None
    for _ in range(4):
        ingest.index.let_attempts_lapse()
        receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON, ended=ended)
        assert receipt.error_name == "model_unavailable"
        ended = receipt.claim
    ingest.index.let_attempts_lapse()
    ingest.embedder.refused = None
    assert ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON, ended=ended).outcome is Outcome.INDEXED
    assert ingest.index.attempts == {}


def test_what_is_known_to_be_unchanged_or_gone_begins_no_attempt(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    look(ingest)
    look(ingest)
    look(ingest, "gone.txt")
    assert ingest.index.attempts == {}


def test_a_receipt_says_which_version_it_is_of_and_how_long_it_took(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    receipt = look(ingest)
    assert (receipt.version, receipt.seconds, receipt.error) == ("v1", 1.5, None)
    assert (look(ingest).version, look(ingest, "gone.txt").version) == ("v1", None)
