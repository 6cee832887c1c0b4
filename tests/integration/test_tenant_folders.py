"""Folders as tenants: events, comparisons and switches of the setting put each document where its key says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from ingest import inventory
from ingest.index import DocumentIndex
from ingest.inventory import Inventory
from ingest.receipts import Outcome
from ingest.tenants import bad_folder
from local.storage.client import Storage
from tests.integration.folder_bucket import CODE, SAME, FolderBucket, filled, folder_bucket, in_its_place
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON, facts


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture
def world(storage: Storage, index_database: IndexDatabase) -> Iterator[FolderBucket]:
    with folder_bucket(storage, index_database) as world:
        yield world


def test_the_same_text_in_two_folders_is_two_tenants_and_embedded_for_each(world: FolderBucket) -> None:
    world.put("acme/a.txt", SAME)
    world.put("bolt/a.txt", SAME)
    receipts = world.work()
    assert [(receipt.outcome, receipt.embedding.embedded) for receipt in receipts] == [(Outcome.INDEXED, 1)] * 2
    assert world.embedder.texts == [SAME, SAME]
    assert (world.vectors("acme"), world.vectors("bolt")) == (1, 1)
    world.delete("acme/a.txt")
    world.work()
    assert world.held() == {("bolt", "bolt/a.txt"): SAME}
    world.reconcile()
    assert (world.vectors("acme"), world.vectors("bolt")) == (0, 1)


def test_what_cannot_be_a_tenants_fails_before_it_is_read_and_costs_nothing(world: FolderBucket) -> None:
    filled(world)
    default = world.tenancy.default
    assert {key for (tenant, key), text in world.held().items() if text == "bad_folder"} == {"//x.txt", "acme /x.txt"}
    assert {tenant for (tenant, _), text in world.held().items() if text == "bad_folder"} == {default}
    assert not any("x.txt" in text for text in world.embedder.texts if "\u00fc" not in text)
    [[hint]] = world.rows("SELECT hint FROM bucketwise.documents WHERE key = '//x.txt'")
    assert "another folder" in hint
    assert world.look("//x.txt").outcome is Outcome.UNCHANGED
    in_its_place(world)


def test_a_lost_deletion_of_a_whole_folder_is_repaired(world: FolderBucket) -> None:
    filled(world)
    for key in ("acme/a.txt", "acme/deep/b.txt", "acme/a.txt.metadata.json"):
        world.delete(key, told=False)
    report = world.follow()
    assert report.drift == 0  # a moment ago
    assert {tenant for tenant, _ in world.held()} == {world.tenancy.default, "bolt", "\u00fc"}
    in_its_place(world)
    assert world.vectors("acme") == 0


def test_lost_uploads_of_every_tenant_are_repaired(world: FolderBucket) -> None:
    filled(world)
    for key in ("acme/new.txt", "bolt/a.txt", "new/first.txt", "loose.txt"):
        world.put(key, f"New: {key}", told=False)
    assert world.follow().sent == 4
    in_its_place(world)


def test_what_another_stack_keeps_in_the_index_is_left_alone(
    storage: Storage, world: FolderBucket, index_database: IndexDatabase
) -> None:
    with folder_bucket(storage, index_database, folders=False) as other:
        for key in ("acme/a.txt", "loose.txt"):
            other.put(key, "Another bucket's.")
            world.put(key, SAME)
        other.work()
        world.work()
        theirs = other.held()
        for switched in (False, True):
            world.tenancy = replace(world.tenancy, folders=switched)
            world.follow()
            assert world.held() == world.wanted()
        assert other.held() == theirs
        assert other.reconcile().differences == 0


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_a_page_of_the_index_ends_with_all_that_tenants_hold_of_a_key(
    world: FolderBucket, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(inventory, "PAGE", page)
    keys = [f"acme/{number}.txt" for number in range(3)]
    for key, tenant in product(keys, ["acme", "bolt", world.tenancy.default]):
        index = DocumentIndex(world.database, tenant, CODE, home=world.tenancy.default)
        described = facts(key, sidecar="e1")
        index.fail(described, bad_folder(), index.claim(deadline=SOON), deadline=SOON)
    held = list(Inventory(world.database, world.tenancy).held(after="", deadline=SOON))
    expected = [each for key in keys for each in (key, f"{key}.metadata.json")]
    assert [each.key for each in held] == [key for key in expected for _ in range(3)]
    assert len({(each.key, each.tenant) for each in held}) == 18


def test_a_waiting_note_is_the_key_owners_and_is_gone_when_it_was_looked_at(world: FolderBucket) -> None:
    world.put("acme/a.txt", SAME, told=False)
    world.reconcile()
    assert world.rows("SELECT tenant, key, reason FROM bucketwise.waiting") == [("acme", "acme/a.txt", "reconcile")]
    world.work()
    assert world.rows("SELECT FROM bucketwise.waiting") == []


def test_a_page_of_the_index_reads_no_more_rows_than_it_has_whether_or_not_there_are_statistics(
    world: FolderBucket, index_database: IndexDatabase
) -> None:
    world.rows(
        """INSERT INTO bucketwise.documents (tenant, key, claim, state, version, etag, fingerprint, home, sidecar)
           SELECT 't' || n %% 50, 't' || n %% 50 || '/' || n, 1, 'indexed', 'v1', 'e1', 'f', %s, 'e1'
           FROM generate_series(1, 20000) AS n""",
        world.tenancy.default,
    )
    names = {"default": world.tenancy.default, "after": "t2/", "most": 100}
    with connected(index_database.superuser) as connection:
        for _ in range(2):
            with connection.transaction():
                connection.execute(inventory.IN_ORDER)
                plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN ANALYZE {inventory.HELD}", names))
            read = [int(float(rows)) for rows in re.findall(r"Scan .*actual .*rows=([\d.]+) loops=1", plan)]
            assert len(read) == 2, plan
            assert sum(read) <= 2 * 102, plan
            connection.execute("ANALYZE bucketwise.documents")
