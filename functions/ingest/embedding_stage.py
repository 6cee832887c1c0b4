"""Vectors for the chunks that have none yet, several requests at a time, each kept as it arrives."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Protocol

from bucketwise.deadline import Deadline
from bucketwise.embedding import MOST_INPUTS, Embedder, Embeddings
from bucketwise.errors import BucketwiseError
from bucketwise.models import Chunk
from bucketwise.prices import ModelUsage
from ingest.index import text_digest
from ingest.receipts import EmbeddingReceipt

TRIES = 5


class VectorStore(Protocol):
    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]: ...
    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None: ...


@dataclass(frozen=True, slots=True)
class EmbeddingStage:
    """``batch_tokens`` bounds one request, ``concurrency`` the requests under way at once."""

    store: VectorStore
    embedder: Embedder
    model: str
    batch_tokens: int
    concurrency: int

    def embed_missing(self, chunks: Sequence[Chunk], *, deadline: Deadline) -> EmbeddingReceipt:
        """Sees to it that every chunk's text has a vector, and says how many had one before.

        When a request fails for good, those under way are still waited for and kept; then the first error
        is raised. So the next try pays only for what is missing.
        """
        by_digest = {text_digest(chunk.text): chunk for chunk in chunks}
        known = self.store.known_texts(list(by_digest), deadline=deadline)
        missing = {digest: chunk for digest, chunk in by_digest.items() if digest not in known}
        tokens = self._embed(missing, deadline) if missing else 0
        return EmbeddingReceipt(
            embedded=len(missing),
            reused=len(chunks) - len(missing),
            tokens=tokens,
            cost_usd=ModelUsage(self.model, tokens).usd if tokens else 0.0,
        )

    def _embed(self, missing: dict[bytes, Chunk], deadline: Deadline) -> int:
        tokens = 0
        failure: BucketwiseError | None = None
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
            requests = {
                pool.submit(
                    self.embedder.embed, [missing[digest].text for digest in batch], deadline=deadline, tries=TRIES
                ): batch
                for batch in batches(missing.items(), most_tokens=self.batch_tokens)
            }
            for request in as_completed(requests):
                try:
                    tokens += self._keep(requests[request], request, deadline)
                except BucketwiseError as error:
                    failure = failure or error
                    # Not by the pool's shutdown: as_completed would never hear of what that cancels.
                    for other in requests:
                        other.cancel()
        if failure is not None:
            raise failure
        return tokens

    def _keep(self, batch: list[bytes], request: Future[Embeddings], deadline: Deadline) -> int:
        if request.cancelled():
            return 0
        embeddings = request.result()
        self.store.add_embeddings(dict(zip(batch, embeddings.vectors, strict=True)), deadline=deadline)
        return embeddings.tokens


def batches(chunks: Iterable[tuple[bytes, Chunk]], *, most_tokens: int) -> Iterator[list[bytes]]:
    """Digests in groups that one request may carry: at most 2,048 inputs and ``most_tokens`` tokens.

    A single chunk above ``most_tokens`` would be a group of its own; settings keep chunks far below.
    """
    batch: list[bytes] = []
    tokens = 0
    for digest, chunk in chunks:
        if batch and (len(batch) == MOST_INPUTS or tokens + chunk.tokens > most_tokens):
            yield batch
            batch, tokens = [], 0
        batch.append(digest)
        tokens += chunk.tokens
    if batch:
        yield batch
