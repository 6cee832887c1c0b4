"""The decisions by which the index converges to the bucket. Pure: production, the model and the tests call these.

A claim is a number from one sequence, taken before the bucket is read. Whoever holds the higher claim read the
bucket later, so what it saw is at least as new. Every decision is taken with the document's row locked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any, LiteralString, Self, TypeVar

from bucketwise.models import DocumentState

MOST_CRASHES = 3
"""A version that lost this many workers is not tried again."""
MOST_STALLS = 10
STALLED_FOR = timedelta(days=1)
"""Nor one that could not be stored in time in so many looks, over so long: longer than a database is slow for all."""

Step = TypeVar("Step")


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds under a key. ``claim`` is 0 and ``state`` deleted if it never heard of it."""

    claim: int
    state: DocumentState
    version: str | None
    etag: str | None
    fingerprint: str | None
    sidecar: str | None = None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """From the columns claim, state, version, etag, fingerprint and sidecar of a document's row."""
        claim, state, version, etag, fingerprint, sidecar = row
        return cls(claim, DocumentState(state), version, etag, fingerprint, sidecar)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bucket held under a key when it was read; ``sidecar`` is the eTag of what describes the object.

    ``archived``: nothing but that could be read of the object.
    """

    version: str | None
    etag: str
    sidecar: str | None = None
    archived: bool = False


class Standing(Enum):
    """How what the index holds stands to what was seen."""

    SAME = "same"
    OTHER_METADATA = "other metadata"
    OTHER = "other"


def may_commit(held: Held, claim: int) -> bool:
    """The fence: nothing that was read earlier replaces what was read later.

    Run again after its connection was lost in the commit, a commit meets its own claim: that is success, not
    a rival.
    """
    return held.claim <= claim


def confirmed_claim(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    """The claim under which the row as it stands is what was seen, or None if it has to be worked on.

    A version is named by its version id alone: equal eTags do not make equal metadata, and a bucket without
    versioning names none. A failure is as final as a success, for the same version and the same code.

    What was indexed before its object was archived stays, whatever code made it: no other has anything to make it from.
    """
    if held.state is DocumentState.DELETED or held.claim > claim or held.sidecar != seen.sidecar:
        return None
    if seen.archived and held.state is DocumentState.INDEXED:
        return claim if (held.version, held.etag) == (seen.version, seen.etag) else None
    if seen.version is None or (held.version, held.fingerprint) != (seen.version, fingerprint):
        return None
    return claim


def described_claim(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    """The claim under which the row's metadata may become what was seen, while its text stays; None if it may not.

    A failure may have been the sidecar's: its document is worked on again.
    """
    if held.state is not DocumentState.INDEXED:
        return None
    return confirmed_claim(held, replace(seen, sidecar=held.sidecar), fingerprint, claim)


def one_transaction(steps: Sequence[Step]) -> list[Sequence[Step]]:
    """How the steps of a swap are grouped into transactions: all in one, so that a reader sees one whole version."""
    return [steps]


# Appended, never updated: a counter would make every two commits wait for each other.
COUNT_CHANGE: LiteralString = "INSERT INTO bucketwise.corpus_changes (tenant, delta) VALUES (%(tenant)s, 1)"


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions, gathered so that a test can swap one of them for a known mistake."""

    may_commit: Callable[[Held, int], bool] = may_commit
    confirmed_claim: Callable[[Held, Seen, str, int], int | None] = confirmed_claim
    described_claim: Callable[[Held, Seen, str, int], int | None] = described_claim
    transactions: Callable[[Sequence[Any]], list[Sequence[Any]]] = one_transaction
    count_change: LiteralString = COUNT_CHANGE
