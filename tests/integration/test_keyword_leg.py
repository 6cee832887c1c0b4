"""The keyword leg, asked before the question's vector is known, and what a search makes of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ask.searching import DatabaseSearcher
from bucketwise.keyword_terms import question_terms
from bucketwise.search import KeywordLeg, SearchQuery, SearchResult, keyword_leg, search
from tests.integration.corpus import QUESTION, Corpus, corpus_of, keys
from tests.integration.index_database import IndexDatabase
from tests.unit.ingest_fakes import SOON

TEXTS = {
    "gate.md": ("The gate opens at seven.", "At night the gate is closed."),
    "leave.md": ("Everybody has 25 days of leave.", "Leave at the gate is asked for a week before."),
    "train.md": ("Trains leave at eight.",),
}


@pytest.fixture
def corpus(index_database: IndexDatabase) -> Iterator[Corpus]:
    with corpus_of(index_database, "one") as made:
        for key, texts in TEXTS.items():
            made.add(key, *texts)
        yield made


def leg_of(corpus: Corpus, query: SearchQuery) -> KeywordLeg:
    return corpus.asked.run(lambda connection: keyword_leg(connection, query), deadline=SOON)


def found_with(corpus: Corpus, query: SearchQuery, ahead: KeywordLeg | None) -> SearchResult:
    return corpus.asked.run(lambda connection: search(connection, query, ahead), deadline=SOON)


@pytest.mark.parametrize("exact_below", [0, 10_000])
@pytest.mark.parametrize("question", ["When does the gate open?", "leave", "nothing of all this", "the"])
def test_a_search_finds_the_same_with_it(corpus: Corpus, question: str, exact_below: int) -> None:
    query = replace(corpus.query(question), exact_below=exact_below)
    leg = leg_of(corpus, query)
    for vector in (None, QUESTION):
        asked = replace(query, vector=vector)
        assert found_with(corpus, asked, leg) == found_with(corpus, asked, None)


def test_it_is_not_asked_again_while_nothing_has_changed(corpus: Corpus) -> None:
    query = corpus.query("gate")
    of_trains = leg_of(corpus, corpus.query("trains"))
    assert keys(found_with(corpus, query, None)) == {"gate.md", "leave.md"}
    assert keys(found_with(corpus, query, of_trains)) == {"train.md"}


@pytest.mark.parametrize(
    "change",
    [
        lambda corpus: corpus.add("new.md", "The gate of the harbour opens at six."),
        lambda corpus: corpus.remove("gate.md"),
        lambda corpus: corpus.add("gate.md", "It was taken away."),
    ],
    ids=["a new document", "one that was deleted", "one that was edited"],
)
def test_what_was_found_before_a_change_is_not_taken(corpus: Corpus, change: Callable[[Corpus], None]) -> None:
    query = replace(corpus.query("When does the gate open?"), vector=QUESTION)
    before, ahead = found_with(corpus, query, None), leg_of(corpus, query)
    change(corpus)
    after = found_with(corpus, query, ahead)
    assert after == found_with(corpus, query, None)
    assert after.passages != before.passages


def test_what_was_found_for_another_tenant_is_not_taken(corpus: Corpus, index_database: IndexDatabase) -> None:
    with corpus_of(index_database, "two") as other:
        for _ in TEXTS:
            other.add("secret.md", "The gate's code is 1234.")
        query = corpus.query("gate")
        theirs = leg_of(other, other.query("gate"))
        assert found_with(other, other.query("gate"), None).corpus_version == corpus.ask("gate").corpus_version
        assert found_with(corpus, query, theirs) == found_with(corpus, query, None)


def test_a_language_that_has_come_since_is_met_with_its_stems(index_database: IndexDatabase) -> None:
    with corpus_of(index_database, "one", detect=lambda text: "de" if "sind" in text else "en") as corpus:
        corpus.add("gate.md", *TEXTS["gate.md"])
        searcher, query = DatabaseSearcher(corpus.asked), corpus.query("Wozu dient das Tor?")
        searcher.search(query, deadline=SOON)
        ahead = searcher.ahead(query, deadline=SOON)
        assert ahead.asked == question_terms(query.text, {"en"})
        corpus.add("tor.md", "Die Tore sind offen.", title=None)
        assert keys(searcher.search(query, ahead, deadline=SOON)) == {"tor.md"}
