"""A search in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ask.floor import RelevanceFloor
from bucketwise.deadline import Deadline
from bucketwise.errors import IndexChanged
from bucketwise.keyword_terms import question_terms
from bucketwise.search import HeldVersion, KeywordLeg, Passage, SearchQuery, SearchResult
from tests.unit.memory_kinds import MemoryKinds


@dataclass
class MemorySearcher:
    """Finds everything it holds; without a vector nothing has a cosine, as in the database."""

    passages: Sequence[Passage] = ()
    corpus_version: int = 7
    failure: Exception | None = None
    held: Mapping[str, HeldVersion] = field(default_factory=dict)
    asked: list[SearchQuery] = field(default_factory=list)
    asked_ahead: list[SearchQuery] = field(default_factory=list)
    given: list[KeywordLeg | None] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)
    kinds: MemoryKinds = field(default_factory=MemoryKinds)

    def ahead(self, query: SearchQuery, *, deadline: Deadline) -> KeywordLeg:
        deadline.allow(60)
        self.asked_ahead.append(query)
        if self.failure is not None:
            raise self.failure
        return KeywordLeg(query, question_terms(query.text), "found")

    def search(self, query: SearchQuery, ahead: KeywordLeg | None = None, *, deadline: Deadline) -> SearchResult:
        self.seconds_left.append(deadline.allow(60))
        self.given.append(ahead)
        if self.failure is not None:
            raise self.failure
        self.asked.append(query)
        if query.kind not in {None, self.kinds.live}:
            raise IndexChanged("vectors of another model went live")
        held = self.held.get(query.held_key) if query.held_key is not None else None
        return SearchResult(self.corpus_version, self._found(query), held)

    def _found(self, query: SearchQuery) -> list[Passage]:
        if query.floor is None:
            return list(self.passages)[: query.limit]
        floor = RelevanceFloor(query.floor.min_cosine, query.floor.min_coverage)
        return list(filter(floor.passes, self.passages[: query.floor.candidates]))[: query.limit]
