"""What a search finds above a floor: the best of what it finds without one that are above it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from pgvector.psycopg import register_vector

from ask.floor import RelevanceFloor
from bucketwise.search import Floor, Passage, SearchQuery, keyword_leg, search
from tests.integration.corpus import QUESTION, Corpus, corpus_of
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON

WORDS = ["gate", "opens", "seven", "night", "leave", "train", "harbour", "winter"]
DOCUMENTS, CHUNKS = 12, 3
ASKED = "Which gate opens at seven?"
CANDIDATES = 30
SCANS_OF_DOCUMENTS = """
    SELECT sum(pg_stat_get_xact_numscans(indexrelid))::int FROM pg_index
    WHERE indrelid = 'bucketwise.documents'::regclass"""


@pytest.fixture(scope="module")
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """Each passage has other words, three of them at most; and documents are in two languages."""
    with corpus_of(shared_index, "floors", detect=lambda text: "de" if "winter" in text else "en") as made:
        for document in range(DOCUMENTS):
            numbers = range(document * CHUNKS, (document + 1) * CHUNKS)
            texts = [f"{number}: {' '.join({WORDS[number * step % 8] for step in (1, 3, 5)})}" for number in numbers]
            made.add(f"{document}.md", *texts)
        yield made


def found(corpus: Corpus, query: SearchQuery, *, ahead: bool = False) -> list[Passage]:
    leg = corpus.asked.run(lambda connection: keyword_leg(connection, query), deadline=SOON) if ahead else None
    return corpus.asked.run(lambda connection: search(connection, query, leg), deadline=SOON).passages


def passes(floor: Floor, passage: Passage) -> bool:
    return RelevanceFloor(floor.min_cosine, floor.min_coverage).passes(passage)


@pytest.mark.parametrize("vector", [None, QUESTION], ids=["words alone", "words and meaning"])
@pytest.mark.parametrize("exact_below", [0, 10_000])
@pytest.mark.parametrize("question", [ASKED, "winter train", "", "nothing of all this"])
def test_those_are_found_that_would_be_chosen(
    corpus: Corpus, question: str, exact_below: int, vector: list[float] | None
) -> None:
    query = replace(corpus.query(question), exact_below=exact_below, vector=vector)
    candidates = found(corpus, replace(query, limit=CANDIDATES))
    chosen_late = 0
    for limit, cosine, coverage in product((1, 4, 10), (-1.0, 0.0, 0.3, 1.0), (0.0, 0.3, 0.6, 1.0)):
        floor = Floor(CANDIDATES, cosine, coverage)
        wanted = [each for each in candidates if passes(floor, each)][:limit]
        asked = replace(query, limit=limit, floor=floor)
        assert found(corpus, asked) == wanted, floor
        assert found(corpus, asked, ahead=True) == wanted, floor
        chosen_late += any(each not in candidates[:limit] for each in wanted)
    assert chosen_late or question != ASKED


def lookups(corpus: Corpus, query: SearchQuery) -> int:
    """Of documents, in one search."""
    with connected(corpus.database.owner) as owner, owner.transaction():
        register_vector(owner)
        search(owner, query)
        [count] = owner.execute(SCANS_OF_DOCUMENTS).fetchone() or [0]
    return count


def test_others_are_looked_up_only_if_one_of_the_first_is_not_relevant(corpus: Corpus) -> None:
    query = replace(corpus.query(ASKED), vector=QUESTION, limit=2)
    assert lookups(corpus, replace(query, floor=Floor(CANDIDATES, -1.0, 0.0))) == 2
    assert lookups(corpus, replace(query, floor=Floor(CANDIDATES, 1.0, 1.1))) == CANDIDATES


def test_none_is_found_beyond_the_candidates(corpus: Corpus) -> None:
    query = replace(corpus.query(ASKED), vector=QUESTION)
    best = found(corpus, replace(query, limit=CANDIDATES))
    low = [each.cosine for each in best[:5] if each.cosine is not None]
    floor = Floor(5, max(low) + 0.001, 1.1)
    assert any(passes(floor, each) for each in best[5:])
    assert found(corpus, replace(query, limit=2, floor=floor)) == []
    assert found(corpus, replace(query, limit=2, floor=replace(floor, candidates=CANDIDATES))) != []


def test_what_has_no_cosine_is_close_to_nothing(shared_index: IndexDatabase) -> None:
    """No such vector is taken from a model, but it may have been stored before that was looked at so closely."""
    with corpus_of(shared_index, "zeros") as zeros:
        zeros.add("zeros.md", "Of nothing.", like=[[0.0] * len(QUESTION)])
        zeros.add("gate.md", "Of a gate.", like=[QUESTION])
        query = replace(zeros.query("What of it?"), vector=QUESTION)
        assert {each.key for each in found(zeros, query)} == {"zeros.md", "gate.md"}
        above = found(zeros, replace(query, floor=Floor(CANDIDATES, -1.0, 1.1)))
        assert [each.key for each in above] == ["gate.md"]
