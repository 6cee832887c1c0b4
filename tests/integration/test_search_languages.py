"""In a tenant of several languages, a word counts as rare only if it is rare in all of them."""

import math
from collections.abc import Iterator
from uuid import uuid4

import pytest

from ask.searching import DatabaseSearcher
from bucketwise.keyword_terms import language_term
from bucketwise.search import SearchQuery
from bucketwise.stop_words import STOP_WORDS
from ingest.postings import Postings
from tests.integration.corpus import Corpus, corpus_of, keys, places
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON

ENGLISH = 8
BOTH_WAYS = pytest.mark.parametrize("exact_below", [10_000, 0], ids=["one by one", "postings"])


def language_of(text: str) -> str:
    """As each text of these tests says."""
    return text.split(":")[0]


@pytest.fixture
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """Eight documents in English, one of them about a gate, and one that was taken for Spanish."""
    with corpus_of(shared_index, uuid4().hex, detect=language_of) as corpus:
        corpus.add("gate.md", "en: The gate is opened by a controller.", title=None)
        for number in range(1, ENGLISH):
            corpus.add(
                f"{number}.md", f"en: The lighthouse has {number} lamps, and this is what they are for.", title=None
            )
        corpus.add("stray.md", "es: This is what the others are for, and how they do it.", title=None)
        yield corpus


def score(corpus: Corpus, question: str, key: str) -> float | None:
    return next((one.keyword_score for one in corpus.ask(question).passages if one.key == key), None)


@BOTH_WAYS
def test_a_document_in_another_language_is_not_found_by_the_questions_stop_words(
    corpus: Corpus, exact_below: int
) -> None:
    found = corpus.ask("What is the controller for, and how are they doing?", exact_below=exact_below)
    assert places(found)[0] == ("gate.md", 0)
    coverage = {one.key: one.coverage for one in found.passages}
    assert coverage["gate.md"] > coverage["stray.md"]


def test_a_word_that_is_common_in_one_language_is_not_rare_in_another(corpus: Corpus) -> None:
    for number in range(5):
        corpus.add(f"bundestag/{number}.md", "de: Der Bundestag tagt.", title=None)
    corpus.add("one.md", "en: A visit to the Bundestag.", title=None)
    corpus.add("two.md", "en: A visit to the harbour.", title=None)
    assert (score(corpus, "Bundestag", "one.md") or 0) < (score(corpus, "harbour", "two.md") or 0)


def test_a_stop_word_counts_as_in_every_chunk_of_its_language_that_is_there(corpus: Corpus) -> None:
    def worth(chunks: int) -> float:
        return math.log(1 + 0.5 / (chunks + 0.5))

    def told() -> float:
        """What the word is worth, from two scores: they differ by length alone, which is the same at both times."""
        return (score(corpus, "the", "stray.md") or 0) / (score(corpus, "zeppelin", "stray.md") or 0)

    corpus.add("stray.md", "es: the zeppelin", title=None)
    rare = math.log(1 + (ENGLISH + 0.5) / 1.5)
    assert told() == pytest.approx(worth(ENGLISH + 1) / rare)
    corpus.remove("1.md")
    corpus.add("2.md", "en: The lighthouse again.", title=None)
    less = math.log(1 + (ENGLISH - 1 + 0.5) / 1.5)
    assert told() == pytest.approx(worth(ENGLISH) / less)
    assert Postings(corpus.index.database, corpus.index.tenant).fold_all(deadline=SOON)
    assert told() == pytest.approx(worth(ENGLISH) / less)


@BOTH_WAYS
def test_a_question_analysed_in_the_tenants_languages_alone_finds_the_same(corpus: Corpus, exact_below: int) -> None:
    corpus.add("tor.md", "de: Die Tore der Controller", title=None)
    corpus.add("manual.md", "zh: 安装 Zeppelin 的方法 controller-12", title=None)
    for question in (
        "What is the controller for?",
        "Wozu sind Tore?",
        "zeppelin 方法",
        "controller-12 for 8 lamps",
        "the",
    ):
        everywhere = corpus.ask(question, exact_below=exact_below)
        assert everywhere.languages == {"en", "es", "de", "zh"}
        assert corpus.ask(question, languages=everywhere.languages, exact_below=exact_below) == everywhere


def test_a_language_that_has_come_since_the_last_search_is_met_with_its_stems(corpus: Corpus) -> None:
    searcher = DatabaseSearcher(corpus.asked)
    query = SearchQuery(corpus.index.tenant, "Wozu dient das Tor?", None, {}, limit=10, depth=50, keyword_weight=0.6)
    assert keys(searcher.search(query, deadline=SOON)) == set()
    corpus.add("tor.md", "de: Die Tore sind offen.", title=None)
    assert keys(searcher.search(query, deadline=SOON)) == {"tor.md"}
    assert searcher.languages == {corpus.index.tenant: {"en", "es", "de"}}


@BOTH_WAYS
def test_words_in_a_document_whose_language_has_no_stemmer_are_found(corpus: Corpus, exact_below: int) -> None:
    corpus.add("manual.md", "zh: 安装 Zeppelin 的方法", title=None)
    found = corpus.ask("zeppelin", exact_below=exact_below)
    assert keys(found) == {"manual.md"}
    assert found.passages[0].coverage == pytest.approx(1)


def test_the_database_knows_each_languages_term(corpus: Corpus) -> None:
    with connected(corpus.database.owner) as owner:
        for language in STOP_WORDS:
            [term] = owner.execute("SELECT bucketwise.language_term(%s)", (language,)).fetchone() or ()
            assert term == language_term(language)
