"""What describes a document is taken in with it, and alone when it alone changed."""

from dataclasses import dataclass

import pytest

from bucketwise.models import DocumentState, FailureReason
from ingest.pipeline import IngestPipeline
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex, Row
from tests.unit.ingest_world import pipeline_of

TEXT = b"Trains leave at noon."


@dataclass
class Ingest:
    bucket: MemoryBucket
    index: MemoryIndex
    embedder: LetterEmbedder
    pipeline: IngestPipeline

    def look(self) -> Receipt:
        return self.pipeline.bring_up_to_date("a.txt", deadline=SOON)

    @property
    def row(self) -> Row:
        return self.index.rows["a.txt"]


@pytest.fixture
def ingest() -> Ingest:
    bucket, index, embedder = MemoryBucket(), MemoryIndex(), LetterEmbedder()
    bucket.objects["a.txt"] = ("v1", TEXT)
    return Ingest(bucket, index, embedder, pipeline_of(bucket, index, embedder, tokens=1000))


def test_a_document_comes_with_what_describes_it(ingest: Ingest) -> None:
    ingest.bucket.sidecars["a.txt"] = b'{"team": "ops"}'
    assert ingest.look().outcome is Outcome.INDEXED
    assert ingest.row.metadata == {"team": "ops"}
    assert ingest.look().outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(("content", "metadata"), [(b'{"team": "web"}', {"team": "web"}), (None, {})])
def test_a_sidecar_that_changed_alone_leaves_the_text_unread(
    ingest: Ingest, content: bytes | None, metadata: dict[str, str]
) -> None:
    ingest.bucket.sidecars["a.txt"] = b'{"team": "ops"}'
    ingest.look()
    ingest.bucket.objects["a.txt"] = ("v1", None)  # nobody may read it
    ingest.bucket.sidecars = {} if content is None else {"a.txt": content}
    receipt = ingest.look()
    assert (receipt.outcome, receipt.version, receipt.embedding) == (Outcome.DESCRIBED, "v1", EmbeddingReceipt())
    assert (ingest.row.metadata, ingest.row.texts) == (metadata, [TEXT.decode()])
    assert len(ingest.embedder.requests) == 1


def test_a_sidecar_that_cannot_be_read_fails_its_document_until_it_is_mended(ingest: Ingest) -> None:
    ingest.look()
    ingest.bucket.sidecars["a.txt"] = b"{"
    receipt = ingest.look()
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, FailureReason.BAD_METADATA)
    assert (ingest.row.state, ingest.row.texts) == (DocumentState.FAILED, [])
    assert ingest.look().outcome is Outcome.UNCHANGED
    ingest.bucket.sidecars["a.txt"] = b"{}"
    assert ingest.look().outcome is Outcome.INDEXED
    assert len(ingest.embedder.requests) == 1


def test_a_sidecar_of_nothing_is_noted_with_the_tombstone(ingest: Ingest) -> None:
    del ingest.bucket.objects["a.txt"]
    ingest.bucket.sidecars["a.txt"] = b'{"team": "ops"}'
    assert ingest.look().outcome is Outcome.DELETED
    assert (ingest.row.state, ingest.row.sidecar) == (DocumentState.DELETED, 'etag of b\'{"team": "ops"}\'')


def test_a_later_version_is_read_whatever_its_sidecar_says(ingest: Ingest) -> None:
    ingest.look()
    ingest.bucket.objects["a.txt"] = ("v2", b"Trains leave at one.")
    ingest.bucket.sidecars["a.txt"] = b'{"team": "ops"}'
    assert ingest.look().outcome is Outcome.INDEXED
    assert (ingest.row.texts, ingest.row.metadata) == (["Trains leave at one."], {"team": "ops"})
