"""What became of an object that was looked at."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bucketwise.errors import BucketwiseError
from bucketwise.models import FailureReason


class Outcome(StrEnum):
    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    DESCRIBED = "described"
    """Its text is indexed already; its metadata changed."""
    FAILED = "failed"
    DELETED = "deleted"
    SUPERSEDED = "superseded"
    """A worker that had looked at the bucket later was first; the index already holds what it saw."""
    POSTPONED = "postponed"
    """Nothing was committed, for a reason that another try may help against; vectors that were paid for are kept."""


@dataclass(frozen=True, slots=True)
class EmbeddingReceipt:
    """``embedded`` and ``reused`` count chunks; ``tokens`` were paid for, at ``cost_usd`` if a price is known."""

    embedded: int = 0
    reused: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """``claim`` is None if not even that could be had; ``begun`` says whether an attempt was noted under it.

    ``seconds`` passed from the object's storing to its commit.
    """

    outcome: Outcome
    claim: int | None
    version: str | None = None
    chunks: int = 0
    embedding: EmbeddingReceipt = EmbeddingReceipt()
    reason: FailureReason | None = None
    seconds: float | None = None
    begun: bool = False
    error: BucketwiseError | None = None

    @property
    def error_name(self) -> str | None:
        """Of the error's class, in the words of the API: ``model_unavailable``."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self.error).__name__).lower() if self.error else None

    def public(self) -> dict[str, Any]:
        """For logs and replies."""
        return {
            "outcome": self.outcome,
            "claim": self.claim,
            "version": self.version,
            "chunks": self.chunks,
            "embedding": asdict(self.embedding),
            "reason": self.reason,
            "seconds": self.seconds,
            "error": self.error_name,
        }
