"""The keyword leg takes a question for a sentence, whatever characters it is written with, and joins the other leg."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from bucketwise.models import Place, PlaceMark
from bucketwise.search import SearchResult
from tests.integration.corpus import QUESTION, Corpus, corpus_of, keys, places
from tests.integration.index_database import IndexDatabase

AWAY = [-x for x in QUESTION]
NEAR = [x + 0.1 for x in QUESTION]


@pytest.fixture
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """Three documents of a tenant of its own."""
    with corpus_of(shared_index, uuid4().hex) as corpus:
        corpus.add(
            "leave.md", "Employees get twenty-five days of paid holiday a year.", like=[NEAR], heading=("Leave",)
        )
        corpus.add("gate.md", "The gate controller restarts after a power failure.", like=[AWAY])
        corpus.add("cafe.md", "O'Brien keeps C:\\temp\\menu.txt at the café; e-mail: o.brien@example.com.", like=[AWAY])
        yield corpus


def test_a_question_finds_its_document_without_all_of_its_words(corpus: Corpus) -> None:
    found = corpus.ask("How many days of holiday does a new employee get in Madrid?")
    assert places(found) == [("leave.md", 0)]
    assert found.passages[0].keyword_rank == 1
    assert 0 < found.passages[0].coverage < 1


def test_words_are_compared_by_their_stems_and_without_case(corpus: Corpus) -> None:
    assert keys(corpus.ask("RESTARTING the Controllers")) == {"gate.md"}


@pytest.mark.parametrize("question", ["annual report", "Harbours", "chapter tides"])
def test_headings_title_and_key_are_searched_with_a_passage(corpus: Corpus, question: str) -> None:
    corpus.add("2024/Annual_report-final.pdf", "Water.", title="Of harbours", heading=("Chapter 7", "Tides"))
    assert keys(corpus.ask(question)) == {"2024/Annual_report-final.pdf"}


@pytest.mark.parametrize("question", ["gate", "gate and gates", "the controller of the gate"])
def test_a_passage_with_all_of_the_questions_words_covers_it(corpus: Corpus, question: str) -> None:
    assert corpus.ask(question).passages[0].coverage == pytest.approx(1)


def test_coverage_counts_words_by_how_rare_they_are(corpus: Corpus) -> None:
    corpus.add("doors.md", "The gate and the turnstile.")
    corpus.add("more.md", "The gate again.")
    found = {one.key: one.coverage for one in corpus.ask("gate turnstile").passages}
    assert found["doors.md"] == pytest.approx(1)
    assert 0 < found["more.md"] == found["gate.md"] < 0.5
    missing = {one.key: one.coverage for one in corpus.ask("gate zeppelin").passages}
    assert 0 < missing["gate.md"] < found["gate.md"]


def test_without_a_vector_the_keyword_leg_searches_alone(corpus: Corpus) -> None:
    corpus.add("gates.md", "Gate, gate and gate again: the gates of the gate house.")
    found = corpus.ask("gate")
    assert places(found) == [("gates.md", 0), ("gate.md", 0)]
    assert [(one.vector_rank, one.cosine, one.keyword_rank) for one in found.passages] == [
        (None, None, 1),
        (None, None, 2),
    ]


@pytest.mark.parametrize("question", ["", " ", "the of and is", "?!... --", "'", '"', "\\", "()", "🚂🚂", "\t\n\r\x01"])
def test_a_question_without_a_word_is_left_to_the_vector_leg(corpus: Corpus, question: str) -> None:
    assert corpus.ask(question) == SearchResult(3, [], languages=frozenset({"en"}))
    found = corpus.ask(question, QUESTION)
    assert found.passages[0].key == "leave.md"
    assert [(one.keyword_rank, one.keyword_score, one.coverage) for one in found.passages] == [(None, None, 0.0)] * 3


@pytest.mark.parametrize(
    "question",
    [
        "gate'", "'gate", "gate\\", "\\'gate", "gate & !gate", "!gate", "gate:*", "gate | | (", ":gate <-> <3>",
        "gate'); --", "%s gate %(x)s {}", '"gate', "$$gate$$", "<b>gate</b>", "gate 🚂 ﷽",
    ],
)  # fmt: skip
def test_signs_of_a_query_language_are_no_more_than_signs(corpus: Corpus, question: str) -> None:
    assert corpus.ask(question).passages[0].key == "gate.md"


@pytest.mark.parametrize("question", ["O'Brien", "o.brien@example.com", "C:\\temp\\menu.txt", "café", "e-mail"])
def test_names_addresses_and_paths_are_found_as_they_are_written(corpus: Corpus, question: str) -> None:
    assert keys(corpus.ask(question)) == {"cafe.md"}


def test_a_question_of_many_thousand_words_is_answered(corpus: Corpus) -> None:
    question = " ".join(f"word{n}" for n in range(5000)) + " gate"
    assert keys(corpus.ask(question)) == {"gate.md"}


def test_what_both_legs_find_comes_first_and_scores_lie_between_0_and_1(corpus: Corpus) -> None:
    found = corpus.ask("days of paid holiday at the gate", QUESTION)
    assert places(found)[0] == ("leave.md", 0)
    assert found.passages[0].score == pytest.approx(1, abs=0.25)
    assert all(0 <= one.score <= 1 for one in found.passages)
    assert [one.score for one in found.passages] == sorted((one.score for one in found.passages), reverse=True)


@pytest.mark.parametrize(("weight", "first"), [(1.0, "gate.md"), (0.0, "leave.md")])
def test_the_weight_says_which_leg_decides(corpus: Corpus, weight: float, first: str) -> None:
    assert corpus.ask("gate controller", QUESTION, keyword_weight=weight).passages[0].key == first


@pytest.mark.parametrize(("normalisation", "worst"), [("max", None), ("min_max", 0.0)])
def test_keyword_scores_are_scaled_as_it_is_set(corpus: Corpus, normalisation: str, worst: float | None) -> None:
    corpus.add("gates.md", "Gate, gate and gate again: the gates of the gate house.")
    corpus.add("long.md", "The gate, " + "among many other words " * 20)
    found = corpus.ask("gate", keyword_weight=1.0, keyword_normalisation=normalisation).passages
    scores = [one.keyword_score or 0.0 for one in found]
    low = scores[-1] if worst is not None else 0.0
    assert len(set(scores)) == 3
    assert [one.score for one in found] == pytest.approx([(score - low) / (scores[0] - low) for score in scores])


def test_a_leg_that_found_one_passage_gives_it_all_its_weight(corpus: Corpus) -> None:
    found = corpus.ask("controller", keyword_weight=0.7, keyword_normalisation="min_max").passages
    [only] = found
    assert only.key == "gate.md"
    assert only.score == pytest.approx(0.7)


def test_a_deleted_or_failed_document_is_found_by_neither_leg(corpus: Corpus) -> None:
    corpus.remove("leave.md")
    corpus.fail("gate.md")
    found = corpus.ask("holiday at the gate", QUESTION)
    assert keys(found) == {"cafe.md"}
    assert found.corpus_version == 5


def test_a_replaced_document_is_found_by_its_new_text_alone(corpus: Corpus) -> None:
    corpus.add("gate.md", "The turnstile opens.")
    assert keys(corpus.ask("controller restarts")) == set()
    assert keys(corpus.ask("turnstile")) == {"gate.md"}


def test_the_same_text_in_two_documents_is_found_in_both(corpus: Corpus) -> None:
    corpus.add("copy.md", "The gate controller restarts after a power failure.", like=[AWAY])
    assert sorted(places(corpus.ask("controller", QUESTION, limit=2))) == [("copy.md", 0), ("gate.md", 0)]


def test_a_passage_brings_its_text_its_place_and_its_documents_facts(corpus: Corpus) -> None:
    text = "O'Brien's \\N\ttab \"quoted\" 🚂 zeppelin"
    corpus.add("odd 'key'\\.md", "first", text, heading=("Ships", "Air"), metadata={"k'": "v\\"}, content_type="text/x")
    (passage,) = corpus.ask("zeppelin").passages
    assert (passage.key, passage.ordinal, passage.text, passage.start, passage.tokens) == (
        "odd 'key'\\.md",
        1,
        text,
        5,
        3,
    )
    assert passage.marks == (PlaceMark(5, Place(heading=("Ships", "Air"))),)
    assert (passage.version, passage.title, passage.content_type) == ("v1", "Title", "text/x")
    assert passage.metadata == {"k'": "v\\"}
    assert passage.last_modified is not None
