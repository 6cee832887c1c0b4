"""What a swap does beside the chunks: it releases texts, settles attempts and waiting, and times how long it took."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ingest.bucket import ObjectFacts
from ingest.index import DocumentIndex
from ingest.receipts import EmbeddingReceipt
from ingest.swap import Committed
from ingest.vectors import text_digest
from tests.integration.index_database import IndexDatabase, opened
from tests.integration.indexed_documents import PROBLEM, Tenant
from tests.unit.ingest_fakes import SOON, Listed, chunks_of, document_of, facts

HOUR = timedelta(hours=1)

Change = Callable[[Tenant], object]
CHANGES: dict[str, Change] = {
    "replace": lambda tenant: tenant.store("new", version="v2"),
    "fail": lambda tenant: tenant.fail(version="v2"),
    "bury": Tenant.bury,
}
SETTLING: dict[str, Change] = CHANGES | {"confirm": Tenant.confirm}


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


def begin(tenant: Tenant, claim: int, key: str = "a.txt") -> None:
    tenant.index.begin_attempt(facts(key), claim, ended=None, deadline=SOON)


def postpone(tenant: Tenant, key: str = "a.txt", tries: int = 1, reason: str = "model_unavailable") -> None:
    tenant.index.postpone(key, tries=tries, reason=reason, seconds=5, deadline=SOON)


def stored(tenant: Tenant, ago: timedelta, *, version: str | None = "v1", etag: str = "e") -> Committed | None:
    """Commits an object that was stored so long ago."""
    tenant.embed("one")
    given = replace(facts(version=version), etag=etag, last_modified=datetime.now(UTC) - ago)
    return committed(tenant, given)


def committed(tenant: Tenant, given: ObjectFacts) -> Committed | None:
    parts = given, document_of("one"), Listed(chunks_of("one")), EmbeddingReceipt(embedded=1), tenant.claim()
    return tenant.index.replace(*parts, deadline=SOON)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_texts_that_a_document_had_are_noted_as_released(tenant: Tenant, change: Change) -> None:
    tenant.store("one", "two", "one")
    assert tenant.released() == set()
    change(tenant)
    assert tenant.released() == {text_digest("one"), text_digest("two")}
    tenant.store("one")
    tenant.store("three")
    assert tenant.released() >= {text_digest("one"), text_digest("two")}


@pytest.mark.parametrize("change", SETTLING.values(), ids=SETTLING)
def test_what_is_settled_waits_no_longer_and_costs_no_worker(tenant: Tenant, change: Change) -> None:
    tenant.store("one")
    earlier = tenant.claim()
    begin(tenant, earlier)
    begin(tenant, earlier, key="b.txt")
    postpone(tenant)
    postpone(tenant, key="b.txt")
    change(tenant)
    assert (tenant.attempts(), tenant.waiting()) == (set(), [])
    assert (tenant.attempts("b.txt"), tenant.waiting("b.txt")) == ({earlier}, [(1, "model_unavailable")])


@pytest.mark.parametrize("change", SETTLING.values(), ids=SETTLING)
def test_a_later_look_that_is_still_under_way_is_not_settled(tenant: Tenant, change: Change) -> None:
    tenant.store("one")
    later = tenant.claim() + 1000
    begin(tenant, later)
    change(tenant)
    assert tenant.attempts() == {later}


def test_a_look_that_was_superseded_leaves_no_attempt(tenant: Tenant) -> None:
    late = tenant.claim()
    tenant.store("newer", version="v2")
    begin(tenant, late)
    assert not tenant.store("older", claim=late)
    assert tenant.attempts() == set()


def test_a_document_that_is_put_off_again_waits_since_the_first_time(tenant: Tenant) -> None:
    postpone(tenant)
    since = "SELECT (extract(epoch FROM since) * 1000000)::bigint FROM bucketwise.waiting WHERE tenant = %s"
    first = tenant.database.count(since, tenant.index.tenant)
    postpone(tenant, tries=2, reason="bucket_unavailable")
    assert tenant.waiting() == [(2, "bucket_unavailable")]
    assert tenant.database.count(since, tenant.index.tenant) == first


def test_it_is_timed_from_the_storing_of_the_object(tenant: Tenant) -> None:
    told = stored(tenant, HOUR)
    assert told is not None
    assert told.seconds == pytest.approx(HOUR.total_seconds(), abs=60)
    assert tenant.seconds() == told.seconds


def test_a_clock_that_is_behind_s3s_measures_nothing(tenant: Tenant) -> None:
    assert stored(tenant, -HOUR) == Committed(0.0)


@pytest.mark.parametrize("version", ["v1", None])
def test_an_unchanged_object_that_is_indexed_anew_keeps_its_time(tenant: Tenant, version: str | None) -> None:
    tenant.embed("one")
    given = replace(facts(version=version), last_modified=datetime.now(UTC) - HOUR)
    first = committed(tenant, given)
    assert committed(tenant, given) == first
    assert tenant.seconds() == (first.seconds if first else None)


@pytest.mark.parametrize("version", ["v2", None])
def test_a_new_version_is_timed_anew(tenant: Tenant, version: str | None) -> None:
    stored(tenant, 2 * HOUR, version=version and "v1")
    told = stored(tenant, HOUR, version=version)
    assert told is not None
    assert told.seconds == pytest.approx(HOUR.total_seconds(), abs=60)


def test_what_is_not_searchable_has_no_time(tenant: Tenant) -> None:
    stored(tenant, HOUR)
    assert tenant.index.fail(facts(version="v2"), PROBLEM, tenant.claim(), deadline=SOON) == Committed(None)
    assert tenant.seconds() is None
    assert tenant.index.bury("a.txt", tenant.claim(), deadline=SOON) == Committed(None)
    assert tenant.seconds() is None


def test_the_corpus_version_grows_with_what_is_committed_and_with_nothing_else(tenant: Tenant) -> None:
    late = tenant.claim()
    assert tenant.version == 0
    changes: list[tuple[Callable[[], bool], int]] = [
        (tenant.fail, 0),
        (lambda: tenant.store("one"), 1),
        (lambda: tenant.store("one", "two"), 2),
        (tenant.fail, 3),
        (tenant.bury, 3),
        (lambda: tenant.store("one"), 4),
        (tenant.bury, 5),
        (tenant.bury, 5),
    ]
    for change, expected in changes:
        assert change()
        assert tenant.version == expected
    assert not tenant.store(claim=late)
    assert not tenant.fail(claim=late)
    assert not tenant.bury(claim=late)
    tenant.store("one", key="b.txt")
    tenant.embed("two")
    tenant.claim()
    assert tenant.confirm(key="b.txt")
    assert tenant.version == 6
