"""A document is embedded while it is parsed, unless its text might prove to be too large; and its time is bounded."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, UnreadableDocument
from bucketwise.models import Chunk, FailureReason, Place
from ingest.embedding_stage import LOOK_UP
from ingest.parsing.document import Block, ParsedDocument
from ingest.receipts import Outcome, Receipt
from ingest.terms import Analysis, ChunkTerms
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex
from tests.unit.ingest_world import pipeline_of

MANY = 12 * LOOK_UP
Look = Callable[..., Receipt]
WORDS = "seven words stand in each one here"


class Parser:
    """Blocks that are too long to share a chunk. Notes how much had been embedded when it came to the end."""

    def __init__(self, embedder: LetterEmbedder) -> None:
        self._embedder = embedder
        self.blocks = MANY
        self.most_tokens: int | None = None
        self.pause = 0.0
        self.ends_with: UnreadableDocument | None = None
        self.embedded_at_the_end = 0

    @contextmanager
    def parse(self, path: Path, *, key: str, content_type: str | None) -> Iterator[ParsedDocument]:
        assert path.read_bytes() == b"content"
        assert (key, content_type) == ("a.txt", "text/plain")
        yield ParsedDocument(self._read(), separator="\n\n", most_tokens=self.most_tokens)

    def _read(self) -> Iterator[Block]:
        for n in range(self.blocks):
            time.sleep(self.pause)
            yield Block(f"{n} {WORDS} {n}", Place())
        self.embedded_at_the_end = len(self._embedder.texts)
        if self.ends_with is not None:
            raise self.ends_with


@pytest.fixture
def index() -> MemoryIndex:
    return MemoryIndex()


@pytest.fixture
def embedder() -> LetterEmbedder:
    return LetterEmbedder()


@pytest.fixture
def parser(embedder: LetterEmbedder) -> Parser:
    return Parser(embedder)


@pytest.fixture
def look(index: MemoryIndex, embedder: LetterEmbedder, parser: Parser) -> Look:
    def look(*, tokens: int = 10**6, deadline: Deadline = SOON) -> Receipt:
        bucket = MemoryBucket(**{"a.txt": ("v1", b"content")})
        pipeline = replace(pipeline_of(bucket, index, embedder, tokens=tokens), parse=parser.parse)
        return pipeline.bring_up_to_date("a.txt", deadline=deadline)

    return look


def test_a_text_that_is_known_to_be_small_enough_is_embedded_while_it_is_parsed(
    embedder: LetterEmbedder, parser: Parser, look: Look
) -> None:
    parser.most_tokens = 10**6
    receipt = look()
    assert (receipt.outcome, receipt.chunks) == (Outcome.INDEXED, MANY)
    assert parser.embedded_at_the_end >= LOOK_UP
    assert len(embedder.texts) == MANY


@pytest.mark.parametrize("most_tokens", [None, 10**6 + 1])
def test_a_text_that_may_be_too_large_is_counted_before_any_of_it_is_embedded(
    embedder: LetterEmbedder, parser: Parser, most_tokens: int | None, look: Look
) -> None:
    parser.most_tokens = most_tokens
    receipt = look()
    assert (receipt.outcome, receipt.chunks) == (Outcome.INDEXED, MANY)
    assert parser.embedded_at_the_end == 0
    assert len(embedder.texts) == MANY


@pytest.mark.parametrize("most_tokens", [None, 10**6])
def test_nothing_is_paid_for_a_text_that_is_too_large(
    embedder: LetterEmbedder, parser: Parser, most_tokens: int | None, look: Look
) -> None:
    parser.most_tokens = most_tokens
    receipt = look(tokens=MANY)
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, FailureReason.TOO_LARGE)
    assert embedder.requests == []


def test_a_file_that_proves_to_be_unreadable_late_fails_and_what_was_paid_for_is_told(
    index: MemoryIndex, parser: Parser, look: Look
) -> None:
    parser.most_tokens = 10**6
    parser.ends_with = UnreadableDocument(FailureReason.CORRUPT, "The file is damaged.")
    receipt = look()
    assert (receipt.outcome, receipt.reason, receipt.chunks) == (Outcome.FAILED, FailureReason.CORRUPT, 0)
    assert receipt.embedding.embedded == len(index.vectors) > 0
    assert receipt.embedding.reused == 0


def test_a_document_without_blocks_is_empty(parser: Parser, look: Look) -> None:
    parser.blocks = 0
    assert look().reason is FailureReason.EMPTY


def test_parsing_that_takes_all_the_time_is_broken_off(index: MemoryIndex, parser: Parser, look: Look) -> None:
    parser.pause = 0.01
    receipt = look(deadline=Deadline.after(0.5))
    assert (receipt.outcome, receipt.error_name) == (Outcome.POSTPONED, "parsing_too_slow")
    assert (receipt.begun, receipt.embedding.embedded) == (True, 0)
    assert index.rows == {}


def test_what_was_embedded_when_the_time_was_up_is_not_embedded_again(
    index: MemoryIndex, embedder: LetterEmbedder, parser: Parser, look: Look
) -> None:
    parser.most_tokens = 10**6
    parser.pause = 0.001
    receipt = look(deadline=Deadline.after(0.8))
    assert receipt.outcome is Outcome.POSTPONED
    assert receipt.embedding.embedded == len(index.vectors) == len(embedder.texts) > 0
    parser.pause = 0.0
    assert look().outcome is Outcome.INDEXED
    assert len(embedder.texts) == MANY


def test_without_time_to_make_the_terms_it_is_put_off_with_its_vectors_kept(
    parser: Parser, look: Look, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(_analysis: Analysis, _chunk: Chunk) -> ChunkTerms:
        raise DeadlineExceeded("no time was left")

    monkeypatch.setattr(Analysis, "of", of)
    parser.blocks = 2
    receipt = look()
    assert (receipt.outcome, type(receipt.error)) == (Outcome.POSTPONED, DeadlineExceeded)
    assert receipt.embedding.embedded == len(index.vectors) == 2
