"""Vectors that no chunk refers to any more are collected, and no others."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import EmbeddingMissing
from ingest import collection
from ingest.collection import Collection
from ingest.index import DocumentIndex
from tests.integration.collected_vectors import grow_old, texts_with_vectors
from tests.integration.index_database import IndexDatabase, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


@pytest.fixture
def collect(tenant: Tenant) -> Collection:
    return Collection(tenant.index.database, tenant.index.tenant)


@pytest.fixture(params=[1, 1000], ids=lambda most: f"batches of {most}")
def _any_batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "BATCH", request.param)


@pytest.mark.usefixtures("_any_batch")
def test_a_deleted_document_leaves_no_vectors_and_a_shared_text_keeps_its_own(
    tenant: Tenant, collect: Collection
) -> None:
    tenant.store("only here", "shared", "also only here")
    tenant.store("shared", "elsewhere", key="b.txt")
    tenant.bury()
    assert collect.collect_released(deadline=SOON) == 2
    everything = ("only here", "shared", "also only here", "elsewhere")
    assert texts_with_vectors(tenant, *everything) == {"shared", "elsewhere"}
    assert tenant.released() == set()
    tenant.bury("b.txt")
    assert collect.collect_released(deadline=SOON) == 2
    assert tenant.vectors == 0


@pytest.mark.usefixtures("_any_batch")
def test_going_back_to_an_earlier_text_embeds_nothing_until_it_was_collected(
    tenant: Tenant, collect: Collection
) -> None:
    tenant.store("A", "kept")
    tenant.store("B", "kept", version="v2")
    assert tenant.put("A", "kept", version="v3")  # with the vector that is there still
    assert collect.collect_released(deadline=SOON) == 1
    assert texts_with_vectors(tenant, "A", "B", "kept") == {"A", "kept"}
    assert tenant.released() == set()
    tenant.store("B", "kept", version="v4")
    assert collect.collect_released(deadline=SOON) == 1
    with pytest.raises(EmbeddingMissing):
        tenant.put("A", "kept", version="v5")


def test_another_tenants_vectors_are_left_alone(
    tenant: Tenant, collect: Collection, shared_index: IndexDatabase
) -> None:
    other = Tenant(DocumentIndex(tenant.index.database, uuid4().hex, "code 1"), shared_index)
    for one in (tenant, other):
        one.store("text")
    other.bury()
    tenant.bury()
    assert collect.collect_released(deadline=SOON) == 1
    assert (tenant.vectors, other.vectors) == (0, 1)


@pytest.mark.usefixtures("_any_batch")
def test_what_no_document_ever_had_is_swept_after_a_day(
    tenant: Tenant, collect: Collection, shared_index: IndexDatabase
) -> None:
    given_up, under_way, used = (tuple(f"{kind} {number}" for number in range(20)) for kind in ("old", "new", "used"))
    tenant.embed(*given_up)
    tenant.store(*used)
    grow_old(tenant, shared_index)
    tenant.embed(*under_way)
    assert collect.sweep(deadline=SOON) == 20
    assert texts_with_vectors(tenant, *given_up, *under_way, *used) == {*under_way, *used}
    assert collect.sweep(deadline=SOON) == 0


def test_with_no_time_left_nothing_is_begun(tenant: Tenant, collect: Collection) -> None:
    tenant.store("text")
    tenant.bury()
    assert collect.collect_released(deadline=Deadline.after(1)) == 0
    assert collect.sweep(deadline=Deadline.after(1)) == 0
    assert tenant.vectors == 1
