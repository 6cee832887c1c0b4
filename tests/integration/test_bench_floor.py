"""The benchmark of the relevance floor, as a command, on two short contracts and a corpus of a few lines."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ask.floor import RelevanceFloor
from bench.floor import Asked, best_of, point, subject_of
from bucketwise.search import Passage
from local import ROOT
from tests.integration.contract_folder import write_contracts

DOCUMENTS = {
    "bread": "Sourdough bread needs flour, water, salt and time.",
    "chess": "In chess a pawn that reaches the last rank is promoted to a queen.",
}
QUERIES = {"q1": ("What does sourdough need?", "bread"), "q2": ("When is a pawn promoted?", "chess")}


def write_corpus(folder: Path) -> Path:
    folder.mkdir()
    documents = [{"_id": name, "title": "", "text": text} for name, text in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    queries = [{"_id": query, "text": text} for query, (text, _) in QUERIES.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    grades = "".join(f"{query}\t{document}\t1\n" for query, (_, document) in QUERIES.items())
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + grades)
    return folder


def passage(key: str, *, cosine: float | None, coverage: float, text: str = "") -> Passage:
    return Passage(
        key=key,
        ordinal=0,
        text=text,
        tokens=1,
        start=0,
        marks=(),
        version=None,
        title=None,
        content_type=None,
        last_modified=datetime(2026, 1, 1, tzinfo=UTC),
        metadata={},
        score=1.0,
        vector_rank=1,
        cosine=cosine,
        keyword_rank=1,
        keyword_score=1.0,
        coverage=coverage,
    )


def asked(*candidates: tuple[float | None, float, bool]) -> Asked:
    found = [
        replace(passage("a", cosine=cosine, coverage=coverage), ordinal=ordinal)
        for ordinal, (cosine, coverage, _) in enumerate(candidates)
    ]
    return Asked("Who?", found, [gold for _, _, gold in candidates])


def test_it_prints_what_is_kept_and_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    write_contracts(tmp_path / "contracts")
    corpus = write_corpus(tmp_path / "corpus")
    done = subprocess.run(
        [sys.executable, "-m", "bench.floor", str(tmp_path / "contracts"), "--foreign", str(corpus)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MIN_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured = json.loads(line)
    assert [measured[kind] for kind in ("answerable", "no_clause", "foreign")] == [10, 2, 2]
    assert (measured["set"]["min_cosine"], measured["set"]["kept"]) == (0.4, 1.0)
    assert (measured["set"]["refused_foreign"], measured["set"]["refused_no_clause"]) == (1.0, 0.0)
    assert measured["set"]["kept_with_gold"] == 0.6  # two of five answers are not in the PDF
    assert measured["curve"][0]["kept"] == 1.0
    assert [each["min_document_fit"] for each in measured["fits"]] == [0.0, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert measured["set"] in measured["fits"]


def test_a_question_is_kept_if_anything_passes_and_with_gold_only_if_an_answer_does() -> None:
    kinds = {
        "answerable": [
            asked((0.5, 0, False), (0.3, 0, True)),
            asked((0.1, 0.6, True)),
            asked((None, 0, True)),
            asked(),
        ],
        "no_clause": [asked((0.5, 0, False)), asked((0.1, 0, False))],
        "foreign": [asked((0.1, 0.1, False))],
    }
    assert point(RelevanceFloor(0.4, 0.5), kinds, 8) == {
        "min_cosine": 0.4,
        "min_coverage": 0.5,
        "min_document_fit": 0.0,
        "kept": 0.5,
        "kept_with_gold": 0.25,
        "refused_no_clause": 0.5,
        "refused_foreign": 1.0,
    }
    assert point(RelevanceFloor(0.3, 0.7), kinds, 8)["kept_with_gold"] == 0.25
    assert point(RelevanceFloor(0.3, 0.7), kinds, 1)["kept_with_gold"] == 0.0
    assert "refused_foreign" not in point(RelevanceFloor(0.4, 0.5), kinds | {"foreign": []}, 8)


def test_the_curve_has_no_floor_that_another_one_beats() -> None:
    def figures(kept: float, refused: float) -> dict[str, float]:
        return {"kept": kept, "refused_foreign": refused}

    grid = [figures(*each) for each in ((1.0, 0.1), (0.9, 0.1), (0.9, 0.5), (0.8, 0.5), (0.2, 0.9), (0.9, 0.5))]
    assert best_of(grid) == [figures(1.0, 0.1), figures(0.9, 0.5), figures(0.2, 0.9)]
    same = [figures(1.0, 0.5) | {"min_cosine": cosine} for cosine in (0.2, 0.3)]
    assert best_of(same) == same[:1]
    without = [{"kept": 1.0, "refused_no_clause": 0.0}, {"kept": 1.0, "refused_no_clause": 0.3}]
    assert best_of(without) == without[1:]


@pytest.mark.parametrize(
    ("text", "answers"), [("What does sourdough need?", "0.md"), ("When is a pawn promoted?", "1.md")]
)
def test_of_a_corpus_the_graded_document_answers(tmp_path: Path, text: str, answers: str) -> None:
    given = subject_of(write_corpus(tmp_path / "corpus"), ["Who?"])
    assert (given.keys, given.foreign, given.no_clause) == (["0.md", "1.md"], ["Who?"], ())
    assert [given.answerable[text](passage(key, cosine=1, coverage=1)) for key in given.keys] == [
        key == answers for key in given.keys
    ]


def test_of_a_contract_only_a_passage_that_has_some_of_the_clause_answers(tmp_path: Path) -> None:
    write_contracts(tmp_path)
    given = subject_of(tmp_path, [])
    answers = given.answerable["In the SUPPLY AGREEMENT between Alder Timber Ltd: when does the agreement end?"]
    clause = "This agreement ends on December 21, 2031"
    assert answers(passage("Alder Timber.pdf", cosine=1, coverage=1, text=clause))
    assert not answers(passage("Birch Marine.pdf", cosine=1, coverage=1, text=clause))
    assert not answers(passage("Alder Timber.pdf", cosine=1, coverage=1, text="govern this agreement by its laws"))
