"""Sidecars that no event told of are found by a comparison, and those that describe nothing are looked at once."""

from collections.abc import Iterator

import pytest

from local.storage.client import Storage
from tests.integration.index_database import IndexDatabase
from tests.integration.reconciled_bucket import World, reconciled_bucket
from tests.unit.ingest_fakes import SOON

# Between a document and its sidecar stand others in the order of keys, more than a page of them.
KEYS = ["a", "a b", "a(1)", "a-1", "a-2", "a-3", "a-4", "b"]
SIDECAR = "a.metadata.json"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["versioned", "unversioned"])
def world(storage: Storage, shared_index: IndexDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    with reconciled_bucket(storage, shared_index, versioned=request.param) as world:
        for key in KEYS:
            world.put(key, f"text of {key}")
        assert world.follow() == sorted(KEYS)
        yield world


def metadata(world: World) -> dict[str, dict[str, str]]:
    rows = world.execute("SELECT key, metadata FROM bucketwise.documents WHERE metadata <> '{}' AND tenant = %s")
    return dict(rows)


def test_a_lost_sidecar_is_made_up_for_whatever_happened_to_it(world: World) -> None:
    for text, expected in (('{"team": "ops"}', {"a": {"team": "ops"}}), ('{"team": "web"}', {"a": {"team": "web"}})):
        world.put(SIDECAR, text)
        assert world.follow() == ["a"]
        assert metadata(world) == expected
        assert world.reconcile().differences == 0
    world.delete(SIDECAR)
    assert world.follow() == ["a"]
    assert metadata(world) == {}
    assert world.reconcile().differences == 0
    assert sorted(world.index()) == sorted(KEYS)


def test_a_document_and_its_sidecar_that_differ_are_sent_once(world: World) -> None:
    world.put("a", "another text")
    world.put(SIDECAR, '{"team": "ops"}')
    report = world.reconcile()
    assert (report.finished, report.sent) == (True, 1)
    assert world.work() == ["a"]
    assert world.reconcile().differences == 0


def test_a_sidecar_of_nothing_differs_until_it_was_looked_at(world: World) -> None:
    world.put("none.metadata.json", "{}")
    world.put("none.metadata.json.metadata.json", "{}")
    assert world.follow() == ["none"]
    assert world.reconcile().differences == 0
    world.put("none", "there at last")
    assert world.follow() == ["none"]
    world.delete("none")
    world.delete("none.metadata.json")
    assert world.follow() == ["none"]
    assert world.reconcile().differences == 0


def test_a_document_that_is_named_like_its_folders_sidecar_is_none(world: World) -> None:
    world.put("f/", "")
    world.put("f/.metadata.json", '{"team": "ops"}')
    assert world.follow() == ["f/.metadata.json"]
    world._look_at("f/")  # as its event has it done
    assert world.reconcile().differences == 0
    world.delete("f/.metadata.json")
    world._look_at("f/.metadata.json")
    assert world.reconcile().differences == 0


def test_what_older_code_took_for_a_folders_sidecar_does_not_stop_a_comparison(world: World) -> None:
    world.put("f/", "")
    world.tenant.index.bury("f/", world.tenant.index.claim(deadline=SOON), sidecar="e1", deadline=SOON)
    assert world.reconcile().differences == 0
    world.put("f/.metadata.json", '{"team": "ops"}')
    world.put("z", "told by no event")
    assert world.follow() == ["f/.metadata.json", "z"]
    assert world.reconcile().differences == 0
