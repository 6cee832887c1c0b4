"""An embedder without a network, and an account of every text that it embedded although its vector was there."""

from collections.abc import Sequence
from hashlib import sha256
from threading import Lock

from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from ingest.vectors import VectorTable, text_digest

DIMENSIONS = 8
MODEL = "chaos"


def vector_of(text: str) -> list[float]:
    """Of the text's digest; never zero."""
    return [byte + 1.0 for byte in sha256(text.encode()).digest()[:DIMENSIONS]]


class EmbeddingLedger:
    """What all workers embedded and kept.

    A vector is certain to be there from its commit on, until a collection begins that might remove it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._collections = 0
        self._kept: dict[bytes, int] = {}
        self.embedded = 0
        self.wasted = 0

    def collection_begins(self) -> None:
        with self._lock:
            self._collections += 1

    def collection_ended(self) -> None:
        with self._lock:
            self._collections += 1

    def keep(self, digests: Sequence[bytes]) -> None:
        """The vectors of these are committed."""
        with self._lock:
            self._kept.update(dict.fromkeys(digests, self._collections))

    def certain(self, digests: Sequence[bytes]) -> set[bytes]:
        with self._lock:
            collecting = self._collections % 2 == 1
            return set() if collecting else {one for one in digests if self._kept.get(one) == self._collections}

    def note(self, digests: Sequence[bytes], present: set[bytes]) -> None:
        """These are embedded, by one for whom those in ``present`` were there when it looked."""
        with self._lock:
            self.embedded += len(digests)
            self.wasted += sum(digest in present for digest in digests)


class WatchedVectors:
    """One worker's VectorTable. ``present`` are the texts whose vectors were there at its latest look-up."""

    def __init__(self, table: VectorTable, ledger: EmbeddingLedger) -> None:
        self._table = table
        self._ledger = ledger
        self.present: set[bytes] = set()

    def known_texts(self, digests: Sequence[bytes], *, deadline: Deadline) -> set[bytes]:
        before = self._ledger.certain(digests)
        known = self._table.known_texts(digests, deadline=deadline)
        # A collection that began meanwhile may have removed one.
        self.present = known | (before & self._ledger.certain(digests))
        return known

    def add_embeddings(self, vectors: dict[bytes, list[float]], *, deadline: Deadline) -> None:
        self._table.add_embeddings(vectors, deadline=deadline)
        self._ledger.keep(list(vectors))


class NotedEmbedder:
    """One worker's embedder."""

    def __init__(self, store: WatchedVectors, ledger: EmbeddingLedger) -> None:
        self._store = store
        self._ledger = ledger

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        self._ledger.note([text_digest(text) for text in texts], self._store.present)
        return Embeddings([vector_of(text) for text in texts], len(texts))
