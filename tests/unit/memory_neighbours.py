"""What a test's index holds around a passage."""

from collections.abc import Sequence
from dataclasses import dataclass

from ask.neighbours import NeighbourChunk, Window
from bucketwise.deadline import Deadline


@dataclass
class MemoryNeighbourhood:
    held: Sequence[NeighbourChunk] = ()

    def chunks(self, windows: Sequence[Window], *, deadline: Deadline) -> list[NeighbourChunk]:
        deadline.allow(1)
        return [
            chunk
            for window in windows
            for chunk in self.held
            if chunk.key == window.key and window.first <= chunk.ordinal <= window.last
        ]
