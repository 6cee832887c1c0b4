"""The kinds of vectors that an index goes over between, in memory."""

from dataclasses import dataclass, field

from bucketwise.deadline import Deadline
from bucketwise.index_kind import IndexKind

EMBEDDING_MODEL = "text-embedding-3-small"


@dataclass
class MemoryKinds:
    """The live kind as it was read last, which may not be the live kind any more."""

    live: IndexKind = field(default_factory=lambda: IndexKind(EMBEDDING_MODEL, 2))
    known: IndexKind | None = None

    def get(self, *, deadline: Deadline) -> IndexKind:
        deadline.allow(1)
        self.known = self.known or self.live
        return self.known

    def forget(self) -> None:
        self.known = None
