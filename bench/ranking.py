"""Measures of a ranked list, as trec_eval defines them: linear gain, logarithmic discount."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], *, at: int) -> float:
    """Normalised discounted cumulative gain of the first ``at``, 0..1."""
    gain = _dcg([grades.get(document, 0) for document in ranked[:at]])
    return gain / _dcg(sorted(grades.values(), reverse=True)[:at])


def recall(ranked: Sequence[str], grades: Mapping[str, int], *, at: int) -> float:
    """Share of the relevant documents that are among the first ``at``."""
    return len(set(ranked[:at]) & grades.keys()) / len(grades)


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], *, at: int) -> float:
    """1 / rank of the first relevant document, 0 if it is not among the first ``at``."""
    return next((1 / rank for rank, document in enumerate(ranked[:at], start=1) if document in grades), 0.0)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0..1) of the values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _dcg(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
