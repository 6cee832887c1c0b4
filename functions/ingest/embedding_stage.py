"""Vectors for the chunks that have none yet, several requests at a time, each kept as it arrives."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from bucketwise.deadline import Deadline
from bucketwise.embedding import MOST_INPUTS, Embedder
from bucketwise.errors import BucketwiseError, DeadlineExceeded, IndexChanged
from bucketwise.index_kind import IndexKind, LiveKind
from bucketwise.models import Chunk
from bucketwise.prices import ModelUsage
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import text_digest

TRIES = 5
ANSWER_SECONDS = 10.0
"""What is left to a request to be answered in: cut off by the deadline, it would be paid for, and sent again."""
LOOK_UP = 64
"""Texts looked up at once: their answers decide what is sent, so a long document need not be read to its end first."""
MOST_LOOK_UPS = 16
"""Groups of texts that may wait to be looked up, while the database is busy with storing vectors."""


class VectorStore(Protocol):
    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]: ...
    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None: ...


@dataclass(frozen=True, slots=True)
class EmbeddingStage:
    """``batch_tokens`` bounds one request, ``concurrency`` the requests under way at once.

    The store is called from several threads.
    """

    store: VectorStore
    embedder: Embedder
    model: str
    batch_tokens: int
    concurrency: int

    @contextmanager
    def run(self, *, deadline: Deadline) -> Iterator["EmbeddingRun"]:
        """Embeds one document's chunks. However the block ends, requests under way are waited for and kept."""
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool, ThreadPoolExecutor(max_workers=1) as lookups:
            run = EmbeddingRun(self, pool, lookups, deadline)
            try:
                yield run
            finally:
                run.wind_up()


@dataclass(frozen=True, slots=True)
class LiveEmbeddingStage:
    """Embeds for the kind of vectors that is live when a document's turn comes."""

    kinds: LiveKind
    stage_for: Callable[[IndexKind], EmbeddingStage]

    @contextmanager
    def run(self, *, deadline: Deadline) -> Iterator["EmbeddingRun"]:
        """As EmbeddingStage.run. Raises IndexChanged if the index goes over to another model meanwhile."""
        stage = self.stage_for(self.kinds.get(deadline=deadline))
        try:
            with stage.run(deadline=deadline) as run:
                yield run
        except IndexChanged:
            self.kinds.forget()
            raise


class EmbeddingRun:
    """Takes a document's chunks one by one; memory is bounded by the requests under way.

    Texts are looked up, embedded and stored by other threads, while the document is cut further. Each request's
    thread stores what it brings.
    """

    def __init__(
        self, stage: EmbeddingStage, pool: ThreadPoolExecutor, lookups: ThreadPoolExecutor, deadline: Deadline
    ) -> None:
        self._stage = stage
        self._pool = pool
        self._lookups = lookups
        self._deadline = deadline
        # Of a short time, a quarter: some of it must be left to send in. What comes last has to be stored, too.
        spare = min(ANSWER_SECONDS, deadline.remaining() / 4)
        self._sending = Deadline(deadline.at - spare)
        self._answering = Deadline(deadline.at - spare / 5)
        self._seen: set[bytes] = set()
        self._gathered: dict[bytes, Chunk] = {}
        self._asked: deque[tuple[dict[bytes, Chunk], Future[set[bytes]]]] = deque()
        self._batch: dict[bytes, Chunk] = {}
        self._batch_tokens = 0
        self._requests: set[Future[None]] = set()
        self._reused = 0
        self._embedded = 0
        self._tokens = 0
        self._counting = Lock()

    @property
    def receipt(self) -> EmbeddingReceipt:
        """What was embedded and kept so far; the chunks that needed nothing count as reused."""
        return EmbeddingReceipt(
            embedded=self._embedded,
            reused=self._reused,
            tokens=self._tokens,
            cost_usd=ModelUsage(self._stage.model, self._tokens).usd if self._tokens else 0.0,
        )

    @property
    def has_time(self) -> bool:
        """Whether a request may still be sent."""
        return self._sending.remaining() > 0

    def add(self, chunk: Chunk) -> None:
        """Raises what a request that ended meanwhile failed with, or the store."""
        digest = text_digest(chunk.text)
        if digest in self._seen:
            self._reused += 1
            return
        self._seen.add(digest)
        self._gathered[digest] = chunk
        if len(self._gathered) == LOOK_UP:
            self._look_up()
        while self._asked and (self._asked[0][1].done() or len(self._asked) > MOST_LOOK_UPS):
            self._sort_out()

    def finish(self) -> EmbeddingReceipt:
        """Returns when every chunk's text has a vector."""
        self._look_up()
        while self._asked:
            self._sort_out()
        if self._batch:
            self._send()
        while self._requests:
            self._await_one()
        return self.receipt

    def wind_up(self) -> None:
        """Cancels what has not begun, and lets the rest be kept; what fails now is no news any more."""
        self._requests = {request for request in self._requests if not request.cancel()}
        while self._requests:
            try:
                self._await_one()
            except BucketwiseError:
                continue

    def _look_up(self) -> None:
        if self._gathered:
            known = self._lookups.submit(self._stage.store.known_texts, list(self._gathered), deadline=self._deadline)
            self._asked.append((self._gathered, known))
            self._gathered = {}

    def _sort_out(self) -> None:
        """Puts the texts that have no vector into batches: at most 2,048 inputs and ``batch_tokens`` tokens each."""
        texts, answer = self._asked.popleft()
        known = answer.result()
        for digest, chunk in texts.items():
            if digest in known:
                self._reused += 1
                continue
            full = self._batch_tokens + chunk.tokens > self._stage.batch_tokens or len(self._batch) == MOST_INPUTS
            if self._batch and full:
                self._send()
            self._batch[digest] = chunk
            self._batch_tokens += chunk.tokens

    def _send(self) -> None:
        while len(self._requests) >= 2 * self._stage.concurrency or any(map(Future.done, self._requests)):
            self._await_one()
        self._requests.add(self._pool.submit(self._embed, self._batch))
        self._batch = {}
        self._batch_tokens = 0

    def _embed(self, batch: dict[bytes, Chunk]) -> None:
        if not self.has_time:
            raise DeadlineExceeded("no time was left to embed more")
        texts = [chunk.text for chunk in batch.values()]
        embeddings = self._stage.embedder.embed(texts, deadline=self._answering, tries=TRIES)
        with self._counting:
            self._tokens += embeddings.tokens
        vectors = dict(zip(batch, embeddings.vectors, strict=True))
        self._stage.store.add_embeddings(vectors, deadline=self._deadline)
        with self._counting:
            self._embedded += len(vectors)

    def _await_one(self) -> None:
        """Waits for a request to end. Raises what it, or the store, failed with."""
        ended, _ = wait(self._requests, return_when=FIRST_COMPLETED)
        request = ended.pop()
        self._requests.remove(request)
        request.result()
