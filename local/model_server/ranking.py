"""How well texts fit a question, by their words and their vectors."""

from collections.abc import Sequence

from local.model_server.embeddings import Embedder
from local.model_server.words import content_stems, stems

LEAST_FIT = 0.25


def scores(question: str, texts: Sequence[str], embedder: Embedder) -> list[float]:
    """0..1 for each text: half the share of the question's words that it has, half the cosine."""
    wanted = set(content_stems(question))
    vectors = embedder.embed([question, *texts]).vectors
    cosines = (vectors[1:] @ vectors[0]).tolist()
    return [
        0.5 * len(wanted & set(stems(text))) / max(1, len(wanted)) + 0.5 * max(0.0, cosine)
        for text, cosine in zip(texts, cosines, strict=True)
    ]


def fitting(question: str, texts: Sequence[str], embedder: Embedder) -> list[int]:
    """Places of the texts that fit at least a little, best first."""
    fits = scores(question, texts, embedder) if texts else []
    return sorted((place for place, fit in enumerate(fits) if fit >= LEAST_FIT), key=lambda place: -fits[place])
