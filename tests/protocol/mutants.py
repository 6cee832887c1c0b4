"""Known mistakes in the protocol, each as a design that differs from the real one in one decision.

The model, the scenarios on PostgreSQL and any other test of convergence run a ``Design``: ``REAL`` must pass them
all, and each of ``MUTANTS`` must be caught. Source text is never changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, LiteralString

from bucketwise.models import DocumentState
from ingest.protocol import Decisions, Held, Seen, confirmed_claim, described_claim, may_commit

NEVER_HEARD_OF = Held(0, DocumentState.DELETED, None, None, None)


@dataclass(frozen=True, slots=True)
class Design:
    """The decisions, and what they are given to decide on.

    ``needs`` is what the design wants in the database beside the product's schema, run by its owner.
    """

    name: str
    decisions: Decisions = field(default_factory=Decisions)
    claim_is_sequencer: bool = False
    compares_earlier_row: bool = False
    needs: LiteralString = ""

    def claim(self, sequencer: int, next_claim: Callable[[], int]) -> int:
        """The claim of a look that an event with ``sequencer`` led to; 0 if a reconciliation did, which knows none."""
        return sequencer if self.claim_is_sequencer else next_claim()

    def decisions_given(self, earlier: Held) -> Decisions:
        """The decisions of a look, where ``earlier`` was the row before the bucket was read."""
        if not self.compares_earlier_row:
            return self.decisions
        decide = self.decisions.confirmed_claim

        def confirmed(_now: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
            return decide(earlier, seen, fingerprint, claim)

        return replace(self.decisions, confirmed_claim=confirmed)


REAL = Design("real")


def _no_fence(_held: Held, _claim: int) -> bool:
    return True


def _no_fence_for_the_deleted(held: Held, claim: int) -> bool:
    return held.state is DocumentState.DELETED or may_commit(held, claim)


def _equal_etags(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    if held.state is DocumentState.DELETED or held.claim > claim:
        return None
    return claim if (held.etag, held.fingerprint) == (seen.etag, fingerprint) else None


def _equal_without_a_version(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    if held.state is DocumentState.DELETED or held.claim > claim:
        return None
    return claim if (held.version, held.fingerprint) == (seen.version, fingerprint) else None


def _claim_not_raised(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    return None if confirmed_claim(held, seen, fingerprint, claim) is None else held.claim


def _claim_lowered(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    return claim if confirmed_claim(held, seen, fingerprint, max(held.claim, claim)) is not None else None


def _sidecar_forgotten(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    return confirmed_claim(held, replace(seen, sidecar=held.sidecar), fingerprint, claim)


def _describes_any_version(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    return described_claim(replace(held, version=seen.version), seen, fingerprint, claim)


def _describes_without_a_fence(held: Held, seen: Seen, fingerprint: str, claim: int) -> int | None:
    return described_claim(held, seen, fingerprint, max(held.claim, claim))


def _transaction_for_each_step(steps: Sequence[Any]) -> list[Sequence[Any]]:
    return [[step] for step in steps]


NO_FENCE = Design("no fence", Decisions(may_commit=_no_fence))
NO_TOMBSTONE = Design("no fence for the deleted", Decisions(may_commit=_no_fence_for_the_deleted))
# Ends wrong only if an event was lost: whoever was told of the last change reads after it.
SEQUENCER = Design("order by sequencer", claim_is_sequencer=True)
ETAG = Design("equal eTags are unchanged", Decisions(confirmed_claim=_equal_etags))
VERSIONLESS = Design("no version is a version", Decisions(confirmed_claim=_equal_without_a_version))
CLAIM_NOT_RAISED = Design("unchanged keeps the old claim", Decisions(confirmed_claim=_claim_not_raised))
CLAIM_LOWERED = Design("unchanged lowers the claim", Decisions(confirmed_claim=_claim_lowered))
EARLIER_ROW = Design("unchanged is compared with an earlier row", compares_earlier_row=True)
SIDECAR_FORGOTTEN = Design("another sidecar is unchanged", Decisions(confirmed_claim=_sidecar_forgotten))
DESCRIBES_ANY_VERSION = Design("a sidecar describes any version", Decisions(described_claim=_describes_any_version))
DESCRIBES_UNFENCED = Design("a sidecar has no fence", Decisions(described_claim=_describes_without_a_fence))
STEP_BY_STEP = Design("a transaction for each step", Decisions(transactions=_transaction_for_each_step))
COUNTER = Design(
    "a counter for each tenant",
    Decisions(
        count_change="""INSERT INTO bucketwise.corpus_changes (tenant, delta) VALUES (%(tenant)s, 1)
                        ON CONFLICT (tenant) WHERE delta > 0 DO UPDATE SET delta = corpus_changes.delta + 1"""
    ),
    needs="""CREATE UNIQUE INDEX counters ON bucketwise.corpus_changes (tenant) WHERE delta > 0;
             GRANT SELECT, UPDATE ON bucketwise.corpus_changes TO bucketwise_ingest""",
)

MUTANTS = (
    NO_FENCE, NO_TOMBSTONE, SEQUENCER, ETAG, VERSIONLESS, CLAIM_NOT_RAISED, CLAIM_LOWERED, EARLIER_ROW,
    SIDECAR_FORGOTTEN, DESCRIBES_ANY_VERSION, DESCRIBES_UNFENCED, STEP_BY_STEP, COUNTER,
)  # fmt: skip
