"""What is searched for while the question's embedding is waited for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import pytest

from ask.retrieval import Embedded, Query
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import DatabaseUnavailable, ModelUnavailable
from bucketwise.search import KeywordLeg, SearchQuery
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedEmbedder, passage, retrieval_stage
from tests.unit.memory_searcher import MemorySearcher

FOUND = passage("Leave is 25 days.")
SECONDS = 5.0


@dataclass
class TellingSearcher(MemorySearcher):
    """Tells when it is asked ahead."""

    was_asked: Event = field(default_factory=Event)

    def ahead(self, query: SearchQuery, *, deadline: Deadline) -> KeywordLeg:
        self.was_asked.set()
        return super().ahead(query, deadline=deadline)


@dataclass
class PatientEmbedder(FixedEmbedder):
    """Answers only once the searcher was asked."""

    awaited: Event = field(default_factory=Event)

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        assert self.awaited.wait(SECONDS)
        return super().embed(texts, deadline=deadline, tries=tries)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("ask")


def test_keywords_are_searched_before_the_embedding_is_there(telemetry: Telemetry) -> None:
    searcher = TellingSearcher([FOUND])
    stage = retrieval_stage(searcher, PatientEmbedder(awaited=searcher.was_asked), telemetry=telemetry)
    found = stage.retrieve(Query("And part time?", context="Leave?"), deadline=Deadline.after(SECONDS))
    assert (found.passages, found.degraded) == ([FOUND], False)
    [before], [leg], [after] = searcher.asked_ahead, searcher.given, searcher.asked
    assert leg is not None
    assert leg.query is before
    assert (before.text, before.vector, before.kind) == ("Leave?\nAnd part time?", None, None)
    assert (after.text, after.vector) == (before.text, [1.0, 0.0])


def test_what_keywords_found_is_taken_when_there_is_no_embedding(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    stage = retrieval_stage(searcher, FixedEmbedder(ModelUnavailable("x")), telemetry=telemetry)
    assert stage.retrieve(Query("Leave?"), deadline=Deadline.after(SECONDS)).degraded
    assert [leg is None for leg in searcher.given] == [False]


def test_with_filters_or_a_known_vector_there_is_one_search_and_no_other(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND])
    stage = retrieval_stage(searcher, telemetry=telemetry)
    known = Embedded(searcher.kinds.live, [0.0, 1.0])
    for query in (Query("Leave?", filters={"prefix": "hr/"}), Query("Leave?", embedded=known)):
        stage.retrieve(query, deadline=Deadline.after(SECONDS))
    assert (searcher.asked_ahead, searcher.given) == ([], [None, None])


def test_a_database_that_is_gone_meanwhile_is_told(telemetry: Telemetry) -> None:
    searcher = MemorySearcher([FOUND], failure=DatabaseUnavailable("gone"))
    with pytest.raises(DatabaseUnavailable):
        retrieval_stage(searcher, telemetry=telemetry).retrieve(Query("Leave?"), deadline=Deadline.after(SECONDS))
    assert searcher.given == []  # one more try would only keep the caller waiting
