"""Uploads, deletions, lost messages and other settings in any order: a comparison puts everything in its place."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.inventory import LONG_PAST
from local.storage.client import Storage
from tests.integration.folder_bucket import FolderBucket, folder_bucket
from tests.integration.index_database import IndexDatabase
from tests.unit.reconcile_fakes import steps

KEYS = ["a/1.txt", "a/2.txt", "b/1.txt", "1.txt", "a/b/1.txt", "/1.txt"]
Move = tuple[str, str]
moves = st.one_of(
    st.tuples(st.sampled_from(["put", "put, untold", "delete", "delete, untold"]), st.sampled_from(KEYS)),
    st.tuples(st.just("switch"), st.sampled_from(["", "a/"])),
    st.tuples(st.sampled_from(["work", "reconcile", "reconcile a little", "lose messages"]), st.just("")),
)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(moves, min_size=4, max_size=20))
def test_whatever_happened_a_comparison_puts_everything_in_its_place(
    storage: Storage, shared_index: IndexDatabase, history: list[Move]
) -> None:
    with folder_bucket(storage, shared_index) as world:
        world.rows(
            "TRUNCATE bucketwise.documents, bucketwise.embeddings, bucketwise.postings, bucketwise.waiting CASCADE"
        )
        for number, (what, which) in enumerate(history):
            happen(world, what, which, number)
        world.work()
        # What was noted, and whose message was lost, is sent again when the note is old.
        world.rows("UPDATE bucketwise.waiting SET next_try = next_try - %s, reason = 'lost'", 2 * LONG_PAST)
        world.reconcile()  # perhaps the end of a pass that began under other settings, or before what was lost
        world.work()
        world.follow()
        assert world.held() == world.wanted(), history
        assert world.reconcile().differences == 0, history


def happen(world: FolderBucket, what: str, which: str, number: int) -> None:
    match what.removesuffix(", untold"):
        case "put":
            world.put(which, f"Text {number}.", told=what == "put")
        case "delete":
            world.delete(which, told=what == "delete")
        case "switch":
            world.tenancy = replace(world.tenancy, folders=not world.tenancy.folders, prefix=which)
        case "work":
            world.work()
        case "reconcile":
            world.reconcile()
        case "reconcile a little":
            world.reconcile(step=1, deadline=steps(45))
        case _:
            world.messages()
