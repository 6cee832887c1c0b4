"""What a worker may commit, and what it may take as done: the rules by which the index converges to the bucket."""

import itertools
from dataclasses import replace

import pytest

from bucketwise.models import DocumentState
from ingest.protocol import Held, Seen, confirmed_claim, described_claim, may_commit, one_transaction

CODE = "parser 1"
UNKNOWN = Held(0, DocumentState.DELETED, None, None, None)


def held(claim: int = 5, state: DocumentState = DocumentState.INDEXED, version: str | None = "v1") -> Held:
    return Held(claim, state, version, "etag", CODE)


def test_what_was_read_earlier_never_replaces_what_was_read_later() -> None:
    assert {claim: may_commit(held(5), claim) for claim in (4, 5, 6)} == {4: False, 5: True, 6: True}


def test_anybody_may_commit_what_the_index_never_heard_of() -> None:
    assert may_commit(UNKNOWN, 1)


@pytest.mark.parametrize("state", [DocumentState.INDEXED, DocumentState.FAILED])
def test_the_same_version_by_the_same_code_is_confirmed_whether_it_succeeded_or_failed(state: DocumentState) -> None:
    assert confirmed_claim(held(state=state), Seen("v1", "etag"), CODE, 6) == 6


def test_a_confirmation_that_is_run_again_meets_its_own_claim() -> None:
    assert confirmed_claim(held(6), Seen("v1", "etag"), CODE, 6) == 6


@pytest.mark.parametrize(
    ("known", "seen", "code", "claim"),
    [
        (UNKNOWN, Seen("v1", "etag"), CODE, 6),
        (held(), Seen("v2", "etag"), CODE, 6),
        (held(), Seen("v1", "etag"), "parser 2", 6),
        (held(), Seen("v1", "etag"), CODE, 4),
        (held(), Seen(None, "etag"), CODE, 6),
        (held(version=None), Seen(None, "etag"), CODE, 6),
        (held(state=DocumentState.DELETED), Seen("v1", "etag"), CODE, 6),
    ],
    ids=["unknown", "version", "code", "late", "lost its version", "without versions", "deleted"],
)
def test_anything_else_has_to_be_worked_on(known: Held, seen: Seen, code: str, claim: int) -> None:
    assert confirmed_claim(known, seen, code, claim) is None


def test_equal_etags_make_no_equal_versions_and_other_etags_no_other_ones() -> None:
    assert confirmed_claim(held(), Seen("v2", "etag"), CODE, 6) is None
    assert confirmed_claim(held(), Seen("v1", "other"), CODE, 6) == 6


ARCHIVED = Seen("v1", "etag", archived=True)


@pytest.mark.parametrize("code", [CODE, "parser 2"])
@pytest.mark.parametrize("version", ["v1", None])
def test_what_was_indexed_before_it_was_archived_stays_whatever_the_code(version: str | None, code: str) -> None:
    assert confirmed_claim(held(version=version), replace(ARCHIVED, version=version), code, 6) == 6


@pytest.mark.parametrize(
    ("known", "seen", "claim"),
    [
        (UNKNOWN, ARCHIVED, 6),
        (held(), ARCHIVED, 4),
        (held(), replace(ARCHIVED, version="v2"), 6),
        (held(version=None), Seen(None, "other", archived=True), 6),
        (held(), replace(ARCHIVED, sidecar="s1"), 6),
        (held(state=DocumentState.DELETED), ARCHIVED, 6),
        (held(state=DocumentState.FAILED), ARCHIVED, 6),
    ],
    ids=["unknown", "late", "version", "object", "sidecar", "deleted", "failed by other code"],
)
def test_any_other_archived_object_is_as_any_object(known: Held, seen: Seen, claim: int) -> None:
    assert confirmed_claim(known, seen, "parser 2", claim) is None


def test_an_archived_object_may_be_described_anew() -> None:
    assert described_claim(held(), replace(ARCHIVED, sidecar="s1"), "parser 2", 6) == 6


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_the_highest_claim_is_left_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    left = UNKNOWN
    for claim in order:
        if may_commit(left, claim):
            left = held(claim)
    assert left.claim == 3


def test_a_swap_is_one_transaction() -> None:
    assert one_transaction("abcd") == ["abcd"]


def test_a_row_of_the_index_is_read_by_its_columns() -> None:
    assert Held.of((7, "failed", "v1", "etag", CODE, None)) == held(7, DocumentState.FAILED)
