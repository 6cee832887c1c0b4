"""The index of the model: a row and its chunks under each key, and what one transaction does to them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import NamedTuple

from bucketwise.models import DocumentState
from ingest.differences import Expected, HeldDocument, HeldSidecar, ListedObject, Pair, difference
from ingest.protocol import Decisions, Held
from ingest.sidecar import SUFFIX
from ingest.tenants import Tenancy
from tests.protocol.mutants import NEVER_HEARD_OF
from tests.protocol.world import StoredVersion

FINGERPRINT = "code 1"
CHUNKS = 2  # of every document
KEY = "a.txt"
TENANT = "acme"
SIZE = 1
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """``number`` is that of the upload which the row was made of, and so are those of its chunks."""

    held: Held = NEVER_HEARD_OF
    number: int = 0
    chunks: tuple[int, ...] = ()

    def holds(self, seen: StoredVersion | None, sidecar: str | None) -> bool:
        """Whether this is what the bucket holds."""
        if seen is None:
            return self.held.state is DocumentState.DELETED
        return (
            self.held.state is not DocumentState.DELETED and self.number == seen.number and self.held.sidecar == sidecar
        )

    @property
    def whole(self) -> bool:
        """Whether a reader finds all chunks of exactly the row's version, or none if it has none."""
        indexed = self.held.state is DocumentState.INDEXED
        return self.chunks == (self.number,) * (CHUNKS if indexed else 0)


SwapStep = Callable[[Row], Row | None]


def listed_differently(row: Row, seen: StoredVersion | None, sidecar: str | None) -> bool:
    """Whether a reconciliation finds a difference: it knows of the bucket what a listing shows."""
    beside = ListedObject(f"{KEY}{SUFFIX}", sidecar, sidecar, SIZE, EPOCH) if sidecar else None
    described = (HeldSidecar(f"{KEY}{SUFFIX}", row.held.sidecar, TENANT),) if row.held.sidecar else ()
    if difference(Pair(f"{KEY}{SUFFIX}", beside, described), Expected(FINGERPRINT, Tenancy(TENANT), EPOCH)) is not None:
        return True
    listed = ListedObject(KEY, seen.version, seen.etag, SIZE, _stored_at(seen.number)) if seen else None
    held = row.held
    documents: tuple[HeldDocument, ...] = ()
    if held.state is not DocumentState.DELETED:
        stored_at = _stored_at(row.number)
        documents = (HeldDocument(KEY, held.version, str(held.etag), SIZE, stored_at, str(held.fingerprint), TENANT),)
    return difference(Pair(KEY, listed, documents), Expected(FINGERPRINT, Tenancy(TENANT), EPOCH)) is not None


def _stored_at(number: int) -> datetime:
    return EPOCH + timedelta(minutes=number)


def confirmed(row: Row, claim: int) -> Row:
    return row._replace(held=_under(row.held, claim, row.held.sidecar))


def described(row: Row, claim: int, sidecar: str | None) -> Row:
    return row._replace(held=_under(row.held, claim, sidecar))


def swap_steps(
    decisions: Decisions, claim: int, seen: StoredVersion | None, sidecar: str | None, *, unreadable: str
) -> tuple[SwapStep, ...]:
    """The steps of the product's swap, in its order. The first gives None if the commit may not be."""
    indexed = seen is not None and unreadable not in {seen.etag, sidecar}
    return (
        partial(_claim, decisions, _held(claim, seen, sidecar, indexed), seen.number if seen else 0),
        _remove,
        partial(_store, seen.number if seen and indexed else None),
        _settle,
    )


def _claim(decisions: Decisions, held: Held, number: int, row: Row) -> Row | None:
    return row._replace(held=held, number=number) if decisions.may_commit(row.held, held.claim) else None


def _remove(row: Row) -> Row:
    return row._replace(chunks=())


def _store(number: int | None, row: Row) -> Row:
    return row if number is None else row._replace(chunks=row.chunks + (number,) * CHUNKS)


def _settle(row: Row) -> Row:
    return row


@cache
def _held(claim: int, seen: StoredVersion | None, sidecar: str | None, indexed: bool) -> Held:
    if seen is None:
        return Held(claim, DocumentState.DELETED, None, None, None, sidecar)
    state = DocumentState.INDEXED if indexed else DocumentState.FAILED
    return Held(claim, state, seen.version, seen.etag, FINGERPRINT, sidecar)


@cache
def _under(held: Held, claim: int, sidecar: str | None) -> Held:
    return replace(held, claim=claim, sidecar=sidecar)
