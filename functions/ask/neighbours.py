"""The chunks before and after a passage, joined to it as they stand in the document."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from psycopg import Connection

from ask.prompt import tokens_around, tokens_shown
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.marks import marks_from_json
from bucketwise.models import PlaceMark
from bucketwise.search import Passage


@dataclass(frozen=True, slots=True)
class Window:
    """The chunks ``first`` to ``last`` of a document, by their ordinals."""

    key: str
    first: int
    last: int

    @classmethod
    def around(cls, passage: Passage, reach: int) -> Self:
        return cls(passage.key, max(0, passage.ordinal - reach), passage.ordinal + reach)

    def meets(self, other: Self) -> bool:
        """Whether they share a chunk."""
        return self.key == other.key and self.first <= other.last and other.first <= self.last

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


Held = Mapping[tuple[str, int], NeighbourChunk]
"""Chunks by key and ordinal."""


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
        window = Window.around(passage, reach)
        if windows and windows[-1].meets(window):
            windows[-1] = replace(windows[-1], last=window.last)
        else:
            windows.append(window)
    return windows


def join_neighbours(
    passages: Sequence[Passage], chunks: Sequence[NeighbourChunk], *, reach: int, most_tokens: int
) -> list[Passage]:
    """Passages, best first, with up to ``reach`` chunks before and after each, as far as a prompt has room for them.

    Those that share a chunk are one stretch, in the place of the best-ranked one, whose ranks and scores it has. All
    stretches together take up to ``most_tokens`` of a prompt. Where the neighbours of a passage would be too many, it
    has fewer or none; where it does not fit itself, it stays as it is, and worse ones that fit are joined all the same.

    The passages of a document stay alone if one of them does not stand in the index any more as it was found: the
    document was replaced in the meantime, and what is there now is not around it.
    """
    held = {(chunk.key, chunk.ordinal): chunk for chunk in chunks}
    replaced = {passage.key for passage in passages if not _stands(passage, held.get(passage.place))}
    windows = _windows_that_fit(passages, held, replaced, reach=reach, most_tokens=most_tokens)
    return list(_in_place(passages, windows, held))


def _windows_that_fit(
    passages: Sequence[Passage], held: Held, replaced: Container[str], *, reach: int, most_tokens: int
) -> list[Window]:
    windows: list[Window] = []
    left = most_tokens
    for passage in passages:
        if passage.key in replaced:
            left -= tokens_shown(passage) if tokens_shown(passage) <= left else 0
            continue
        for distance in range(reach, -1, -1):
            around = Window.around(passage, distance)
            met = [window for window in windows if window.meets(around)]
            whole = _union([*met, around])
            cost = _tokens(whole, passage, held) - sum(_tokens(window, passage, held) for window in met)
            if cost <= left:
                windows = [*(window for window in windows if window not in met), whole]
                left -= cost
                break
    return windows


def _union(windows: Sequence[Window]) -> Window:
    return Window(windows[0].key, min(each.first for each in windows), max(each.last for each in windows))


def _stretch(window: Window, held: Held) -> list[NeighbourChunk]:
    ordinals = range(window.first, window.last + 1)
    return [held[window.key, ordinal] for ordinal in ordinals if (window.key, ordinal) in held]


def _tokens(window: Window, passage: Passage, held: Held) -> int:
    """Of a prompt, to show it as a passage of the document that ``passage`` is of."""
    return sum(chunk.tokens for chunk in _stretch(window, held)) + tokens_around(passage)


def _in_place(passages: Sequence[Passage], windows: Sequence[Window], held: Held) -> Iterator[Passage]:
    left = set(windows)
    for passage in passages:
        window = next((window for window in windows if window.holds(passage)), None)
        if window is None:
            yield passage
        elif window in left:
            left.remove(window)
            yield _joined(passage, _stretch(window, held))


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
