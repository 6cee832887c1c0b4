"""Goes the way of ingest, up to the point where it would pay."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from bucketwise.errors import BucketUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from bucketwise.prices import ModelUsage
from bucketwise.settings import Settings
from ingest.bucket import StoredObject
from ingest.chunking import Chunker
from ingest.pipeline import Parse
from ingest.spool import ChunkSpool
from ingest.tenants import Tenancy, bad_folder
from ingest.vectors import text_digest
from local.estimate.sources import Source

INDEXED = "indexed"
UNREACHABLE = "unreachable"
"""The file could not be read here; ingest would try it again."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """``reason`` is that of the API, or ``unreachable``."""

    key: str
    reason: str
    hint: str


@dataclass(slots=True)
class Estimate:
    """``texts`` are distinct for each tenant, and are what would be embedded, with ``embedding_tokens`` in all."""

    embedding_model: str
    indexed: int = 0
    bytes: int = 0
    chunks: int = 0
    tokens: int = 0
    texts: int = 0
    embedding_tokens: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many files would be indexed, and how many would fail for which reason."""
        return {INDEXED: self.indexed} | dict(Counter(each.reason for each in self.rejected).most_common())

    @property
    def usd(self) -> float | None:
        """None for a model without a listed price."""
        return ModelUsage(self.embedding_model, self.embedding_tokens).usd


class Estimator:
    """Takes one file after the other. ``prefix`` is what all keys begin with: folders below it may be tenants."""

    def __init__(self, given: Settings, parse: Parse, *, prefix: str = "") -> None:
        self._given = given
        self._tenancy = Tenancy(given.tenant, prefix, given.tenant_folders)
        self._chunker = Chunker(given.chunk_tokens, given.chunk_overlap_tokens, given.whole_document_tokens)
        self._parse = parse
        self._seen: set[tuple[str, bytes]] = set()
        self.estimate = Estimate(given.embedding_model)

    def take(self, source: Source, key: str) -> None:
        try:
            with source.open(key) as found:
                if found is not None:
                    self._take(found)
        except UnreadableDocument as problem:
            self.estimate.rejected.append(Rejected(key, problem.reason.value, problem.hint))
        except BucketUnavailable as error:
            self.estimate.rejected.append(Rejected(key, UNREACHABLE, f"It cannot be read: {error}."))

    def _take(self, found: StoredObject) -> None:
        facts, given = found.facts, self._given
        owner = self._tenancy.owner(facts.key)
        if owner.refused:
            raise bad_folder()
        with (
            NamedTemporaryFile(prefix="bucketwise-") as file,
            ChunkSpool(most_tokens=given.max_document_tokens) as chunks,
        ):
            found.copy_to(file, most_bytes=given.max_document_bytes)
            parsed = self._parse(Path(file.name), key=facts.key, content_type=facts.content_type)
            with parsed as document:
                for chunk in self._chunker.split(document):
                    chunks.add(chunk)
            if not chunks.count:
                raise UnreadableDocument(FailureReason.EMPTY, "The file holds no text.")
            self._count(facts.size, chunks, owner.tenant)

    def _count(self, size: int, chunks: ChunkSpool, tenant: str) -> None:
        """Only of a document that is known to its end: one that fails costs nothing."""
        estimate = self.estimate
        estimate.indexed += 1
        estimate.bytes += size
        estimate.chunks += chunks.count
        estimate.tokens += chunks.tokens
        for chunk in chunks:
            text = tenant, text_digest(chunk.text)
            if text not in self._seen:
                self._seen.add(text)
                estimate.texts += 1
                estimate.embedding_tokens += chunk.tokens
