"""A model of the protocol by which the index converges to the bucket: its states, and every step out of one.

Users change the bucket, events are delivered late, in any order, twice or never, and workers take their steps or
vanish. What is to be decided, the functions of ``ingest.protocol`` decide; the model adds only the bucket, the
queue, and what one transaction does to a row. To take a message and to take a claim are one step: nobody sees the
first but as a message that is late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

from ingest.protocol import Held, Seen
from tests.protocol.model_index import FINGERPRINT, Row, confirmed, described, listed_differently, swap_steps
from tests.protocol.mutants import NEVER_HEARD_OF, Design
from tests.protocol.world import Stack, StoredVersion, World, changes, current, descriptions

T = TypeVar("T")


class Message(NamedTuple):
    """An event in the queue. ``sequencer`` is 0 if nothing may depend on it, or if a reconciliation sent it."""

    key: int
    sequencer: int = 0


class Phase(IntEnum):
    CLAIMED = 0
    READING = 1
    CONFIRMING = 2
    DESCRIBING = 3
    COMMITTING = 4
    DONE = 5


class Worker(NamedTuple):
    """A busy one. ``transaction`` counts those of its swap; ``earlier`` is the row as it was before the look."""

    phase: Phase
    message: Message
    claim: int = 0
    seen: StoredVersion | None = None
    sidecar: str | None = None
    transaction: int = 0
    earlier: Held = NEVER_HEARD_OF


class State(NamedTuple):
    """Of everything, at one moment. The numbers say how much may still happen; ``lost``: an event was, for good."""

    stacks: tuple[Stack, ...]
    sidecars: tuple[str | None, ...]
    rows: tuple[Row, ...]
    messages: tuple[Message, ...]
    workers: tuple[Worker, ...]
    changes: int
    duplicates: int
    crashes: int
    losses: int
    lost: bool = False

    @property
    def quiet(self) -> bool:
        """Whether every message was acknowledged."""
        return not self.messages and not self.workers


Step = tuple[str, State]


@dataclass(frozen=True, slots=True)
class Model:
    world: World
    design: Design

    def beginning(self) -> State:
        world = self.world
        stacks: tuple[Stack, ...] = ((),) * world.keys
        sidecars: tuple[str | None, ...] = (None,) * world.keys
        rows = (Row(),) * world.keys
        return State(stacks, sidecars, rows, (), (), world.changes, world.duplicates, world.crashes, world.losses)

    def steps(self, state: State) -> Iterator[Step]:
        """Each step that may come next, by name, and the state after it."""
        if state.changes:
            yield from self._change(state)
        if state.quiet and state.lost:
            yield self._reconcile(state)
        if len(state.workers) < self.world.workers:
            for message in dict.fromkeys(state.messages):
                yield from self._take_claim(state, message)
        for worker in dict.fromkeys(state.workers):
            alone = state._replace(workers=_without(state.workers, worker))
            yield self._work(alone, worker)
            if state.crashes:
                back = tuple(sorted((*state.messages, worker.message)))
                yield f"{_name(worker)} vanishes", alone._replace(messages=back, crashes=state.crashes - 1)

    def _change(self, state: State) -> Iterator[Step]:
        number = self.world.changes - state.changes + 1
        for key, stack in enumerate(state.stacks):
            event = Message(key, number if self.design.claim_is_sequencer else 0)
            fewer = state._replace(changes=state.changes - 1)
            changed = [
                *(
                    (name, fewer._replace(stacks=_set(state.stacks, key, after)))
                    for name, after in changes(self.world, stack, number)
                ),
                *(
                    (f"sidecar {after}", fewer._replace(sidecars=_set(state.sidecars, key, after)))
                    for after in descriptions(self.world, state.sidecars[key])
                ),
            ]
            for name, after in changed:
                told = f"change {number}: {name} (key {key})"
                yield told, after._replace(messages=tuple(sorted((*state.messages, event))))
                if state.losses:
                    yield f"{told}, and its event is lost", after._replace(losses=state.losses - 1, lost=True)

    def _reconcile(self, state: State) -> Step:
        """Sends an event for each key whose listing differs. It is the last: no event is lost after it."""
        differing = [
            Message(key)
            for key, (row, stack, sidecar) in enumerate(zip(state.rows, state.stacks, state.sidecars, strict=True))
            if listed_differently(row, current(stack), sidecar)
        ]
        return "a reconciliation", state._replace(messages=tuple(differing), lost=False, losses=0)

    def _take_claim(self, state: State, message: Message) -> Iterator[Step]:
        held = state.rows[message.key].held
        rivals = [worker for worker in state.workers if worker.message.key == message.key]
        highest = max(held.claim, *(worker.claim for worker in rivals), *(worker.earlier.claim for worker in rivals), 0)
        claim = self.design.claim(message.sequencer, lambda: highest + 1)
        earlier = held if self.design.compares_earlier_row else NEVER_HEARD_OF
        worker = Worker(Phase.CLAIMED, message, claim, earlier=earlier)
        busy = _with(state, worker)
        yield f"{_name(worker)} is taken", busy._replace(messages=_without(state.messages, message))
        if state.duplicates:
            told = f"{_name(worker)} is taken for a message that comes again"
            yield told, busy._replace(duplicates=state.duplicates - 1)

    def _work(self, state: State, worker: Worker) -> Step:
        name = _name(worker)
        match worker.phase:
            case Phase.CLAIMED if self.world.sidecars:
                sidecar = state.sidecars[worker.message.key]
                return f"{name} sees sidecar {sidecar}", _with(
                    state, worker._replace(phase=Phase.READING, sidecar=sidecar)
                )
            case Phase.CLAIMED | Phase.READING:
                seen = current(state.stacks[worker.message.key])
                phase = Phase.COMMITTING if seen is None else Phase.CONFIRMING
                told = f"{name} sees {seen.version or 'an object' if seen else 'nothing'}"
                return told, _with(state, worker._replace(phase=phase, seen=seen))
            case Phase.CONFIRMING:
                return self._confirm(state, worker)
            case Phase.DESCRIBING:
                return self._describe(state, worker)
            case Phase.COMMITTING:
                return self._commit(state, worker)
            case Phase.DONE:
                return f"a message for key {worker.message.key} is acknowledged", state

    def _confirm(self, state: State, worker: Worker) -> Step:
        key, seen = worker.message.key, _seen(worker)
        decisions = self.design.decisions_given(worker.earlier)
        row = state.rows[key]
        claim = decisions.confirmed_claim(row.held, seen, FINGERPRINT, worker.claim)
        if claim is not None:
            after = state._replace(rows=_set(state.rows, key, confirmed(row, claim)))
            return f"{_name(worker)} is unchanged", _with(after, _done(worker))
        is_text = decisions.described_claim(row.held, seen, FINGERPRINT, worker.claim) is not None
        phase = Phase.DESCRIBING if is_text and seen.sidecar != self.world.unreadable else Phase.COMMITTING
        return f"{_name(worker)} is not unchanged", _with(state, worker._replace(phase=phase))

    def _describe(self, state: State, worker: Worker) -> Step:
        key, row = worker.message.key, state.rows[worker.message.key]
        claim = self.design.decisions.described_claim(row.held, _seen(worker), FINGERPRINT, worker.claim)
        if claim is None:
            return f"{_name(worker)} cannot describe", _with(state, worker._replace(phase=Phase.COMMITTING))
        after = state._replace(rows=_set(state.rows, key, described(row, claim, worker.sidecar)))
        return f"{_name(worker)} describes", _with(after, _done(worker))

    def _commit(self, state: State, worker: Worker) -> Step:
        key, decisions = worker.message.key, self.design.decisions
        steps = swap_steps(decisions, worker.claim, worker.seen, worker.sidecar, unreadable=self.world.unreadable)
        transactions = decisions.transactions(steps)
        row = state.rows[key]
        for step in transactions[worker.transaction]:
            after = step(row)
            if after is None:
                return f"{_name(worker)} is refused", _with(state, _done(worker))
            row = after
        number = worker.transaction + 1
        todo = worker._replace(transaction=number) if number < len(transactions) else _done(worker)
        told = f"{_name(worker)} commits transaction {number} of {len(transactions)}"
        return told, _with(state._replace(rows=_set(state.rows, key, row)), todo)


def _name(worker: Worker) -> str:
    return f"key {worker.message.key}, claim {worker.claim}"


def _seen(worker: Worker) -> Seen:
    assert worker.seen is not None
    return Seen(worker.seen.version, worker.seen.etag, worker.sidecar)


def _done(worker: Worker) -> Worker:
    """Of what it did, only its message is left to matter."""
    return Worker(Phase.DONE, worker.message)


def _with(state: State, worker: Worker) -> State:
    """Workers are alike, so their order is none of the state."""
    return state._replace(workers=tuple(sorted((*state.workers, worker), key=_order)))


def _order(worker: Worker) -> tuple[Message, int, Phase, int, str, int]:
    number = worker.seen.number if worker.seen else 0
    return worker.message, worker.claim, worker.phase, number, worker.sidecar or "", worker.transaction


def _set(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    return (*items[:place], item, *items[place + 1 :])


def _without(items: tuple[T, ...], item: T) -> tuple[T, ...]:
    place = items.index(item)
    return items[:place] + items[place + 1 :]
