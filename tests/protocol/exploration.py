"""Visits every state that a model can come to, nearest first, and tells the shortest history to a wrong one."""

from collections import deque

from tests.protocol.model import Model, Phase, State
from tests.protocol.world import current


class Violated(AssertionError):
    """A history after which an invariant does not hold."""


def explore(model: Model) -> int:
    """The number of states. Raises Violated."""
    beginning = model.beginning()
    came_from: dict[State, tuple[State, str] | None] = {beginning: None}
    ahead = deque([beginning])
    while ahead:
        state = ahead.popleft()
        left = _left(state)
        stuck = True
        for name, after in model.steps(state):
            stuck = False
            if _left(after) >= left:
                raise Violated(_told(f"{name}: and so on for ever", state, came_from))
            if after in came_from:
                continue
            came_from[after] = state, name
            wrong = _wrong(after)
            if wrong:
                raise Violated(_told(wrong, after, came_from))
            ahead.append(after)
        if stuck and not state.quiet:
            raise Violated(_told("a message is never acknowledged", state, came_from))
    return len(came_from)


def _wrong(state: State) -> str | None:
    for key, row in enumerate(state.rows):
        if not row.whole:
            return f"a reader sees no whole version of key {key}: {row}"
        if state.quiet and not state.lost and not row.holds(current(state.stacks[key]), state.sidecars[key]):
            return f"all is quiet, and the index holds of key {key} what the bucket does not: {row}"
    return None


def _left(state: State) -> tuple[int, ...]:
    """Falls with every step, so every history ends; that it ends in a quiet state is left to be seen."""
    work = sum(
        12 - worker.phase - worker.transaction if worker.phase is not Phase.DONE else 1 for worker in state.workers
    )
    return state.changes, state.lost, state.duplicates, state.crashes, 20 * len(state.messages) + work


def _told(wrong: str, state: State, came_from: dict[State, tuple[State, str] | None]) -> str:
    names = []
    while (step := came_from[state]) is not None:
        state, name = step
        names.append(name)
    return "\n".join([wrong, *(f"  {name}" for name in reversed(names))])
