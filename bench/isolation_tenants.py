"""Tenants of very different sizes, with the same keys and many of the same texts; all else says whose it is."""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bench.memory_bucket import STORED_AT
from bucketwise import models
from bucketwise.analysis import analyse
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.models import Chunk, FailureReason, PlaceMark
from bucketwise.settings import Settings
from ingest.bucket import ObjectFacts
from ingest.context import context_of
from ingest.index import DocumentIndex
from ingest.parsing.document import ParsedDocument
from ingest.postings import Postings
from ingest.receipts import EmbeddingReceipt
from ingest.terms import Analysis, ChunkTerms
from ingest.vectors import VectorTable, text_digest

DIMENSIONS = 16
LANGUAGE = "en"
WORDS = [f"w{number}x" for number in range(400)]
FOLDERS, TEAMS = 5, ("ops", "law", "sales")
CHUNKS_OF_A_DOCUMENT = 5
OWN_EVERY = 7
"""Of so many documents one has a key that no other tenant has."""
STEP_SECONDS = 600.0

# Documents of each tenant in a corpus of the size 1; the giant's are as many as the size says.
SMALLER = {"middle": 40, "small": 8, "tiny": 2, "single": 1, "empty": 0}
GIANT = "giant"

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class OwnChunk:
    """``terms`` are what words find it by. ``vector`` has length 1."""

    text: str
    vector: NDArray[np.float64]
    terms: frozenset[int]


@dataclass(frozen=True, slots=True)
class OwnDocument:
    key: str
    title: str
    version: str
    metadata: dict[str, str]
    chunks: tuple[OwnChunk, ...]


@dataclass(frozen=True)
class Tenant:
    """``failed`` and ``queued`` are keys of documents without chunks."""

    name: str
    documents: dict[str, OwnDocument]
    failed: tuple[str, ...]
    queued: tuple[str, ...]

    @property
    def canary(self) -> str:
        return canary(self.name)

    @cached_property
    def chunks(self) -> dict[Place, OwnChunk]:
        return {
            (key, ordinal): chunk
            for key, document in self.documents.items()
            for ordinal, chunk in enumerate(document.chunks)
        }

    @cached_property
    def by_term(self) -> dict[int, set[Place]]:
        found: dict[int, set[Place]] = {}
        for place, chunk in self.chunks.items():
            for term in chunk.terms:
                found.setdefault(term, set()).add(place)
        return found


def canary(name: str) -> str:
    """A word that stands in the texts, titles, keys, metadata, versions and hints of one tenant, and of no other."""
    return f"canary{name}"


def make_tenants(giant_documents: int) -> list[Tenant]:
    """The same at every call."""
    return [_tenant(name, count) for name, count in {GIANT: giant_documents, **SMALLER}.items()]


def _tenant(name: str, documents: int) -> Tenant:
    made = {document.key: document for document in (_document(name, number) for number in range(documents))}
    others = ("failed/0.bin", f"failed/{canary(name)}.bin") if documents else ()
    return Tenant(name, made, others, tuple(key.replace("failed", "queued") for key in others))


def _document(name: str, number: int) -> OwnDocument:
    folder = f"folder{number % FOLDERS}"
    key = f"own/{canary(name)}/{number:05}.txt" if number % OWN_EVERY == 1 else f"{folder}/{number:05}.txt"
    title = f"Title of {canary(name)}"
    texts = list(_texts(name, number))
    chunks = [
        OwnChunk(
            text,
            _vector(name, number, ordinal),
            frozenset(analyse(f"{context_of(chunk, title=title, key=key)}\n{text}", LANGUAGE).counts),
        )
        for ordinal, (text, chunk) in enumerate(zip(texts, Listed(texts), strict=True))
    ]
    metadata = {"owner": canary(name), "team": TEAMS[number % len(TEAMS)]}
    return OwnDocument(key, title, f"{canary(name)}-{number}", metadata, tuple(chunks))


def _texts(name: str, number: int) -> Iterator[str]:
    """Every second one is the same in all tenants."""
    chance = random.Random(number)
    for ordinal in range(CHUNKS_OF_A_DOCUMENT):
        text = f"Part {ordinal} of {number}: {' '.join(chance.choices(WORDS, k=15))}"
        yield text if (number + ordinal) % 2 else f"{text} {canary(name)}"


def _vector(name: str, number: int, ordinal: int) -> NDArray[np.float64]:
    """Of each tenant another one, also for a text that all of them have: a cosine tells whose vector was compared."""
    vector = np.random.default_rng([crc32(name.encode()), number, ordinal]).normal(size=DIMENSIONS)
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit


@dataclass(frozen=True, slots=True)
class Listed:
    texts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.texts)

    @property
    def tokens(self) -> int:
        return 20 * len(self.texts)

    def __iter__(self) -> Iterator[Chunk]:
        start = 0
        for ordinal, text in enumerate(self.texts):
            yield Chunk(ordinal, text, 20, start, start + len(text), (PlaceMark(start, models.Place()),))
            start += len(text) + 1

    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]:
        return map(analysis.of, self)


def fill(settings: Settings, tenants: list[Tenant]) -> None:
    """Through ingest's own code, one tenant's documents between the others', as they would come."""
    with closing(Database(lambda deadline: connect(settings, deadline))) as database:
        todo = [(number, tenant.name, document) for tenant in tenants
                for number, document in enumerate(tenant.documents.values())]  # fmt: skip
        for _, name, document in sorted(todo, key=lambda one: one[:2]):
            _store(database, name, document)
        for tenant in tenants:
            _store_without_chunks(database, tenant)
        for tenant in tenants[::2]:
            Postings(database, tenant.name).fold_sums(deadline=Deadline.after(STEP_SECONDS))
            Postings(database, tenant.name).fold_all(deadline=Deadline.after(STEP_SECONDS))


def _store(database: Database, name: str, document: OwnDocument) -> None:
    deadline = Deadline.after(STEP_SECONDS)
    vectors = {text_digest(chunk.text): chunk.vector.tolist() for chunk in document.chunks}
    VectorTable(database, name).add_embeddings(vectors, deadline=deadline)
    index = DocumentIndex(database, name, "bench", detect=lambda _: LANGUAGE)
    index.replace(
        _facts(document.key, document.version, document.metadata),
        ParsedDocument(iter(()), separator="\n", title=document.title, read_as="text"),
        Listed([chunk.text for chunk in document.chunks]),
        EmbeddingReceipt(embedded=len(vectors)),
        index.claim(deadline=deadline),
        deadline=deadline,
    )


def _store_without_chunks(database: Database, tenant: Tenant) -> None:
    deadline = Deadline.after(STEP_SECONDS)
    index = DocumentIndex(database, tenant.name, "bench", detect=lambda _: LANGUAGE)
    for key in tenant.failed:
        problem = UnreadableDocument(FailureReason.CORRUPT, f"Ask {tenant.canary}.")
        index.fail(_facts(key, f"{tenant.canary}-f", {}), problem, index.claim(deadline=deadline), deadline=deadline)
    for key in tenant.queued:
        index.postpone(key, tries=1, reason=tenant.canary, seconds=60, deadline=deadline)


def _facts(key: str, version: str, metadata: dict[str, str]) -> ObjectFacts:
    return ObjectFacts(key, version, version, 100, "text/plain", STORED_AT, metadata)
