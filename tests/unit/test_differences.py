"""Bucket and index side by side: what differs is found whatever both hold, and in constant memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.differences import (
    Difference,
    Expected,
    Held,
    HeldDocument,
    HeldSidecar,
    ListedObject,
    Pair,
    difference,
    side_by_side,
)
from ingest.tenants import Tenancy

NOW = datetime(2026, 3, 12, 8, 15, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
EXPECTED = Expected("code 1", Tenancy("acme"), told_until=NOW - timedelta(minutes=15))

# With characters on both sides of the surrogates, where UTF-16 would sort otherwise.
keys = st.text("aZ/ \u00e9\uffee\U0001f682", min_size=1, max_size=3)
versions = st.sampled_from(["v1", "v2"])


def listed(key: str = "a.txt", version: str | None = "v1", **changes: Any) -> ListedObject:
    rest: dict[str, Any] = {"etag": "e1", "size": 3, "last_modified": BEFORE}
    return ListedObject(key, version, **(rest | changes))


def held(key: str = "a.txt", version: str | None = "v1", **changes: Any) -> HeldDocument:
    rest: dict[str, Any] = {"etag": "e1", "size": 3, "last_modified": BEFORE, "fingerprint": "code 1", "tenant": "acme"}
    return HeldDocument(key, version, **(rest | changes))


def held_under(one: Held | None) -> tuple[Held, ...]:
    return (one,) if one is not None else ()


def found(one: ListedObject | None, other: HeldDocument | None, expected: Expected = EXPECTED) -> Difference | None:
    return difference(Pair("a.txt", one, held_under(other)), expected)


@given(st.dictionaries(keys, versions), st.dictionaries(keys, versions))
def test_what_differs_is_what_is_not_in_both(bucket: dict[str, str], index: dict[str, str]) -> None:
    objects = (listed(key, bucket[key]) for key in sorted(bucket, key=str.encode))
    documents = (held(key, index[key]) for key in sorted(index, key=str.encode))
    pairs = list(side_by_side(objects, documents))
    assert [pair.key for pair in pairs] == sorted(bucket.keys() | index.keys(), key=str.encode)
    differing = {each.key for pair in pairs if (each := difference(pair, EXPECTED))}
    assert differing == {key for key, _ in bucket.items() ^ index.items()}


def test_each_side_is_read_only_as_far_as_it_is_needed() -> None:
    taken = {"bucket": 0, "index": 0}

    def counted(side: str, make: Any, step: int) -> Iterator[Any]:
        for number in range(0, 10_000, step):
            taken[side] += 1
            yield make(f"{number:05}")

    pairs = side_by_side(counted("bucket", listed, 1), counted("index", held, 100))
    for _ in islice(pairs, 250):
        pass
    assert taken == {"bucket": 250, "index": 5}


def test_equal_sides_do_not_differ() -> None:
    assert found(listed(), held()) is None
    assert found(None, None) is None


@pytest.mark.parametrize("changed", [{"etag": "e2"}, {"size": 4}, {"last_modified": BEFORE - timedelta(seconds=1)}])
def test_without_versions_all_that_a_listing_shows_must_agree(changed: dict[str, Any]) -> None:
    assert found(listed(version=None), held(version=None)) is None
    assert found(listed(version=None, **changed), held(version=None)) == Difference("a.txt", missed=True)


def test_a_version_is_named_by_its_id_alone() -> None:
    assert found(listed(etag="e2", size=9, last_modified=BEFORE - timedelta(days=1)), held()) is None
    assert found(listed(version="v2"), held()) is not None
    assert found(listed(version=None), held()) is not None
    assert found(listed(), held(version=None)) is not None


def test_parts_of_a_second_do_not_make_a_difference() -> None:
    """S3 gives them in a listing, perhaps, and never with the object."""
    assert found(listed(version=None, last_modified=BEFORE.replace(microsecond=250_000)), held(version=None)) is None


@pytest.mark.parametrize("mark", [listed(version=None, present=False), None])
def test_a_document_without_an_object_differs(mark: ListedObject | None) -> None:
    assert found(mark, held()) == Difference("a.txt", missed=True)
    assert found(mark, None) is None


def test_other_code_is_a_difference_that_no_event_tells_of() -> None:
    assert found(listed(), held(fingerprint="code 0")) == Difference("a.txt", missed=False)
    assert found(listed("a.txt", "v2"), held(fingerprint="code 0")) == Difference("a.txt", missed=True)


def test_a_document_of_a_key_that_is_none_of_ours_any_more_is_a_difference_that_no_event_tells_of() -> None:
    narrowed = Expected("code 1", Tenancy("acme", "reports/"), told_until=EXPECTED.told_until)
    assert found(None, held(), narrowed) == Difference("a.txt", missed=False)


@pytest.mark.parametrize(("minutes", "missed"), [(14, False), (15, True), (16, True)])
def test_what_changed_a_moment_ago_may_still_be_on_its_way(minutes: int, missed: bool) -> None:
    then = NOW - timedelta(minutes=minutes)
    for one, other in (
        (listed(last_modified=then), None),
        (listed(version="v2", last_modified=then), held()),
        (listed(last_modified=then, present=False), held()),
    ):
        assert found(one, other) == Difference("a.txt", missed=missed)


def test_only_objects_and_documents_exist() -> None:
    assert Pair("a", listed("a"), ()).exists
    assert Pair("a", None, (held("a"),)).exists
    assert Pair("a", listed("a", present=False), (held("a"),)).exists
    assert not Pair("a", listed("a", present=False), ()).exists


SIDECAR = "a.txt.metadata.json"


@pytest.mark.parametrize(
    ("one", "other", "missed"),
    [
        (listed(SIDECAR), HeldSidecar(SIDECAR, "e1", "acme"), None),
        (listed(SIDECAR), HeldSidecar(SIDECAR, "e2", "acme"), True),
        (listed(SIDECAR), None, True),
        (listed(SIDECAR, last_modified=NOW), None, False),
        (None, HeldSidecar(SIDECAR, "e1", "acme"), True),
        (listed(SIDECAR, present=False), HeldSidecar(SIDECAR, "e1", "acme"), True),
        (listed(SIDECAR, present=False), None, None),
    ],
)
def test_a_sidecar_that_differs_is_a_difference_of_its_document(
    one: ListedObject | None, other: HeldSidecar | None, missed: bool | None
) -> None:
    expected = Difference("a.txt", missed) if missed is not None else None
    assert difference(Pair(SIDECAR, one, held_under(other)), EXPECTED) == expected


def test_what_describes_a_sidecar_describes_nothing() -> None:
    key = f"{SIDECAR}.metadata.json"
    assert difference(Pair(key, listed(key), ()), EXPECTED) is None


FOLDERS = Expected("code 1", Tenancy("acme", folders=True), told_until=EXPECTED.told_until)


@pytest.mark.parametrize("one", [listed("bolt/a.txt"), listed("bolt/a.txt", present=False), None])
@pytest.mark.parametrize("own", [(), (held("bolt/a.txt", tenant="bolt"),), (held("bolt/a.txt", "v0", tenant="bolt"),)])
def test_what_another_tenant_holds_of_a_key_is_a_difference_that_no_event_tells_of(
    one: ListedObject | None, own: tuple[Held, ...]
) -> None:
    stray = held("bolt/a.txt")
    for both in ((*own, stray), (stray, *own)):
        assert difference(Pair("bolt/a.txt", one, both), FOLDERS) == Difference("bolt/a.txt", missed=False)
    sidecar = "bolt/a.txt.metadata.json"
    strays = (HeldSidecar(sidecar, "e1", "acme"),)
    assert difference(Pair(sidecar, None, strays), FOLDERS) == Difference("bolt/a.txt", missed=False)


def test_each_tenants_document_is_compared_with_its_own_folder() -> None:
    documents = [held("a.txt"), held("bolt/a.txt", tenant="bolt"), held("acme/a.txt")]
    pairs = list(side_by_side(iter([]), iter(sorted(documents, key=lambda each: each.key))))
    objects = {pair.key: Pair(pair.key, listed(pair.key), pair.held) for pair in pairs}
    assert [difference(pair, FOLDERS) for pair in objects.values()] == [None] * 3
    assert {found.key for pair in objects.values() if (found := difference(pair, EXPECTED))} == {"bolt/a.txt"}


def test_documents_of_one_key_are_one_pair_whosever_they_are() -> None:
    documents = [held("a.txt", tenant="b"), held("a.txt", tenant="a"), held("b.txt")]
    pairs = list(side_by_side(iter([listed("b.txt")]), iter(documents)))
    assert [(pair.key, pair.listed is not None, len(pair.held)) for pair in pairs] == [
        ("a.txt", False, 2),
        ("b.txt", True, 1),
    ]


def test_what_is_refused_is_looked_at_once_and_again_when_folders_are_asked_no_more() -> None:
    key = "//a.txt"
    refused = FOLDERS.tenancy.owner(key).fingerprint("code 1")
    for expected, fingerprint, differs in [
        (FOLDERS, "code 1", True),
        (FOLDERS, refused, False),
        (EXPECTED, refused, True),
        (EXPECTED, "code 1", False),
    ]:
        found = difference(Pair(key, listed(key), (held(key, fingerprint=fingerprint),)), expected)
        assert found == (Difference(key, missed=False) if differs else None)
