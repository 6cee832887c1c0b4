"""A document is embedded while it is still being read: looked up in groups, sent in bounded numbers, kept."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import DatabaseUnavailable, DeadlineExceeded, ModelRefused, ModelUnavailable
from bucketwise.models import Chunk
from ingest.embedding_stage import LOOK_UP, MOST_LOOK_UPS, EmbeddingStage
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import text_digest
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryIndex, chunks_of

PATIENCE = 10.0  # seconds
MANY = (MOST_LOOK_UPS + 4) * LOOK_UP


class CountingStore(MemoryIndex):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.failure: DatabaseUnavailable | None = None

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        self.asked.append(len(digests))
        assert self.may_answer.wait(timeout=PATIENCE)
        return super().known_texts(digests, deadline=deadline)

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        if self.failure is not None:
            raise self.failure
        super().add_embeddings(vectors, deadline=deadline)


class HeldEmbedder(LetterEmbedder):
    """Answers nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        self.asked.set()
        assert self.may_answer.wait(timeout=PATIENCE)
        return super().embed(texts, deadline=deadline, tries=tries)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


def stage(store: MemoryIndex, embedder: LetterEmbedder, *, concurrency: int = 2, tokens: int = 1) -> EmbeddingStage:
    """A request holds one text, or as many as have so many tokens."""
    return EmbeddingStage(store, embedder, "local-model", batch_tokens=tokens, concurrency=concurrency)


def chunks(count: int) -> list[Chunk]:
    return chunks_of(*(f"text {n}" for n in range(count)), tokens=1)


def test_texts_are_looked_up_in_groups_and_each_text_once(store: CountingStore) -> None:
    with stage(store, LetterEmbedder()).run(deadline=SOON) as run:
        for chunk in chunks(LOOK_UP + 5) * 2:
            run.add(chunk)
        run.finish()
    assert store.asked == [LOOK_UP, 5]


def test_texts_are_sent_before_the_last_one_is_known(store: CountingStore) -> None:
    embedder = LetterEmbedder()
    with stage(store, embedder, concurrency=1).run(deadline=SOON) as run:
        for chunk in chunks(MANY):
            run.add(chunk)
        sent = 4 * LOOK_UP  # those of the groups that may not wait any more
        assert len(store.vectors) >= sent - 3  # one is not sent yet, two are under way
        assert run.receipt.embedded >= sent - 3
        run.finish()
    assert len(store.vectors) == MANY


def test_what_has_been_answered_is_kept_at_once(store: CountingStore) -> None:
    with stage(store, LetterEmbedder(), tokens=50).run(deadline=SOON) as run:
        for chunk in chunks(MANY):
            run.add(chunk)
            time.sleep(0.001)
            if len(store.vectors) >= 50:
                break
        assert len(store.vectors) >= 50
        assert len(store.asked) < MANY // LOOK_UP


def test_a_failure_is_told_while_more_is_sent(store: CountingStore) -> None:
    embedder = LetterEmbedder(refused="text 0")

    def work() -> None:
        with stage(store, embedder, concurrency=100, tokens=100).run(deadline=SOON) as run:
            for chunk in chunks(8 * LOOK_UP):
                run.add(chunk)
                time.sleep(0.0005)

    with pytest.raises(ModelUnavailable):
        work()


def test_it_is_read_on_while_texts_are_looked_up(store: CountingStore) -> None:
    store.may_answer.clear()
    with stage(store, LetterEmbedder()).run(deadline=SOON) as run:
        for chunk in chunks(MOST_LOOK_UPS * LOOK_UP):
            run.add(chunk)
        store.may_answer.set()
        run.finish()
    assert len(store.vectors) == MOST_LOOK_UPS * LOOK_UP


def test_no_more_is_read_while_as_many_requests_wait_as_may(store: CountingStore) -> None:
    embedder = HeldEmbedder()
    taken = 0

    def reading() -> Iterator[Chunk]:
        nonlocal taken
        for chunk in chunks(MANY):
            taken += 1
            yield chunk

    def work() -> None:
        with stage(store, embedder).run(deadline=SOON) as run:
            for chunk in reading():
                run.add(chunk)
            run.finish()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    assert embedder.asked.wait(timeout=PATIENCE)
    time.sleep(0.2)  # in which it would have read on
    assert LOOK_UP <= taken <= (MOST_LOOK_UPS + 1) * LOOK_UP
    embedder.may_answer.set()
    worker.join(timeout=PATIENCE)
    assert (taken, len(store.vectors)) == (MANY, MANY)


def test_however_the_work_ends_the_request_under_way_is_kept_and_the_next_is_not_sent(store: CountingStore) -> None:
    embedder = HeldEmbedder()
    work = stage(store, embedder, concurrency=1, tokens=100)
    with pytest.raises(ZeroDivisionError):
        breaking_off(work, ZeroDivisionError(), embedder)
    assert [len(request) for request in embedder.requests] == [100]
    assert len(store.vectors) == 100


def test_vectors_that_cannot_be_kept_at_the_end_do_not_hide_why_it_ended(store: CountingStore) -> None:
    embedder = HeldEmbedder()
    store.failure = DatabaseUnavailable("the database did not answer, twice")
    with pytest.raises(ModelRefused):
        breaking_off(stage(store, embedder, tokens=100), ModelRefused("the model's server answered 401"), embedder)
    assert store.vectors == {}


def breaking_off(work: EmbeddingStage, error: Exception, embedder: HeldEmbedder) -> None:
    """Raises ``error`` while requests are under way; they are answered a little later."""
    with work.run(deadline=SOON) as run:
        for chunk in chunks(MANY):
            run.add(chunk)
            if embedder.asked.wait(timeout=0.002):
                break
        assert embedder.asked.is_set()
        threading.Timer(0.1, embedder.may_answer.set).start()
        raise error


def test_a_receipt_in_the_middle_counts_as_reused_only_what_was_found(store: CountingStore) -> None:
    store.vectors[text_digest("text 0")] = [1.0, 1.0]
    with stage(store, LetterEmbedder()).run(deadline=SOON) as run:
        for chunk in chunks(3):
            run.add(chunk)
        assert run.receipt == EmbeddingReceipt()
        run.add(chunks(1)[0])
        assert run.receipt.reused == 1
        assert run.finish() == EmbeddingReceipt(embedded=2, reused=2, tokens=4, cost_usd=None)


def test_no_request_is_sent_that_has_too_little_time_to_be_answered(store: CountingStore) -> None:
    embedder, deadline = LetterEmbedder(), Deadline.after(1.0)
    with stage(store, embedder).run(deadline=deadline) as run:
        had_time = run.has_time
        run.add(chunks(1)[0])
        time.sleep(0.8)
        assert (had_time, run.has_time) == (True, False)
        with pytest.raises(DeadlineExceeded, match="embed"):
            run.finish()
    assert embedder.requests == []


def test_what_is_answered_last_has_time_to_be_stored(store: CountingStore) -> None:
    deadlines: list[Deadline] = []

    class Clockwatcher(LetterEmbedder):
        def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
            deadlines.append(deadline)
            return super().embed(texts, deadline=deadline, tries=tries)

    deadline = Deadline.after(100)
    with stage(store, Clockwatcher()).run(deadline=deadline) as run:
        run.add(chunks(1)[0])
        run.finish()
    assert [deadline.at - each.at for each in deadlines] == [pytest.approx(2.0)]
