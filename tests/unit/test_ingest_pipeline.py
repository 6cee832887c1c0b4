"""One object at a time, the index is made equal to the bucket: read, parsed, cut, embedded and stored, or not."""

from dataclasses import dataclass

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketUnavailable, DeadlineExceeded, ModelUnavailable
from bucketwise.models import DocumentState, FailureReason
from bucketwise.telemetry import Telemetry
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingStage
from ingest.pipeline import IngestPipeline
from ingest.receipts import EmbeddingReceipt, Outcome
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex, Row

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
    pipeline = IngestPipeline(
        bucket=bucket,
        index=index,
        chunker=Chunker(max_tokens=16, overlap_tokens=0),
        embedding=EmbeddingStage(index, embedder, "text-embedding-3-small", batch_tokens=16, concurrency=1),
        telemetry=Telemetry("ingest"),
        max_document_bytes=1000,
    )
    return Ingest(bucket, index, embedder, pipeline)


def test_a_new_object_is_indexed(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert ingest.index.rows["a.txt"] == Row(1, DocumentState.INDEXED, "v1", [TEXT.decode()])
    assert (receipt.outcome, receipt.claim, receipt.chunks) == (Outcome.INDEXED, 1, 1)
    assert (receipt.embedding.embedded, receipt.embedding.reused) == (1, 0)


def test_the_claim_is_taken_before_the_bucket_is_read(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    ingest.pipeline.bring_up_to_date("gone.txt", deadline=SOON)
    assert ingest.bucket.opened_under == [1, 2]
    assert ingest.index.rows["a.txt"].claim == 1
    assert ingest.index.rows["gone.txt"].claim == 2


def test_an_unchanged_version_is_confirmed_without_a_byte_being_read(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    ingest.bucket.objects["a.txt"] = ("v1", None)
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert (receipt.outcome, receipt.chunks) == (Outcome.UNCHANGED, 0)
    assert ingest.index.rows["a.txt"] == Row(2, DocumentState.INDEXED, "v1", [TEXT.decode()])
    assert len(ingest.embedder.requests) == 1


def test_without_versions_the_object_is_read_again_but_no_text_is_embedded_again(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = (None, TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert receipt.outcome is Outcome.INDEXED
    assert receipt.embedding == EmbeddingReceipt(reused=1)
    assert ingest.index.rows["a.txt"].claim == 2


def test_a_missing_object_is_buried(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    del ingest.bucket.objects["a.txt"]
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
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
    receipt = ingest.pipeline.bring_up_to_date(key, deadline=SOON)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, reason.value)
    assert ingest.index.rows[key] == Row(1, DocumentState.FAILED, "v2", [], reason.value)
    assert ingest.embedder.requests == []


@pytest.mark.parametrize("content", [TEXT, b"", None])
def test_a_worker_that_looked_later_wins_and_this_one_says_so(ingest: Ingest, content: bytes | None) -> None:
    later = Row(LATER_CLAIM, DocumentState.INDEXED, "v9", ["newer"])
    ingest.index.rows["a.txt"] = later
    if content is not None:
        ingest.bucket.objects["a.txt"] = ("v1", content)
    receipt = ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert receipt.outcome is Outcome.SUPERSEDED
    assert ingest.index.rows["a.txt"] is later


def test_an_error_of_the_model_leaves_the_index_as_it_was(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    ingest.bucket.objects["a.txt"] = ("v2", b"Trams leave at one.")
    ingest.embedder.refused = "Trams"
    with pytest.raises(ModelUnavailable):
        ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert ingest.index.rows["a.txt"] == Row(1, DocumentState.INDEXED, "v1", [TEXT.decode()])


def test_the_next_try_after_an_error_of_the_model_succeeds(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.embedder.refused = "Trains"
    with pytest.raises(ModelUnavailable):
        ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    ingest.embedder.refused = None
    assert ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON).outcome is Outcome.INDEXED


def test_a_bucket_that_does_not_answer_deletes_nothing(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    ingest.bucket.error = BucketUnavailable("S3 answered 403")
    with pytest.raises(BucketUnavailable):
        ingest.pipeline.bring_up_to_date("a.txt", deadline=SOON)
    assert ingest.index.rows["a.txt"].state is DocumentState.INDEXED


def test_nothing_is_begun_after_the_deadline(ingest: Ingest) -> None:
    ingest.bucket.objects["a.txt"] = ("v1", TEXT)
    with pytest.raises(DeadlineExceeded):
        ingest.pipeline.bring_up_to_date("a.txt", deadline=Deadline.after(-1))
    assert (ingest.index.last_claim, ingest.index.rows, ingest.bucket.opened_under) == (0, {}, [])
