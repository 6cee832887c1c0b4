"""Texts without a vector get one, in bounded requests, and whatever was paid for is kept."""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.deadline import Deadline
from bucketwise.embedding import MOST_INPUTS, Embedder, Embeddings
from bucketwise.errors import BucketwiseError, DatabaseUnavailable, DeadlineExceeded, ModelRefused, ModelUnavailable
from bucketwise.models import Chunk
from ingest.embedding_stage import EmbeddingStage
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import text_digest
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryIndex, chunks_of, letter_vector

PRICED = "text-embedding-3-small"
PATIENCE = 10.0  # seconds; a stage that waits for ever must fail its test, not hang the suite


def stage(
    store: MemoryIndex, embedder: Embedder, *, model: str = PRICED, batch_tokens: int = 6, concurrency: int = 2
) -> EmbeddingStage:
    return EmbeddingStage(store, embedder, model, batch_tokens, concurrency)


def embedded(work: EmbeddingStage, chunks: Iterable[Chunk], deadline: Deadline = SOON) -> EmbeddingReceipt:
    with work.run(deadline=deadline) as run:
        for chunk in chunks:
            run.add(chunk)
        return run.finish()


def ending(work: EmbeddingStage, chunks: Sequence[Chunk], deadline: Deadline = SOON) -> EmbeddingReceipt:
    """The stage's receipt, from a daemon thread, so that a stage that hangs is seen and not waited for."""
    outcome: Future[EmbeddingReceipt] = Future()

    def run() -> None:
        try:
            outcome.set_result(embedded(work, chunks, deadline))
        except BucketwiseError as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(timeout=PATIENCE)


def sized(sizes: Sequence[int]) -> list[Chunk]:
    """Chunks of so many tokens each."""
    chunks = chunks_of(*(f"text {n}" for n in range(len(sizes))))
    return [replace(chunk, tokens=size) for chunk, size in zip(chunks, sizes, strict=True)]


class MeetingEmbedder(LetterEmbedder):
    """Answers only when as many requests are under way as it waits for."""

    def __init__(self, requests: int) -> None:
        super().__init__()
        self._meeting = threading.Barrier(requests)

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        self._meeting.wait(timeout=PATIENCE)
        return super().embed(texts, deadline=deadline, tries=tries)


class RefusingEmbedder(LetterEmbedder):
    """Refuses its first request, once the second is under way; that one and all later ones end after that."""

    def __init__(self) -> None:
        super().__init__()
        self._second = threading.Event()
        self._refused = threading.Event()

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        embeddings = super().embed(texts, deadline=deadline, tries=tries)
        if texts[0] == "a0":
            self._second.wait(timeout=PATIENCE)
            self._refused.set()
            raise ModelRefused("the model's server answered 401")
        self._second.set()
        self._refused.wait(timeout=PATIENCE)
        time.sleep(0.01)  # a model's answer takes longer than giving up the others
        return embeddings


class FullStore(MemoryIndex):
    """Cannot keep the vector of "b"."""

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        if text_digest("b") in vectors:
            raise DatabaseUnavailable("the database did not answer, twice")
        super().add_embeddings(vectors, deadline=deadline)


def test_each_text_gets_its_own_vector() -> None:
    store = MemoryIndex()
    texts = [f"{letter}{'x' * n}" for n, letter in enumerate("abcdefghij")]
    ending(stage(store, LetterEmbedder()), chunks_of(*texts))
    assert store.vectors == {text_digest(text): letter_vector(text) for text in texts}


def test_only_texts_without_a_vector_are_sent() -> None:
    store, embedder = MemoryIndex(), LetterEmbedder()
    store.vectors[text_digest("known")] = [1.0, 1.0]
    receipt = ending(stage(store, embedder), chunks_of("known", "new text"))
    assert embedder.texts == ["new text"]
    assert receipt == EmbeddingReceipt(embedded=1, reused=1, tokens=2, cost_usd=2 * 0.02 / 1_000_000)


def test_nothing_is_sent_and_nothing_costs_when_every_text_is_known() -> None:
    store, embedder = MemoryIndex(), LetterEmbedder()
    ending(stage(store, embedder), chunks_of("one", "two"))
    embedder.requests.clear()
    assert ending(stage(store, embedder, model="unpriced"), chunks_of("two", "one")) == EmbeddingReceipt(reused=2)
    assert embedder.requests == []


def test_a_text_that_stands_twice_in_a_document_is_sent_once() -> None:
    embedder = LetterEmbedder()
    receipt = ending(stage(MemoryIndex(), embedder), chunks_of("same", "other", "same", "same"))
    assert sorted(embedder.texts) == ["other", "same"]
    assert (receipt.embedded, receipt.reused) == (2, 2)


def test_a_model_without_a_price_costs_an_unknown_amount() -> None:
    receipt = ending(stage(MemoryIndex(), LetterEmbedder(), model="local-model"), chunks_of("three words here"))
    assert (receipt.tokens, receipt.cost_usd) == (3, None)


@given(
    known=st.sets(st.sampled_from("abcdef")),
    texts=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12),
)
def test_embedded_and_reused_add_up_to_the_chunks(known: set[str], texts: list[str]) -> None:
    store, embedder = MemoryIndex(), LetterEmbedder()
    store.vectors = {text_digest(text): letter_vector(text) for text in known}
    receipt = embedded(stage(store, embedder), chunks_of(*texts))
    assert receipt.embedded + receipt.reused == len(texts)
    assert receipt.embedded == len(set(texts) - known) == len(embedder.texts)


@given(st.lists(st.integers(1, 60), max_size=40))
def test_requests_keep_order_and_bounds_and_are_not_cut_early(sizes: list[int]) -> None:
    embedder = LetterEmbedder()
    embedded(stage(MemoryIndex(), embedder, batch_tokens=100, concurrency=1), sized(sizes))
    assert embedder.texts == [f"text {n}" for n in range(len(sizes))]
    totals = [sum(sizes[int(text.split()[1])] for text in request) for request in embedder.requests]
    first = [sizes[int(request[0].split()[1])] for request in embedder.requests]
    assert all(0 < total <= 100 for total in totals)
    assert all(total + after > 100 for total, after in zip(totals, first[1:], strict=False))


def test_a_request_holds_at_most_2048_inputs() -> None:
    embedder = LetterEmbedder()
    embedded(stage(MemoryIndex(), embedder, batch_tokens=300_000, concurrency=1), sized([1] * (2 * MOST_INPUTS + 1)))
    assert [len(request) for request in embedder.requests] == [2048, 2048, 1]


def test_a_chunk_above_the_bound_is_a_request_of_its_own() -> None:
    embedder = LetterEmbedder()
    embedded(stage(MemoryIndex(), embedder, batch_tokens=100, concurrency=1), sized([1, 200, 1]))
    assert [len(request) for request in embedder.requests] == [1, 1, 1]


def test_as_many_requests_are_under_way_as_are_allowed() -> None:
    store = MemoryIndex()
    ending(stage(store, MeetingEmbedder(3), batch_tokens=1, concurrency=3), chunks_of(*"abcdef"))
    assert len(store.vectors) == 6


def test_a_failing_request_loses_no_vector_of_those_under_way_and_its_error_is_raised() -> None:
    store = MemoryIndex()
    with pytest.raises(ModelRefused):
        ending(stage(store, RefusingEmbedder()), chunks_of("a0", "a1", "b0", "b1"))
    assert store.vectors.keys() == {text_digest("b0"), text_digest("b1")}


def test_what_waits_behind_a_failing_request_is_given_up_and_the_error_still_comes() -> None:
    embedder = RefusingEmbedder()
    with pytest.raises(ModelRefused):
        ending(stage(MemoryIndex(), embedder, batch_tokens=1), chunks_of("a0", *(f"b{n}" for n in range(500))))
    assert len(embedder.requests) < 250


def test_the_next_try_pays_only_for_what_is_missing() -> None:
    store, chunks = MemoryIndex(), chunks_of("a", "b", "c")
    with pytest.raises(ModelUnavailable):
        ending(stage(store, LetterEmbedder(refused="c"), batch_tokens=1, concurrency=1), chunks)
    embedder = LetterEmbedder()
    receipt = ending(stage(store, embedder), chunks)
    assert embedder.texts == ["c"]
    assert (receipt.embedded, receipt.reused) == (1, 2)


def test_vectors_that_cannot_be_kept_fail_the_stage_but_not_the_other_requests() -> None:
    store = FullStore()
    with pytest.raises(DatabaseUnavailable):
        ending(stage(store, MeetingEmbedder(2), batch_tokens=1), chunks_of("a", "b"))
    assert store.vectors.keys() <= {text_digest("a")}


def test_nothing_is_sent_after_the_deadline() -> None:
    embedder = LetterEmbedder()
    with pytest.raises(DeadlineExceeded):
        ending(stage(MemoryIndex(), embedder), chunks_of("a"), Deadline.after(-1))
    assert embedder.requests == []
