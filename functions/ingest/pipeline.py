"""Makes the index equal to what the bucket holds under one key."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.models import Chunk, FailureReason
from bucketwise.telemetry import Telemetry
from ingest.bucket import ObjectFacts, StoredObject
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingStage
from ingest.parsing import parse
from ingest.parsing.document import ParsedDocument
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt


class Bucket(Protocol):
    def open(self, key: str) -> AbstractContextManager[StoredObject | None]: ...


class Index(Protocol):
    def claim(self, *, deadline: Deadline) -> int: ...
    def confirm_unchanged(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool: ...
    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Sequence[Chunk],
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> bool: ...
    def fail(self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline) -> bool: ...
    def bury(self, key: str, claim: int, *, deadline: Deadline) -> bool: ...


@dataclass(frozen=True, slots=True)
class IngestPipeline:
    """read -> parse -> chunk -> embed -> store, under a claim that is taken before the read."""

    bucket: Bucket
    index: Index
    chunker: Chunker
    embedding: EmbeddingStage
    telemetry: Telemetry
    max_document_bytes: int

    def bring_up_to_date(self, key: str, *, deadline: Deadline) -> Receipt:
        """Indexes the object's current version, notes why it cannot be, or removes the document.

        Raises BucketUnavailable, DatabaseUnavailable, DeadlineExceeded, EmbeddingMissing and the model's
        errors: all of them leave the index as it was, and are worth another try.
        """
        claim = self.index.claim(deadline=deadline)
        with self.bucket.open(key) as found:
            if found is None:
                return _receipt(Outcome.DELETED, claim, committed=self.index.bury(key, claim, deadline=deadline))
            if self.index.confirm_unchanged(found.facts, claim, deadline=deadline):
                return Receipt(Outcome.UNCHANGED, claim)
            try:
                document, chunks = self._read(found)
            except UnreadableDocument as problem:
                committed = self.index.fail(found.facts, problem, claim, deadline=deadline)
                return _receipt(Outcome.FAILED, claim, committed=committed, reason=problem.reason)
        with self.telemetry.step("embed"):
            embedding = self.embedding.embed_missing(chunks, deadline=deadline)
        with self.telemetry.step("store"):
            committed = self.index.replace(found.facts, document, chunks, embedding, claim, deadline=deadline)
        return _receipt(Outcome.INDEXED, claim, committed=committed, chunks=len(chunks), embedding=embedding)

    def _read(self, found: StoredObject) -> tuple[ParsedDocument, list[Chunk]]:
        facts = found.facts
        with self.telemetry.step("read"):
            content = found.read(most_bytes=self.max_document_bytes)
        with self.telemetry.step("parse"):
            document = parse(content, key=facts.key, content_type=facts.content_type)
        with self.telemetry.step("chunk"):
            chunks = self.chunker.split(document)
        if not chunks:
            raise UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
        return document, chunks


def _receipt(
    outcome: Outcome,
    claim: int,
    *,
    committed: bool,
    chunks: int = 0,
    embedding: EmbeddingReceipt | None = None,
    reason: FailureReason | None = None,
) -> Receipt:
    return Receipt(
        outcome=outcome if committed else Outcome.SUPERSEDED,
        claim=claim,
        chunks=chunks,
        embedding=embedding or EmbeddingReceipt(),
        reason=reason,
    )
