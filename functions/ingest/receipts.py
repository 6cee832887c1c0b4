"""What became of an object that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    DELETED = "deleted"
    SUPERSEDED = "superseded"
    """A worker that had looked at the bucket later was first; the index already holds what it saw."""


@dataclass(frozen=True, slots=True)
class EmbeddingReceipt:
    """``embedded`` and ``reused`` count chunks; ``tokens`` were paid for, at ``cost_usd`` if a price is known."""

    embedded: int = 0
    reused: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Receipt:
    outcome: Outcome
    claim: int
    chunks: int = 0
    embedding: EmbeddingReceipt = EmbeddingReceipt()
    reason: str | None = None
