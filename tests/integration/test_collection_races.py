"""A collection and a commit at the same time: whoever comes second finds out, and neither waits for ever."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from uuid import uuid4

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import EmbeddingMissing
from ingest import collection
from ingest.collection import Collection
from ingest.index import DocumentIndex
from ingest.vectors import text_digest
from tests.integration.collected_vectors import (
    PATIENCE,
    Pausing,
    begin,
    grow_old,
    texts_with_vectors,
    wait_until_blocked,
)
from tests.integration.index_database import IndexDatabase, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


@pytest.fixture
def collect(tenant: Tenant) -> Collection:
    return Collection(tenant.index.database, tenant.index.tenant)


@pytest.fixture
def pausing(shared_index: IndexDatabase) -> Iterator[Pausing]:
    database = Pausing(shared_index.ingest)
    yield database
    database.let_go.set()
    database.close()


def test_a_commit_that_comes_after_a_collection_fails_and_succeeds_when_it_is_run_again(
    tenant: Tenant, pausing: Pausing, shared_index: IndexDatabase
) -> None:
    tenant.store("text")
    tenant.bury()
    with ThreadPoolExecutor(2) as pool:
        collecting = Collection(pausing, tenant.index.tenant)
        collected = begin(pool, pausing, lambda: collecting.collect_released(deadline=SOON))
        put = pool.submit(tenant.put, "text", key="b.txt")
        wait_until_blocked(shared_index)
        pausing.let_go.set()
        assert collected.result(PATIENCE) == 1
        with pytest.raises(EmbeddingMissing):
            put.result(PATIENCE)
    assert tenant.held("b.txt") is None
    assert tenant.store("text", key="b.txt")
    assert tenant.texts("b.txt") == ["text"]


@pytest.mark.parametrize("collects", [Collection.collect_released, Collection.sweep])
def test_a_collection_waits_for_no_commit_and_takes_nothing_from_it(
    tenant: Tenant,
    collect: Collection,
    pausing: Pausing,
    collects: Callable[..., int],
    shared_index: IndexDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collection, "BATCH", 1)
    tenant.store("text", "other")  # in the order of their digests
    tenant.bury()
    if collects is Collection.sweep:
        grow_old(tenant, shared_index)
    committing = Tenant(replace(tenant.index, database=pausing), shared_index)
    under = tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        put = begin(pool, pausing, lambda: committing.put("text", key="b.txt", claim=under))
        assert collects(collect, deadline=Deadline.after(PATIENCE)) == 1
        assert texts_with_vectors(tenant, "text", "other") == {"text"}
        assert text_digest("text") in tenant.released()
        pausing.let_go.set()
        assert put.result(PATIENCE)
    assert collects(collect, deadline=SOON) == 0
    assert tenant.texts("b.txt") == ["text"]
    assert tenant.vectors == 1


def test_a_text_that_is_released_again_during_a_collection_is_collected_by_the_next(
    tenant: Tenant, collect: Collection, pausing: Pausing, shared_index: IndexDatabase
) -> None:
    tenant.store("A")
    tenant.store("B", version="v2")
    tenant.store("A", version="v3")
    with ThreadPoolExecutor(2) as pool:
        collecting = Collection(pausing, tenant.index.tenant)
        collected = begin(pool, pausing, lambda: collecting.collect_released(deadline=SOON))
        buried = pool.submit(tenant.bury)
        wait_until_blocked(shared_index)
        pausing.let_go.set()
        assert (collected.result(PATIENCE), buried.result(PATIENCE)) == (1, True)
    assert texts_with_vectors(tenant, "A", "B") == {"A"}
    assert collect.collect_released(deadline=SOON) == 1
    assert tenant.vectors == 0


def test_a_collection_during_a_release_leaves_the_text_to_the_next(
    tenant: Tenant, collect: Collection, pausing: Pausing, shared_index: IndexDatabase
) -> None:
    tenant.store("A")
    tenant.store("B", version="v2")
    tenant.store("A", version="v3")
    burying = Tenant(replace(tenant.index, database=pausing), shared_index)
    under = tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        buried = begin(pool, pausing, lambda: burying.bury(claim=under))
        assert collect.collect_released(deadline=SOON) == 1
        pausing.let_go.set()
        assert buried.result(PATIENCE)
    assert collect.collect_released(deadline=SOON) == 1
    assert tenant.vectors == 0


def test_under_load_exactly_what_is_used_is_left_and_nobody_deadlocks(
    shared_index: IndexDatabase, tenant: Tenant, collect: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "BATCH", 3)
    before = shared_index.count(DEADLOCKS)
    keys = [f"{number}.txt" for number in range(4)]

    def change(seed: int) -> int:
        chance, missing = Random(seed), 0  # noqa: S311  # a test
        with opened(shared_index.ingest) as database:
            mine = Tenant(replace(tenant.index, database=database), shared_index)
            for _ in range(60):
                texts = [f"text {chance.randrange(8)}" for _ in range(chance.randrange(4))]
                try:
                    if not texts:
                        mine.bury(chance.choice(keys))
                    elif chance.random() < 0.5:
                        mine.put(*texts, key=chance.choice(keys))
                    else:
                        mine.store(*texts, key=chance.choice(keys))
                except EmbeddingMissing:
                    missing += 1
        return missing

    with ThreadPoolExecutor(4) as pool:
        changing = [pool.submit(change, seed) for seed in range(4)]
        while not all(one.done() for one in changing):
            collect.collect_released(deadline=SOON)
        assert sum(one.result() for one in changing) > 0
    collect.collect_released(deadline=SOON)
    grow_old(tenant, shared_index)
    collect.sweep(deadline=SOON)
    used = {text for key in keys for text in tenant.texts(key)}
    assert texts_with_vectors(tenant, *(f"text {number}" for number in range(8))) == used
    assert shared_index.count(DEADLOCKS) == before
