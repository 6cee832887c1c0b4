"""Vectors in clusters, one for each topic and document; made of latent numbers of falling spread, as a model's are."""

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bench.search_texts import Document

Vectors = NDArray[np.float32]

LATENT = 384
DECAY = 0.45  # of the spread of latent number i, which is i to the power of minus this
TOPICS = 30  # of each group
# With these, HNSW over halfvec and over signs reaches about the recall that was measured with vectors of real texts,
# from a model of 1536 dimensions: of 20,000, .97 and .96 with 100 candidates, .99 and .99 with 200.
TOPIC, DOCUMENT, CHUNK = 0.2, 0.25, 0.95
ASIDE = 1.0
"""How far a question is from its passage, whose length is 1: their cosine is about 0.71."""


class Clusters:
    def __init__(self, dimensions: int) -> None:
        numbers = np.random.default_rng(1)
        spread = np.arange(1, LATENT + 1, dtype=np.float32) ** -DECAY
        basis = numbers.normal(size=(LATENT, dimensions)).astype(np.float32)
        self._basis = basis * (spread / np.linalg.norm(spread))[:, None]

    def of(self, document: Document) -> Vectors:
        """One for each of its chunks, of length 1 and as exact as the index stores them."""
        numbers = np.random.default_rng([2, document.number])
        topic = np.random.default_rng([3, crc32(document.group.encode()), int(numbers.integers(TOPICS))])
        latent = TOPIC * topic.normal(size=LATENT) + DOCUMENT * numbers.normal(size=LATENT)
        latent = latent + CHUNK * numbers.normal(size=(len(document.texts), LATENT))
        return unit(latent.astype(np.float32) @ self._basis).astype(np.float16).astype(np.float32)

    def beside(self, vectors: Vectors, seed: int) -> Vectors:
        """Questions, one for each passage."""
        numbers = np.random.default_rng([4, seed])
        aside = unit(numbers.normal(size=(len(vectors), LATENT)).astype(np.float32) @ self._basis)
        return unit(vectors + ASIDE * aside)


def unit(vectors: NDArray[Any]) -> Vectors:
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def nearest(vectors: NDArray[np.float16], questions: Vectors, most: int, *, block: int = 10_000) -> NDArray[np.int64]:
    """The rows with the greatest cosine for each question, best first, compared one by one."""
    rows = np.empty((len(questions), 0), dtype=np.int64)
    cosines = np.empty((len(questions), 0), dtype=np.float32)
    for start in range(0, len(vectors), block):
        found = questions @ unit(vectors[start : start + block].astype(np.float32)).T
        numbers = np.broadcast_to(np.arange(start, start + found.shape[1]), found.shape)
        rows, cosines = np.concatenate([rows, numbers], axis=1), np.concatenate([cosines, found], axis=1)
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :most]
        rows, cosines = np.take_along_axis(rows, order, axis=1), np.take_along_axis(cosines, order, axis=1)
    return rows
