"""A long document with one changed paragraph: what is embedded, and what its receipt says, with real PostgreSQL."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from ingest.chunking import Chunker
from ingest.composition import telemetry
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.receipts import Receipt
from ingest.strays import Strays
from ingest.tenants import Tenancy
from ingest.vectors import VectorTable, text_digest
from tests.integration.index_database import DIMENSIONS, IndexDatabase, opened
from tests.unit.ingest_fakes import SOON, MemoryBucket
from tests.unit.make_pdf import make_pdf

PAGES = 500
CHANGED_PAGE = 250
SYLLABLES = ("ba", "de", "fi", "go", "lu", "mar", "nes", "pil", "ros", "tun")

# 1,000 words that are no words.
WORDS = [first + middle + last for first in SYLLABLES for middle in SYLLABLES for last in SYLLABLES]

Page = list[list[str]]
"""Paragraphs of lines."""


@dataclass
class Embedder:
    texts: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        self.texts += texts
        return Embeddings([[1.0 + byte for byte in text_digest(text)[:DIMENSIONS]] for text in texts], len(texts))


@dataclass
class Place:
    bucket: MemoryBucket
    embedder: Embedder
    pipeline: IngestPipeline

    def put(self, key: str, version: str, content: bytes) -> Receipt:
        self.bucket.objects[key] = (version, content)
        return self.pipeline.bring_up_to_date(key, deadline=SOON)


@pytest.fixture
def place(index_database: IndexDatabase) -> Iterator[Place]:
    with opened(index_database.ingest) as database:
        bucket, embedder = MemoryBucket(), Embedder()
        index = DocumentIndex(database, "acme", "fingerprint")
        pipeline = IngestPipeline(
            bucket=bucket,
            index=index,
            strays=Strays(index, Tenancy("acme")),
            chunker=Chunker(max_tokens=180, overlap_tokens=0, whole_tokens=360),
            embedding=EmbeddingStage(VectorTable(database, "acme"), embedder, "model", 50_000, 2),
            parse=parsed_here,
            telemetry=telemetry,
            limits=Limits(bytes=100_000_000, tokens=20_000_000),
        )
        yield Place(bucket, embedder, pipeline)


def paragraph(chance: random.Random) -> list[str]:
    """Sentences in lines, as a typesetter breaks them."""
    words = [chance.choice(WORDS) for _ in range(chance.randint(30, 70))]
    text = ". ".join(" ".join(words[start : start + 14]).capitalize() for start in range(0, len(words), 14)) + "."
    return [text[start : start + 90] for start in range(0, len(text), 90)]


def book() -> list[Page]:
    """Pages of some 600 tokens, as printed ones have."""
    chance = random.Random(1)  # noqa: S311  # texts, not secrets
    return [[paragraph(chance) for _ in range(chance.randint(3, 5))] for _ in range(PAGES)]


def as_pdf(pages: list[Page]) -> bytes:
    return make_pdf([[line for lines in page for line in lines] for page in pages], title="A book")


def as_text(pages: list[Page]) -> bytes:
    return "\n\n".join("\n".join(lines) for page in pages for lines in page).encode()


def as_markdown(pages: list[Page]) -> bytes:
    return "\n\n".join(
        f"## Section {number}\n\n" + "\n\n".join(" ".join(lines) for lines in page)
        for number, page in enumerate(pages, start=1)
    ).encode()


@pytest.mark.parametrize(
    ("key", "written"),
    [("book.pdf", as_pdf), ("book.txt", as_text), ("book.md", as_markdown)],
    ids=["pdf", "txt", "md"],
)
def test_one_changed_paragraph_of_500_pages_embeds_one_to_three_chunks(
    place: Place, key: str, written: Callable[[list[Page]], bytes]
) -> None:
    pages = book()
    first = place.put(key, "v1", written(pages))
    assert first.embedding.embedded == first.chunks > PAGES
    pages[CHANGED_PAGE][1] = paragraph(random.Random(7))  # noqa: S311  # texts, not secrets
    place.embedder.texts.clear()
    second = place.put(key, "v2", written(pages))
    assert len(place.embedder.texts) in {1, 2, 3}
    assert second.embedding.embedded == len(place.embedder.texts)
    assert second.embedding.reused == second.chunks - second.embedding.embedded
