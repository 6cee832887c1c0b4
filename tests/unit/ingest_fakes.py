"""In-memory stand-ins that behave: a bucket, an index with claims, an embedder, and small documents for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import ModelUnavailable, UnreadableDocument
from bucketwise.models import Chunk, DocumentState, Place, PlaceMark
from ingest.bucket import ObjectFacts, StoredObject
from ingest.index import text_digest
from ingest.parsing.document import ParsedDocument
from ingest.receipts import EmbeddingReceipt

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


def document_of(*texts: str, title: str | None = "Title") -> ParsedDocument:
    return ParsedDocument(title, "".join(texts), (PlaceMark(0, Place()),))


class MemoryBucket:
    """Keys to (version, bytes). Bytes of None stand for a body that nobody may read."""

    def __init__(self, **objects: tuple[str | None, bytes | None]) -> None:
        self.objects = objects
        self.error: Exception | None = None
        self.opened_under: list[int] = []
        self.index: MemoryIndex | None = None

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        if self.index is not None:
            self.opened_under.append(self.index.last_claim)
        if self.error is not None:
            raise self.error
        if key not in self.objects:
            yield None
            return
        version, content = self.objects[key]
        body = BytesIO(content or b"")
        if content is None:
            body.close()  # reading it raises ValueError
        content_type = "text/plain" if key.endswith(".txt") else None
        yield StoredObject(facts(key, version, len(content or b""), content_type=content_type), body)


@dataclass
class Row:
    claim: int
    state: DocumentState
    version: str | None
    texts: list[str] = field(default_factory=list)
    reason: str | None = None


class MemoryIndex:
    """The index's rules without PostgreSQL: a commit under an older claim than the row's changes nothing."""

    def __init__(self) -> None:
        self.last_claim = 0
        self.rows: dict[str, Row] = {}
        self.vectors: dict[bytes, list[float]] = {}

    def claim(self, *, deadline: Deadline) -> int:
        deadline.allow(1)
        self.last_claim += 1
        return self.last_claim

    def confirm_unchanged(self, facts: ObjectFacts, claim: int, *, deadline: Deadline) -> bool:
        deadline.allow(1)
        row = self.rows.get(facts.key)
        if facts.version is None or row is None or row.state is not DocumentState.INDEXED:
            return False
        if row.version != facts.version or row.claim > claim:
            return False
        row.claim = claim
        return True

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        deadline.allow(1)
        return set(digests) & self.vectors.keys()

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        deadline.allow(1)
        self.vectors |= vectors

    def replace(
        self,
        facts: ObjectFacts,
        document: ParsedDocument,
        chunks: Sequence[Chunk],
        embedding: EmbeddingReceipt,
        claim: int,
        *,
        deadline: Deadline,
    ) -> bool:
        assert embedding.embedded + embedding.reused == len(chunks)
        assert all(chunk.text in document.text and text_digest(chunk.text) in self.vectors for chunk in chunks)
        texts = [chunk.text for chunk in chunks]
        return self._commit(facts.key, Row(claim, DocumentState.INDEXED, facts.version, texts), deadline)

    def fail(self, facts: ObjectFacts, problem: UnreadableDocument, claim: int, *, deadline: Deadline) -> bool:
        row = Row(claim, DocumentState.FAILED, facts.version, reason=problem.reason.value)
        return self._commit(facts.key, row, deadline)

    def bury(self, key: str, claim: int, *, deadline: Deadline) -> bool:
        return self._commit(key, Row(claim, DocumentState.DELETED, None), deadline)

    def _commit(self, key: str, row: Row, deadline: Deadline) -> bool:
        deadline.allow(1)
        if key in self.rows and self.rows[key].claim > row.claim:
            return False
        self.rows[key] = row
        return True


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
