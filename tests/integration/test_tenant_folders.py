"""Folders as tenants: events, comparisons and switches of the setting put each document where its key says."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from bucketwise.deadline import Deadline
from ingest import inventory
from ingest.index import DocumentIndex
from ingest.inventory import Inventory
from ingest.receipts import Outcome
from ingest.tenants import bad_folder
from local.storage.client import Storage
from tests.integration.folder_bucket import CODE, FolderBucket, folder_bucket
from tests.integration.index_database import IndexDatabase
from tests.unit.ingest_fakes import SOON, facts
from tests.unit.reconcile_fakes import steps

SAME = "The gate closes at nine."
SIDECAR = b'{"year": 2024}'


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture
def world(storage: Storage, index_database: IndexDatabase) -> Iterator[FolderBucket]:
    with folder_bucket(storage, index_database) as world:
        yield world


def filled(world: FolderBucket) -> FolderBucket:
    for key in ("acme/a.txt", "acme/deep/b.txt", "bolt/a.txt", "loose.txt", "//x.txt", "acme /x.txt", "\u00fc/x.txt"):
        world.put(key, SAME if key.endswith("a.txt") else f"This is {key.strip('/')}.")
    world.s3.put_object(Bucket=world.bucket, Key="acme/a.txt.metadata.json", Body=SIDECAR)
    world.work()
    return world


def in_its_place(world: FolderBucket) -> None:
    """Everything is, and nothing is left anywhere else, not even a vector."""
    assert world.held() == world.wanted()
    world.reconcile()
    for (tenant,) in world.rows("SELECT DISTINCT tenant FROM bucketwise.documents"):
        texts = {text for (whose, _), text in world.held().items() if whose == tenant and text != "bad_folder"}
        assert world.vectors(tenant) == len(texts), tenant
    assert world.reconcile().differences == 0


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


@pytest.mark.parametrize("folders", [True, False])
def test_after_a_switch_a_comparison_moves_every_document_and_after_another_one_back(
    storage: Storage, index_database: IndexDatabase, folders: bool
) -> None:
    with folder_bucket(storage, index_database, folders=folders) as world:
        filled(world)
        before = world.held()
        in_its_place(world)
        for switched in (not folders, folders):
            world.tenancy = replace(world.tenancy, folders=switched)
            report = world.follow()
            assert (report.sent, report.drift) == (6, 0)  # all but the loose one; nothing was missed
            in_its_place(world)
        assert world.held() == before


def test_metadata_moves_with_its_document(world: FolderBucket) -> None:
    filled(world)
    for switched in (False, True):
        world.tenancy = replace(world.tenancy, folders=switched)
        world.follow()
        assert world.rows("SELECT tenant, metadata FROM bucketwise.documents WHERE sidecar IS NOT NULL") == [
            ("acme" if switched else world.tenancy.default, {"year": 2024})
        ]


def test_a_sidecar_of_no_document_is_looked_at_once_after_a_switch(world: FolderBucket) -> None:
    world.s3.put_object(Bucket=world.bucket, Key="acme/none.txt.metadata.json", Body=SIDECAR)
    for switched in (True, False, True):
        world.tenancy = replace(world.tenancy, folders=switched)
        assert world.follow().sent == 1
        assert world.reconcile().differences == 0


@pytest.mark.parametrize("deleted", [True, False])
def test_an_event_after_a_switch_leaves_nothing_with_the_tenant_before(world: FolderBucket, deleted: bool) -> None:
    """Also before the first comparison, and if the model is out of reach: then nobody has it."""
    world.tenancy = replace(world.tenancy, folders=False)
    world.put("acme/a.txt", SAME)
    world.work()
    world.tenancy = replace(world.tenancy, folders=True)
    if deleted:
        world.delete("acme/a.txt")
    else:
        world.put("acme/a.txt", "Changed.")
    world.work()
    assert world.held() == ({} if deleted else {("acme", "acme/a.txt"): "Changed."})


def test_documents_outside_of_a_narrower_prefix_are_removed_whosever_they_were(world: FolderBucket) -> None:
    filled(world)
    world.tenancy = replace(world.tenancy, prefix="acme/")
    report = world.follow()
    assert report.drift == 0
    assert world.held() == {
        ("deep", "acme/deep/b.txt"): "This is acme/deep/b.txt.",
        (world.tenancy.default, "acme/a.txt"): SAME,
    }
    in_its_place(world)
    world.tenancy = replace(world.tenancy, prefix="")
    world.follow()
    in_its_place(world)


def test_answers_are_forgotten_of_the_tenant_that_lost_the_document_and_of_no_other(world: FolderBucket) -> None:
    world.tenancy = replace(world.tenancy, folders=False)
    world.put("acme/a.txt", SAME)
    world.work()
    for tenant in (world.tenancy.default, "acme", "bolt"):
        world.rows(
            """WITH kept AS (
                   INSERT INTO bucketwise.cached_answers (tenant, fingerprint, corpus_version, answer)
                   VALUES (%s, 'f', 1, '{}') RETURNING tenant, fingerprint)
               INSERT INTO bucketwise.cached_answer_sources (tenant, key, fingerprint)
               SELECT tenant, 'acme/a.txt', fingerprint FROM kept""",
            tenant,
        )
    world.tenancy = replace(world.tenancy, folders=True)
    world.look("acme/a.txt")
    assert sorted(world.rows("SELECT tenant FROM bucketwise.cached_answers")) == [("acme",), ("bolt",)]


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


def test_rows_from_before_the_setting_are_moved_too(world: FolderBucket) -> None:
    """They do not say who keeps them."""
    world.tenancy = replace(world.tenancy, folders=False)
    world.put("acme/a.txt", SAME)
    world.work()
    world.rows("UPDATE bucketwise.documents SET home = NULL")
    world.tenancy = replace(world.tenancy, folders=True)
    world.follow()
    in_its_place(world)


def test_a_switch_converges_however_short_the_invocations(world: FolderBucket) -> None:
    filled(world)
    for switched in (False, True):
        world.tenancy = replace(world.tenancy, folders=switched)
        invocations, finished = 0, False
        while not finished:
            finished = world.reconcile(step=1, deadline=patience(invocations)).finished
            invocations += 1
        assert invocations > 2
        world.work()
        in_its_place(world)


def patience(number: int) -> Deadline:
    return steps(40 + number)


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
