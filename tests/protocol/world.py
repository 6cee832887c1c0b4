"""A bucket as the model has it, and the bounds within which every history is explored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class StoredVersion(NamedTuple):
    """What one upload stored. ``number`` stands for all of it: bytes, metadata and time."""

    number: int
    version: str | None
    etag: str


Stack = tuple[StoredVersion | None, ...]
"""The versions under one key, the newest last; None is a delete marker."""


@dataclass(frozen=True, slots=True)
class World:
    """``duplicates``, ``crashes`` and ``losses`` bound how many messages come twice, workers vanish, events are lost.

    ``unreadable`` is the eTag of bytes that cannot be indexed. ``sidecars`` are the eTags of what may describe an
    object; a message of either may be of both.
    """

    keys: int = 1
    changes: int = 3
    workers: int = 3
    duplicates: int = 1
    crashes: int = 1
    losses: int = 0
    versioned: bool = True
    unreadable: str = ""
    sidecars: str = ""


WORLDS = {
    "a bucket with versions": World(),
    "a bucket without versions": World(versioned=False),
    "lost events": World(workers=2, losses=2),
    "lost events without versions": World(workers=2, losses=2, versioned=False),
    "two keys": World(keys=2, changes=2, workers=2),
    "bytes that cannot be indexed": World(workers=2, unreadable="B"),
    "sidecars": World(workers=2, duplicates=0, sidecars="ST"),
    "sidecars and lost events": World(workers=2, duplicates=0, crashes=0, losses=2, sidecars="ST"),
    "sidecars that cannot be read": World(workers=2, crashes=0, sidecars="S", unreadable="S"),
}


def current(stack: Stack) -> StoredVersion | None:
    return stack[-1] if stack else None


def changes(world: World, stack: Stack, number: int) -> Iterator[tuple[str, Stack]]:
    """What a user may do to a key, as the ``number``-th change of all; each raises one event.

    Removing the newest version, or a delete marker, brings back what is below. The same bytes may be uploaded
    again, with other metadata. Which bytes are called A makes no difference, so the first are.
    """
    kept = stack if world.versioned else ()
    for etag in "A" if number == 1 and not world.unreadable else "AB":
        version = f"v{number}" if world.versioned else None
        yield f"put {etag}", (*kept, StoredVersion(number, version, etag))
    if current(stack) is not None:
        yield "delete", ((*stack, None) if world.versioned else ())
    if stack and world.versioned:
        yield "remove the newest version" if stack[-1] else "remove the delete marker", stack[:-1]


def descriptions(world: World, sidecar: str | None) -> Iterator[str | None]:
    """What a user may put beside a key instead, or None for nothing; each raises one event."""
    yield from (other for other in (None, *world.sidecars) if other != sidecar)
