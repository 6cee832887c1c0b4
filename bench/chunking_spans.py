"""Measures of retrieved spans of characters, as Chroma's chunking evaluation defines them.

Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval" (2024), in characters. What answers a question
counts once, however many chunks hold it; what was retrieved counts as often as it was. Chunks that only touch a
reference hold nothing of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of the document with this name."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scores:
    """0..1, of one question. ``precision_omega`` is the precision if just the chunks with an answer were found."""

    recall: float
    precision: float
    precision_omega: float
    iou: float


def score(retrieved: Sequence[Span], chunks: Iterable[Span], references: Sequence[Span]) -> Scores:
    """``retrieved`` are some of the ``chunks``; ``references`` are what answers the question, none of them empty."""
    wanted = size(references)
    taken = size(retrieved)
    found = size(merged(shared(retrieved, references)))
    answered = merged(references)
    missing = size(answered) - found
    holding = [chunk for chunk in chunks if shared([chunk], references)]
    held = size(merged(shared(holding, references)))
    # Answers that no chunk holds count as if they were chunks of their own.
    needed = size(merged(holding)) + size(answered) - held
    return Scores(
        recall=found / wanted,
        precision=found / taken if taken else 0.0,
        precision_omega=held / needed,
        iou=found / (taken + missing),
    )


def size(spans: Iterable[Span]) -> int:
    return sum(span.end - span.start for span in spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same characters, each in one span."""
    union: list[Span] = []
    for span in sorted(spans):
        if union and union[-1].document == span.document and span.start <= union[-1].end:
            union[-1] = union[-1]._replace(end=max(union[-1].end, span.end))
        else:
            union.append(span)
    return union


def shared(some: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """What each of ``some`` has in common with each of the ``others``, if it is anything."""
    common = (
        Span(one.document, max(one.start, other.start), min(one.end, other.end))
        for one in some
        for other in others
        if one.document == other.document
    )
    return [span for span in common if span.start < span.end]
