"""In-memory stand-ins that behave: a bucket, an index with claims, an embedder, and small documents for them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import ModelUnavailable, UnreadableDocument
from bucketwise.models import Chunk, DocumentState, Place, PlaceMark
from ingest.attempts import Earlier
from ingest.bucket import ObjectFacts, StoredObject
from ingest.parsing.document import Block, ParsedDocument
from ingest.protocol import Held, Seen, Standing, confirmed_claim, described_claim, may_commit
from ingest.receipts import EmbeddingReceipt, Receipt
from ingest.sidecar import Metadata, Sidecar
from ingest.swap import Committed
from ingest.terms import Analysis, Chunks, ChunkTerms
from ingest.vectors import text_digest
from tests.unit.memory_attempts import Attempt, MemoryAttempts

SOON = Deadline.after(3600)
MODIFIED = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)


def facts(key: str = "a.txt", version: str | None = "v1", size: int = 5, **changes: object) -> ObjectFacts:
    given: dict[str, object] = {"content_type": "text/plain", "last_modified": MODIFIED, "metadata": {}} | changes
    return ObjectFacts(key=key, version=version, etag=f"etag of {version}", size=size, **given)  # type: ignore[arg-type]


def chunks_of(*texts: str, tokens: int = 3, heading: tuple[str, ...] = ()) -> list[Chunk]:
    """Chunks that follow each other without overlap."""
    chunks: list[Chunk] = []
    start = 0
    for ordinal, text in enumerate(texts):
        marks = (PlaceMark(start, Place(heading=heading)),)
        chunks.append(Chunk(ordinal, text, tokens, start, start + len(text), marks))
        start += len(text)
    return chunks


@dataclass(frozen=True, slots=True)
class Listed:
    """Chunks that are at hand, in the form in which the index takes them."""

    chunks: Sequence[Chunk]

    @property
    def count(self) -> int:
        return len(self.chunks)

    @property
    def tokens(self) -> int:
        return sum(chunk.tokens for chunk in self.chunks)

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self.chunks)

    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]:
        return map(analysis.of, self.chunks)


def document_of(*texts: str, title: str | None = "Title") -> ParsedDocument:
    return ParsedDocument(iter([Block(text, Place()) for text in texts]), separator="", title=title)


class MemoryBucket:
    """Keys to (version, bytes). Bytes of None stand for a body that nobody may read. ``slow``: keys to seconds."""

    def __init__(self, **objects: tuple[str | None, bytes | None]) -> None:
        self.objects = objects
        self.sidecars: dict[str, bytes] = {}
        self.error: Exception | None = None
        self.slow: dict[str, float] = {}
        self.opened_under: list[int] = []
        self.index: MemoryIndex | None = None

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        if self.index is not None:
            self.opened_under.append(self.index.last_claim)
        if self.error is not None:
            raise self.error
        time.sleep(self.slow.get(key, 0))
        if key not in self.objects:
            yield None
            return
        version, content = self.objects[key]
        body = BytesIO(content or b"")
        if content is None:
            body.close()  # reading it raises ValueError
        content_type = "text/plain" if key.endswith(".txt") else None
        yield StoredObject(facts(key, version, len(content or b""), content_type=content_type), body)

    def sidecar(self, key: str) -> Sidecar | None:
        content = self.sidecars.get(key)
        return Sidecar(f"etag of {content!r}", content) if content is not None else None


@dataclass
class Row:
    claim: int
    state: DocumentState
    version: str | None
    texts: list[str] = field(default_factory=list)
    reason: str | None = None
    sidecar: str | None = None
    metadata: Metadata = field(default_factory=dict)


class MemoryIndex:
    """The index's rules without PostgreSQL: a commit under an older claim than the row's changes nothing."""

    def __init__(self) -> None:
        self.last_claim = 0
        self.rows: dict[str, Row] = {}
        self.vectors: dict[bytes, list[float]] = {}
        self.looks = MemoryAttempts()

    def claim(self, *, deadline: Deadline) -> int:
        deadline.allow(1)
        self.last_claim += 1
        return self.last_claim

    def compare(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> Standing:
        deadline.allow(1)
        held, seen = self._held(facts.key), Seen(facts.version, facts.etag, facts.sidecar, facts.archived)
        confirmed = confirmed_claim(held, seen, "code", claim)
        if confirmed is not None:
            self.rows[facts.key].claim = confirmed
            self.looks.settle(facts.key, claim)
            return Standing.SAME
        return Standing.OTHER if described_claim(held, seen, "code", claim) is None else Standing.OTHER_METADATA

    def describe(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool:
        deadline.allow(1)
        seen = Seen(facts.version, facts.etag, facts.sidecar, facts.archived)
        described = described_claim(self._held(facts.key), seen, "code", claim)
        if described is None:
            return False
        row = self.rows[facts.key]
        row.claim, row.sidecar, row.metadata = described, facts.sidecar, facts.metadata
        self.looks.settle(facts.key, claim)
        return True

    @property
    def attempts(self) -> Mapping[tuple[str, int], Attempt]:
        return self.looks.noted

    def begin_attempt(self, facts: ObjectFacts, claim: int, *, ended: int | None, deadline: Deadline) -> Earlier:
        deadline.allow(1)
        return self.looks.begin(facts.key, facts.version, claim, ended)

    def end_attempt(self, key: str, claim: int, receipt: Receipt, *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.looks.end(key, claim, receipt)

    def let_attempts_lapse(self, time: timedelta = timedelta(minutes=6)) -> None:
        """So much time passes that whoever is at work can be at work no more."""
        self.looks.pass_time(time)

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        deadline.allow(1)
        return set(digests) & self.vectors.keys()

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.vectors |= vectors

    def analysis(self, key: str, document: ParsedDocument, _chunks: Chunks) -> Analysis:
        return Analysis(document.title, key, "en")

    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Chunks,
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> Committed | None:
        assert embedding.embedded + embedding.reused == chunks.count
        texts = [chunk.text for chunk in chunks]
        assert len(list(chunks.terms(self.analysis(facts.key, document, chunks)))) == chunks.count
        assert {text_digest(text) for text in texts} <= self.vectors.keys()
        row = Row(claim, DocumentState.INDEXED, facts.version, texts, None, facts.sidecar, facts.metadata)
        return self._commit(facts.key, row, deadline)

    def fail(
        self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline
    ) -> Committed | None:
        reason = problem.reason.value
        row = Row(claim, DocumentState.FAILED, facts.version, [], reason, facts.sidecar, facts.metadata)
        return self._commit(facts.key, row, deadline)

    def bury(self, key: str, claim: int, *, sidecar: str | None, deadline: Deadline) -> Committed | None:
        return self._commit(key, Row(claim, DocumentState.DELETED, None, sidecar=sidecar), deadline)

    def _held(self, key: str) -> Held:
        row = self.rows.get(key) or Row(0, DocumentState.DELETED, None)
        return Held(row.claim, row.state, row.version, f"etag of {row.version}", "code", row.sidecar)

    def _commit(self, key: str, row: Row, deadline: Deadline) -> Committed | None:
        deadline.allow(1)
        if not may_commit(self._held(key), row.claim):
            self.looks.noted.pop((key, row.claim), None)
            return None
        self.rows[key] = row
        self.looks.settle(key, row.claim)
        return Committed(1.5 if row.state is DocumentState.INDEXED else None)


class LetterEmbedder:
    """A text's vector is (its length, its first letter); a token is a word. Refuses texts that hold ``refused``."""

    def __init__(self, refused: str | None = None) -> None:
        self.refused = refused
        self.requests: list[list[str]] = []

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        self.requests.append(list(texts))
        if self.refused is not None and any(self.refused in text for text in texts):
            raise ModelUnavailable("the model's server answered 503")
        return Embeddings([letter_vector(text) for text in texts], sum(len(text.split()) for text in texts))

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request]


def letter_vector(text: str) -> list[float]:
    return [float(len(text)), float(ord(text[0]))]
