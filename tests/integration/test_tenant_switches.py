"""Other settings than before: documents move to the tenants that their keys name now, with all that is theirs."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bucketwise.deadline import Deadline
from local.storage.client import Storage
from tests.integration.folder_bucket import SAME, SIDECAR, FolderBucket, filled, folder_bucket, in_its_place
from tests.integration.index_database import IndexDatabase
from tests.unit.reconcile_fakes import steps


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture
def world(storage: Storage, index_database: IndexDatabase) -> Iterator[FolderBucket]:
    with folder_bucket(storage, index_database) as world:
        yield world


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


def test_rows_from_before_the_setting_are_moved_too(world: FolderBucket) -> None:
    """They do not say who keeps them."""
    world.tenancy = replace(world.tenancy, folders=False)
    world.put("acme/a.txt", SAME)
    world.work()
    world.rows("UPDATE bucketwise.documents SET home = NULL")
    world.tenancy = replace(world.tenancy, folders=True)
    world.follow()
    in_its_place(world)


def test_under_another_tenants_name_folders_are_taken_over_without_embedding_anything(world: FolderBucket) -> None:
    """TENANT is who keeps them; what lay in no folder stays behind with the name before."""
    filled(world)
    before, embedded = world.held(), len(world.embedder.texts)
    left = {place: text for place, text in before.items() if place[0] == world.tenancy.default}
    world.tenancy = replace(world.tenancy, default=f"{world.tenancy.default} again")
    world.follow()
    assert world.reconcile().differences == 0
    assert world.held() == world.wanted()
    assert len(world.embedder.texts) == embedded + 1  # the loose one's
    world.tenancy = replace(world.tenancy, default=world.tenancy.default.removesuffix(" again"))
    assert world.held() == left


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
