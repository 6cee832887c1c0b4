"""Texts to vectors and token counts, from the weights inside the ``wordllama`` package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wordllama
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

EMBEDDING_MODEL = "wordllama-256"
DIMENSIONS = 256

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Unit vectors of shape (texts, 256) in the order of the texts, and the tokens of each text."""

    vectors: Vectors
    tokens: tuple[int, ...]


class Embedder:
    """Mean of the token vectors, scaled to length 1. Safe to share between threads; never opens a socket."""

    def __init__(self) -> None:
        # The loader looks for the tokenizer beside the package unless the cache folder is the package itself.
        package = Path(wordllama.__file__).parent
        model = wordllama.WordLlama.load(cache_dir=package, disable_download=True)
        self._tokenizer: Tokenizer = model.tokenizer
        # Padding a batch to its longest text would cost 1 KB for each missing token of each short text.
        self._tokenizer.no_padding()
        self._weights: Vectors = model.embedding

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed each text. A text without a single token gets the vector of the unknown token."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        vectors = np.empty((len(encodings), DIMENSIONS), dtype=np.float32)
        for row, encoding in enumerate(encodings):
            vectors[row] = self._weights[_known(encoding, len(self._weights))].mean(axis=0)
        return Embedded(shorten(vectors, DIMENSIONS), tuple(len(encoding.ids) for encoding in encodings))

    def count_tokens(self, text: str) -> int:
        """Count the tokens of one text, without the marks a model puts around it."""
        return len(self._encode(text).ids)

    def first_tokens(self, text: str, limit: int) -> str:
        """Return the text up to the end of token number ``limit``."""
        offsets = self._encode(text).offsets
        return text if len(offsets) <= limit else text[: offsets[limit - 1][1]]

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.encode(text, add_special_tokens=False)


def shorten(vectors: Vectors, dimensions: int) -> Vectors:
    """Keep the first ``dimensions`` numbers of each vector and scale the rest to length 1 again."""
    kept = vectors[:, :dimensions]
    scaled: Vectors = (kept / np.linalg.norm(kept, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def _known(encoding: Encoding, vocabulary: int) -> list[int]:
    return [min(token, vocabulary - 1) for token in encoding.ids] or [0]
