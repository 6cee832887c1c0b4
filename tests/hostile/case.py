"""A hostile file, and what may become of it."""

from dataclasses import dataclass

INDEXED, PARTIAL = "indexed", "partial"


@dataclass(frozen=True, slots=True)
class HostileFile:
    """``states`` are the ones that it may end in: indexed, partial, or the reason of a failure.

    ``may_lose``: it may take its process along, within a library that is not ours.
    """

    name: str
    content: bytes
    states: frozenset[str]
    may_lose: bool = False


def hostile(name: str, content: bytes | str, *states: str, may_lose: bool = False) -> HostileFile:
    return HostileFile(name, content.encode() if isinstance(content, str) else content, frozenset(states), may_lose)
