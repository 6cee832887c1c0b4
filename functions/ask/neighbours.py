"""The chunks before and after a passage, joined to it as they stand in the document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.models import PlaceMark
from bucketwise.search import Passage, marks_from_json


@dataclass(frozen=True, slots=True)
class Window:
    """The chunks ``first`` to ``last`` of a document, by their ordinals."""

    key: str
    first: int
    last: int

    def holds(self, passage: Passage) -> bool:
        return self.key == passage.key and self.first <= passage.ordinal <= self.last


@dataclass(frozen=True, slots=True)
class NeighbourChunk:
    """A chunk as the index holds it now, with the version of the document that it is of."""

    key: str
    ordinal: int
    text: str
    tokens: int
    start: int
    marks: tuple[PlaceMark, ...]
    version: str | None

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Neighbourhood(Protocol):
    """Stored documents by stretches. What is read at once was there at one moment."""

    def chunks(self, windows: Sequence[Window], *, deadline: Deadline) -> list[NeighbourChunk]: ...


@dataclass(frozen=True, slots=True)
class NeighbourTable:
    database: Database
    tenant: str

    def chunks(self, windows: Sequence[Window], *, deadline: Deadline) -> list[NeighbourChunk]:
        """Raises DatabaseUnavailable or DeadlineExceeded."""
        return self.database.run(lambda connection: self._read(connection, windows), deadline=deadline)

    def _read(self, connection: Connection, windows: Sequence[Window]) -> list[NeighbourChunk]:
        rows = connection.execute(
            """SELECT key, ordinal, text, tokens, start_offset, marks, version
               FROM bucketwise.neighbours(%s, %s, %s, %s)""",
            (
                self.tenant,
                [window.key for window in windows],
                [window.first for window in windows],
                [window.last for window in windows],
            ),
        ).fetchall()
        return [
            NeighbourChunk(key, ordinal, text, tokens, start, marks_from_json(marks), version)
            for key, ordinal, text, tokens, start, marks, version in rows
        ]


def windows_around(passages: Sequence[Passage], reach: int) -> list[Window]:
    """What lies up to ``reach`` chunks around passages; windows of one document that share a chunk are one."""
    windows: list[Window] = []
    for passage in sorted(passages, key=lambda passage: (passage.key, passage.ordinal)):
        first, last = max(0, passage.ordinal - reach), passage.ordinal + reach
        if windows and windows[-1].key == passage.key and first <= windows[-1].last:
            windows[-1] = replace(windows[-1], last=last)
        else:
            windows.append(Window(passage.key, first, last))
    return windows


def join_neighbours(
    passages: Sequence[Passage], windows: Sequence[Window], chunks: Sequence[NeighbourChunk]
) -> list[Passage]:
    """Each window's text in the place of its best-ranked passage, whose ranks and scores it has.

    Passages stay alone if one of them does not stand in the index any more as it was found: its document was replaced
    in the meantime, and what is there now is not around it.
    """
    joined: dict[tuple[str, int], Passage | None] = {}
    for window in windows:
        found = [passage for passage in passages if window.holds(passage)]
        around = {chunk.ordinal: chunk for chunk in chunks if chunk.key == window.key}
        stretch = [around[ordinal] for ordinal in range(window.first, window.last + 1) if ordinal in around]
        if all(_stands(passage, around.get(passage.ordinal)) for passage in found):
            best, *others = found
            joined |= {(other.key, other.ordinal): None for other in others}
            joined[best.key, best.ordinal] = _joined(best, stretch)
    results = (joined.get((passage.key, passage.ordinal), passage) for passage in passages)
    return [passage for passage in results if passage is not None]


def _stands(passage: Passage, chunk: NeighbourChunk | None) -> bool:
    return chunk is not None and (chunk.text, chunk.start, chunk.version) == (
        passage.text,
        passage.start,
        passage.version,
    )


def _joined(best: Passage, stretch: Sequence[NeighbourChunk]) -> Passage:
    start = stretch[0].start
    text = ""
    marks: dict[int, PlaceMark] = {}
    for chunk in stretch:
        # Between chunks nothing but white space is left out, and which is not stored; what they share stands once.
        text += "\n" * (chunk.start - start - len(text))
        text += chunk.text[start + len(text) - chunk.start :]
        marks |= {mark.start: mark for mark in chunk.marks}
    return replace(
        best,
        text=text,
        start=start,
        tokens=sum(chunk.tokens for chunk in stretch),
        marks=tuple(marks[at] for at in sorted(marks)),
    )
