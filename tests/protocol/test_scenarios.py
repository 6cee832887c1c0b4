"""On PostgreSQL, the index ends up equal to the bucket in the orders of events that are known to go wrong."""

import pytest

from tests.integration.index_database import IndexDatabase
from tests.protocol.mutants import REAL
from tests.protocol.scenarios import SCENARIOS, Scenario
from tests.protocol.stage import staged


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_index_holds_what_the_bucket_does_when(scenario: Scenario, shared_index: IndexDatabase) -> None:
    with staged(REAL, shared_index) as stage:
        scenario(stage)
