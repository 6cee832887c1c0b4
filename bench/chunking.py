"""``python -m bench.chunking DIR [--sizes 400/40 200/0 ...]``: how well chunks fit the passages that answer questions.

DIR is as Chroma's chunking evaluation has it. The first five chunks of all corpora together, by exact cosine, are
compared with the references. Prints one JSON line for each size, most tokens / overlap, of the chunker that ingest has;
in each also a recursive and a fixed splitter, found in the same way, and the differences from the recursive one.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.chunking_corpora import Corpora, read_corpora
from bench.chunking_spans import Scores, score
from bench.chunking_splitters import Splitter, corpus_text, fixed, own, recursive
from bucketwise.settings import Settings
from ingest.chunking import Chunker
from local.model_server.embeddings import Embedder

RETRIEVED = 5
DRAWS = 10_000
MEASURES = tuple(field.name for field in fields(Scores))

Values = NDArray[np.float64]
"""Of shape (questions, measures)."""


def main() -> int:
    usual = Settings.model_fields
    parser = argparse.ArgumentParser(prog="python -m bench.chunking", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=chunker,
        default=[chunker(f"{usual['chunk_tokens'].default}/{usual['chunk_overlap_tokens'].default}")],
        metavar="TOKENS/OVERLAP",
    )
    options = parser.parse_args()
    comparison = Comparison(read_corpora(options.folder))
    for each in options.sizes:
        print(json.dumps(comparison.line(each)), flush=True)
    return 0


def chunker(size: str) -> Chunker:
    """``200/0`` to the chunker that the functions have with these settings."""
    most, _, overlap = size.partition("/")
    given = Settings.model_construct(chunk_tokens=int(most), chunk_overlap_tokens=int(overlap or 0))
    return Chunker(given.chunk_tokens, given.chunk_overlap_tokens, given.whole_document_tokens)


class Comparison:
    def __init__(self, corpora: Corpora) -> None:
        self._corpora = corpora
        self._texts = {path.stem: corpus_text(path) for path in corpora.files}
        self._megabytes = sum(len(text.encode()) for text in self._texts.values()) / 1e6
        self._embedder = Embedder()
        self._questions = self._embedder.embed([question.text for question in corpora.questions]).vectors
        self._recursive = self._measured(recursive(200))
        self._fixed = self._measured(fixed(400))

    def line(self, chunker: Chunker) -> dict[str, object]:
        values, figures = self._measured(own(chunker))
        return {
            "chunk_tokens": chunker.max_tokens,
            "chunk_overlap_tokens": chunker.overlap_tokens,
            "questions": len(self._corpora.questions),
            **figures,
            "recursive_200_0": self._recursive[1],
            "fixed_400_0": self._fixed[1],
            "minus_recursive": differences(values - self._recursive[0]),
        }

    def _measured(self, splitter: Splitter) -> tuple[Values, dict[str, object]]:
        files = self._corpora.files
        chunks = [span for path in files for span in splitter(path)]
        texts = [self._texts[chunk.document][chunk.start : chunk.end] for chunk in chunks]
        nearest = np.argsort(-self._questions @ self._embedder.embed(texts).vectors.T, axis=1, kind="stable")
        of_document = {path.stem: [chunk for chunk in chunks if chunk.document == path.stem] for path in files}
        scores = [
            score([chunks[row] for row in found], of_document[question.document], question.references)
            for found, question in zip(nearest[:, :RETRIEVED], self._corpora.questions, strict=True)
        ]
        values = np.array([[getattr(each, name) for name in MEASURES] for each in scores])
        return values, {
            **_by_measure(values.mean(axis=0)),
            "std": _by_measure(values.std(axis=0)),
            "chunks": len(chunks),
            "vectors_per_mb": round(len(chunks) / self._megabytes),
        }


def differences(values: Values) -> dict[str, dict[str, object]]:
    """Their means, with a 95 % interval and a two-sided p by the paired bootstrap over questions."""
    chance = np.random.default_rng(0)
    means = np.array([values[chance.integers(len(values), size=len(values))].mean(axis=0) for _ in range(DRAWS)])
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    p = 2 * np.minimum((means <= 0).mean(axis=0), (means >= 0).mean(axis=0))
    return {
        name: {
            "mean": round(float(values[:, column].mean()), 4),
            "interval_95": [round(float(low[column]), 4), round(float(high[column]), 4)],
            "p": round(float(min(1.0, p[column])), 4),
        }
        for column, name in enumerate(MEASURES)
    }


def _by_measure(values: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(MEASURES, values, strict=True)}


if __name__ == "__main__":
    raise SystemExit(main())
