"""Each known mistake is caught: by the model in one of its worlds, or by a scenario on PostgreSQL, or by both.

That the real design passes the same checks, the other modules of this folder test.
"""

from dataclasses import replace

import pytest

from tests.integration.index_database import IndexDatabase
from tests.protocol import mutants, scenarios
from tests.protocol.exploration import Violated, explore
from tests.protocol.model import Model
from tests.protocol.mutants import MUTANTS, Design
from tests.protocol.scenarios import SCENARIOS, Scenario
from tests.protocol.stage import staged
from tests.protocol.world import WORLDS

DIFFERS = "the index holds of .* what the bucket does not"
MIXED = "a reader sees no whole version"
WAITS = "a commit waits for that of another document"
CLAIM = "a row is under an older claim"

CAUGHT_BY_MODEL: list[tuple[Design, str, str]] = [
    *((mutants.NO_FENCE, world, DIFFERS) for world in WORLDS),
    (mutants.NO_TOMBSTONE, "a bucket without versions", DIFFERS),
    (mutants.SEQUENCER, "lost events", DIFFERS),
    (mutants.ETAG, "a bucket with versions", DIFFERS),
    (mutants.VERSIONLESS, "a bucket without versions", DIFFERS),
    (mutants.CLAIM_NOT_RAISED, "lost events", DIFFERS),
    (mutants.CLAIM_LOWERED, "a bucket with versions", DIFFERS),
    (mutants.EARLIER_ROW, "lost events", DIFFERS),
    (mutants.SIDECAR_FORGOTTEN, "sidecars", DIFFERS),
    (mutants.DESCRIBES_ANY_VERSION, "sidecars", DIFFERS),
    (mutants.DESCRIBES_UNFENCED, "sidecars and lost events", DIFFERS),
    (mutants.STEP_BY_STEP, "a bucket with versions", MIXED),
]
CAUGHT_BY_SCENARIO: list[tuple[Design, Scenario, str]] = [
    (mutants.NO_FENCE, scenarios.a_stale_writer_comes_after_a_newer_commit, DIFFERS),
    (mutants.NO_FENCE, scenarios.a_stale_writer_comes_after_a_delete, DIFFERS),
    (mutants.NO_FENCE, scenarios.a_stale_writer_waits_for_a_newer_commit_of_a_new_key, DIFFERS),
    (mutants.NO_TOMBSTONE, scenarios.a_stale_writer_comes_after_a_delete, DIFFERS),
    (mutants.NO_TOMBSTONE, scenarios.a_stale_writer_waits_for_a_newer_commit_of_a_known_key, DIFFERS),
    (mutants.SEQUENCER, scenarios.a_reconciliation_repairs_what_no_event_told_of, DIFFERS),
    (mutants.ETAG, scenarios.the_same_bytes_come_again_with_other_metadata, DIFFERS),
    (mutants.VERSIONLESS, scenarios.another_object_comes_to_a_bucket_without_versions, DIFFERS),
    (mutants.CLAIM_NOT_RAISED, scenarios.a_writer_comes_after_an_older_version_was_found_unchanged, DIFFERS),
    (mutants.CLAIM_LOWERED, scenarios.a_late_unchanged_meets_a_row_of_a_later_look, DIFFERS),
    (mutants.EARLIER_ROW, scenarios.a_late_unchanged_meets_a_row_that_was_replaced, DIFFERS),
    (mutants.EARLIER_ROW, scenarios.an_unchanged_waits_for_a_newer_commit, CLAIM),
    (mutants.SIDECAR_FORGOTTEN, scenarios.a_sidecar_comes_changes_and_goes, DIFFERS),
    (
        mutants.DESCRIBES_ANY_VERSION,
        scenarios.a_sidecar_is_read_before_the_version_that_replaces_what_it_described,
        DIFFERS,
    ),
    (mutants.DESCRIBES_UNFENCED, scenarios.a_late_sidecar_meets_a_newer_one, DIFFERS),
    (mutants.STEP_BY_STEP, scenarios.a_reader_looks_between_the_steps_of_a_swap, MIXED),
    (mutants.COUNTER, scenarios.two_documents_are_committed_at_once, WAITS),
]


@pytest.mark.parametrize(
    ("mutant", "world", "wrong"),
    CAUGHT_BY_MODEL,
    ids=[f"{mutant.name}, {world}" for mutant, world, _ in CAUGHT_BY_MODEL],
)
def test_the_model_catches(mutant: Design, world: str, wrong: str) -> None:
    with pytest.raises(Violated, match=wrong):
        # What may happen without duplicates and crashes may happen in the whole world too, and is sooner found.
        explore(Model(replace(WORLDS[world], duplicates=0, crashes=0), mutant))


@pytest.mark.parametrize(
    ("mutant", "scenario", "wrong"),
    CAUGHT_BY_SCENARIO,
    ids=[f"{mutant.name}, {scenario.__name__}" for mutant, scenario, _ in CAUGHT_BY_SCENARIO],
)
def test_a_scenario_catches(mutant: Design, scenario: Scenario, wrong: str, index_database: IndexDatabase) -> None:
    with pytest.raises(AssertionError, match=wrong), staged(mutant, index_database) as stage:
        scenario(stage)


def test_every_mutant_is_caught_and_every_check_catches_one() -> None:
    assert {mutant for mutant, *_ in CAUGHT_BY_SCENARIO} == set(MUTANTS)
    assert {scenario for _, scenario, _ in CAUGHT_BY_SCENARIO} == set(SCENARIOS)
    assert {world for _, world, _ in CAUGHT_BY_MODEL} == set(WORLDS)
