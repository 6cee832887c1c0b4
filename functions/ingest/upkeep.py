"""What a tenant's tables need from time to time, whatever a comparison finds."""

from dataclasses import dataclass
from typing import Protocol

from bucketwise.deadline import Deadline


class Postings(Protocol):
    def fold_sums(self, *, deadline: Deadline) -> None: ...
    def fold_all(self, *, deadline: Deadline) -> bool: ...


class Collection(Protocol):
    def collect_released(self, *, deadline: Deadline) -> int: ...
    def sweep(self, *, deadline: Deadline) -> int: ...


class CachedAnswers(Protocol):
    def collect(self, *, deadline: Deadline) -> int: ...


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One tenant's. Both methods raise what Database.run raises, and give how many vectors they deleted."""

    postings: Postings
    collection: Collection
    cached_answers: CachedAnswers

    def before_comparing(self, *, deadline: Deadline) -> int:
        self.postings.fold_sums(deadline=deadline)
        self.cached_answers.collect(deadline=deadline)
        return self.collection.collect_released(deadline=deadline)

    def after_a_pass(self, *, deadline: Deadline) -> int:
        collected = self.collection.sweep(deadline=deadline)
        self.postings.fold_all(deadline=deadline)
        return collected
