"""What became of an object that was looked at."""

import math
import re
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from bucketwise.errors import BucketwiseError, DeadlineExceeded, ParsingTooSlow
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

    def after(self, earlier: Self) -> Self:
        """What all looks took of which this was the last: it found a vector for what the earlier ones had embedded."""
        found = min(earlier.embedded, self.reused)
        costs = self.cost_usd, earlier.cost_usd
        return replace(
            self,
            embedded=self.embedded + found,
            reused=self.reused - found,
            tokens=self.tokens + earlier.tokens,
            cost_usd=None if None in costs else math.fsum(filter(None, costs)),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """``claim`` is None if not even that could be had.

    ``begun`` says whether an attempt was noted under it, and ``told`` whether the index knows that it ended in order.
    ``stalled``: nothing was left to do but to store the document, and no time for it. ``embedding`` is this look's,
    ``earlier`` that of those before it at the same version. ``seconds`` passed from the object's storing to its commit.
    """

    outcome: Outcome
    claim: int | None
    version: str | None = None
    chunks: int = 0
    embedding: EmbeddingReceipt = EmbeddingReceipt()
    reason: FailureReason | None = None
    seconds: float | None = None
    begun: bool = False
    told: bool = False
    stalled: bool = False
    earlier: EmbeddingReceipt = EmbeddingReceipt()
    error: BucketwiseError | None = None

    @property
    def got_further(self) -> bool:
        """Running out of time is no failure if something was embedded: the next look begins where this one ended."""
        out_of_time = isinstance(self.error, DeadlineExceeded | ParsingTooSlow)
        return out_of_time and self.embedding.embedded > 0

    @property
    def in_order(self) -> bool:
        """Whether no worker was lost; one that could not even parse the document in its time counts as lost."""
        return self.got_further or not isinstance(self.error, ParsingTooSlow)

    @property
    def embedding_in_all(self) -> EmbeddingReceipt:
        return self.embedding.after(self.earlier)

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
