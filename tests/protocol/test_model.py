"""No history of a bounded world ends with an index that differs from the bucket, or shows a reader a mixed version."""

from collections.abc import Iterator

import pytest

from tests.protocol.exploration import Violated, explore
from tests.protocol.model import Model, State, Step
from tests.protocol.mutants import REAL
from tests.protocol.world import WORLDS, World


@pytest.mark.parametrize("world", WORLDS)
def test_every_history_ends_with_an_index_that_equals_the_bucket(world: str) -> None:
    explore(Model(WORLDS[world], REAL))


class Deaf(Model):
    """Its workers leave every message where it is."""

    def steps(self, state: State) -> Iterator[Step]:
        return (step for step in Model.steps(self, state) if not step[1].workers)


class Restless(Model):
    """Its workers never get ahead."""

    def steps(self, state: State) -> Iterator[Step]:
        return ((name, state if after.workers else after) for name, after in Model.steps(self, state))


@pytest.mark.parametrize(
    ("model", "wrong"), [(Deaf, "a message is never acknowledged"), (Restless, "and so on for ever")]
)
def test_a_history_that_does_not_come_to_rest_is_told(model: type[Model], wrong: str) -> None:
    with pytest.raises(Violated, match=wrong):
        explore(model(World(changes=1), REAL))
