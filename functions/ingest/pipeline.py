"""Makes the index equal to what the bucket holds under one key."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DeadlineExceeded, ParsingTooSlow, UnreadableDocument
from bucketwise.models import FailureReason
from bucketwise.telemetry import Telemetry
from ingest.attempts import END_SECONDS, Earlier
from ingest.bucket import ObjectFacts, StoredObject
from ingest.chunking import Chunker
from ingest.embedding_stage import EmbeddingRun
from ingest.parsing.document import ParsedDocument
from ingest.protocol import Standing
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from ingest.scratch import disk, scratch_file
from ingest.sidecar import Sidecar
from ingest.spool import ChunkSpool
from ingest.swap import Committed
from ingest.tenants import bad_folder
from ingest.terms import Analysis, Chunks


class Bucket(Protocol):
    def open(self, key: str) -> AbstractContextManager[StoredObject | None]: ...
    def sidecar(self, key: str) -> Sidecar | None: ...


class Index(Protocol):
    def claim(self, *, deadline: Deadline) -> int: ...
    def compare(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> Standing: ...
    def describe(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool: ...
    def begin_attempt(self, facts: ObjectFacts, claim: int, *, ended: int | None, deadline: Deadline) -> Earlier: ...
    def end_attempt(self, key: str, claim: int, receipt: Receipt, *, deadline: Deadline) -> None: ...
    def analysis(self, key: str, document: ParsedDocument, chunks: Chunks) -> Analysis: ...
    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Chunks,
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> Committed | None: ...
    def fail(
        self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline
    ) -> Committed | None: ...
    def bury(self, key: str, claim: int, *, sidecar: str | None, deadline: Deadline) -> Committed | None: ...


class Strays(Protocol):
    def remove(self, key: str, claim: int, *, deadline: Deadline) -> None: ...


class Embedding(Protocol):
    def run(self, *, deadline: Deadline) -> AbstractContextManager[EmbeddingRun]: ...


class Parse(Protocol):
    """The document in a file; its blocks may be read while the context is open."""

    def __call__(self, path: Path, *, key: str, content_type: str | None) -> AbstractContextManager[ParsedDocument]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one document. Above any of them it is too_large, before anything was paid for."""

    bytes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class IngestPipeline:
    """read -> parse -> chunk -> embed -> store, under a claim that is taken before the read.

    One tenant's. ``refuses``: it is for keys whose folder cannot be a tenant, and notes of each that it failed.
    """

    bucket: Bucket
    index: Index
    strays: Strays
    chunker: Chunker
    embedding: Embedding
    parse: Parse
    telemetry: Telemetry
    limits: Limits
    refuses: bool = False

    def bring_up_to_date(
        self, key: str, *, deadline: Deadline, ended: int | None = None, again: bool = False
    ) -> Receipt:
        """Indexes the object's current version, notes why it cannot be, or removes the document.

        ``ended`` is the claim of an earlier look that ended in order, with nothing committed. ``again`` looks
        also at a version that the index knows already. Whatever may pass with time (a bucket, database or model
        out of reach, too little time) is a receipt too: postponed, with the error.
        """
        look = _Look(self, key, deadline)
        try:
            return look.take(ended=ended, again=again)
        except BucketwiseError as error:
            self.telemetry.log_failure(error)
            return look.end(error)


class _Look:
    """One look at one object."""

    def __init__(self, pipeline: IngestPipeline, key: str, deadline: Deadline) -> None:
        self._pipeline = pipeline
        self._index = pipeline.index
        self._step = pipeline.telemetry.step
        self._key = key
        self._deadline = deadline
        self._run: EmbeddingRun | None = None
        self._all_embedded = False
        self._claim: int | None = None
        self._begun = False
        self._earlier = Earlier()

    @property
    def _embedding(self) -> EmbeddingReceipt:
        """What was paid for and kept so far."""
        return self._run.receipt if self._run is not None else EmbeddingReceipt()

    def take(self, *, ended: int | None, again: bool) -> Receipt:
        deadline = self._deadline
        claim = self._claim = self._index.claim(deadline=deadline)
        # First: a document that moved must not answer for another tenant for as long as it cannot be indexed.
        self._pipeline.strays.remove(self._key, claim, deadline=deadline)
        sidecar = self._pipeline.bucket.sidecar(self._key)
        etag = sidecar.etag if sidecar is not None else None
        with self._pipeline.bucket.open(self._key) as found:
            if found is None:
                committed = self._index.bury(self._key, claim, sidecar=etag, deadline=deadline)
                return self._receipt(Outcome.DELETED, committed)
            # Nothing is kept of an archived object for the sake of its text that is of no tenant any more.
            archived = found.facts.archived and not self._pipeline.refuses
            facts = replace(found.facts, sidecar=etag, archived=archived)
            anew = again and not archived
            standing = Standing.OTHER if anew else self._index.compare(facts, claim, deadline=deadline)
            if standing is Standing.SAME:
                return Receipt(Outcome.UNCHANGED, claim, facts.version)
            try:
                if self._pipeline.refuses:
                    raise bad_folder()
                if sidecar is not None:
                    facts = facts.described_by(sidecar)
                if standing is Standing.OTHER_METADATA and self._index.describe(facts, claim, deadline=deadline):
                    return Receipt(Outcome.DESCRIBED, claim, facts.version)
                self._earlier = self._index.begin_attempt(facts, claim, ended=ended, deadline=deadline)
                self._begun = True
                self._earlier.refuse_poison()
                return self._index_object(replace(found, facts=facts), claim)
            except UnreadableDocument as problem:
                committed = self._index.fail(facts, problem, claim, deadline=deadline)
                return self._receipt(Outcome.FAILED, committed, facts=facts, reason=problem.reason)

    def end(self, error: BucketwiseError) -> Receipt:
        """The receipt of a look that ``take`` gave up with an error. The index is told of its end, if it can be.

        In the message alone, the end would be known only when that is received, and nobody else's look would know.
        """
        receipt = Receipt(
            outcome=Outcome.POSTPONED,
            claim=self._claim,
            embedding=self._embedding,
            begun=self._begun,
            stalled=self._all_embedded and isinstance(error, DeadlineExceeded) and not self._embedding.embedded,
            earlier=self._earlier.embedding,
            error=error,
        )
        if self._claim is not None and receipt.begun and receipt.in_order:
            with suppress(BucketwiseError):
                self._index.end_attempt(self._key, self._claim, receipt, deadline=Deadline.after(END_SECONDS))
                return replace(receipt, told=True)
        return receipt

    def _index_object(self, found: StoredObject, claim: int) -> Receipt:
        facts, limits = found.facts, self._pipeline.limits
        with scratch_file() as (file, path), ChunkSpool(most_tokens=limits.tokens) as chunks:
            with self._step("read"), disk():
                found.copy_to(file, most_bytes=limits.bytes)
            parsed = self._pipeline.parse(path, key=facts.key, content_type=facts.content_type)
            with parsed as document, self._pipeline.embedding.run(deadline=self._deadline) as run:
                self._run = run
                self._cut_and_embed(document, chunks, run)
            with self._step("store"):
                embedding = run.receipt.after(self._earlier.embedding)
                committed = self._index.replace(facts, document, chunks, embedding, claim, deadline=self._deadline)
            return self._receipt(Outcome.INDEXED, committed, facts=facts, chunks=chunks.count)

    def _cut_and_embed(self, document: ParsedDocument, chunks: ChunkSpool, run: EmbeddingRun) -> None:
        """Embeds while it parses, unless the text might prove to be too large: nothing is paid for such a text."""
        at_once = self._fits(document)
        with self._step("parse"):
            for chunk in self._pipeline.chunker.split(document):
                chunks.add(chunk)
                if at_once:
                    run.add(chunk)
                if not run.has_time:
                    raise ParsingTooSlow("parsing the document took all the time there was")
        if not chunks.count:
            raise UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
        # Most of the time it takes to embed is waited.
        with self._step("embed"), ThreadPoolExecutor(max_workers=1) as meanwhile:
            if not at_once:
                for chunk in chunks:
                    run.add(chunk)
            analysis = self._index.analysis(self._key, document, chunks)
            making = meanwhile.submit(chunks.make_terms, analysis, deadline=self._deadline)
            run.finish()
            self._all_embedded = True
            making.result()

    def _fits(self, document: ParsedDocument) -> bool:
        """Whether the chunks are known beforehand to have no more tokens than allowed; what overlaps counts twice."""
        chunker = self._pipeline.chunker
        if document.most_tokens is None:
            return False
        distinct = chunker.max_tokens - chunker.overlap_tokens
        return document.most_tokens * chunker.max_tokens <= self._pipeline.limits.tokens * distinct

    def _receipt(
        self,
        outcome: Outcome,
        committed: Committed | None,
        *,
        facts: ObjectFacts | None = None,
        chunks: int = 0,
        reason: FailureReason | None = None,
    ) -> Receipt:
        return Receipt(
            outcome=outcome if committed else Outcome.SUPERSEDED,
            claim=self._claim,
            version=facts.version if facts else None,
            chunks=chunks,
            embedding=self._embedding,
            earlier=self._earlier.embedding,
            reason=reason,
            seconds=committed.seconds if committed else None,
        )
