"""The benchmark of answers, as a command, on two short contracts and on a few reports; and what its figures say."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ask.citations import Citation
from ask.pipeline import Answer
from ask.retrieval import Query
from bench.answers import document_texts, figures, in_clause, stands, subject_of
from bench.contracts import Contracts
from bucketwise.deadline import Deadline
from bucketwise.telemetry import Telemetry
from examples.make_pdf import pdf_bytes
from local import ROOT
from tests.integration.contract_folder import CLAUSES, write_contracts
from tests.unit.fakes import FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_searcher import MemorySearcher

REPORTS = {
    "2022 Q3 OAK": "In the third quarter of 2022 Oak Lines sold tickets for 82 million crowns.",
    "2022 Q4 OAK": "In the fourth quarter of 2022 Oak Lines sold tickets for 91 million crowns.",
}


def run(folder: Path, *options: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.answers", str(folder), *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MIN_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured: dict[str, object] = json.loads(line)
    return measured


def test_it_prints_what_is_cited_and_what_is_refused_in_contracts(tmp_path: Path) -> None:
    write_contracts(tmp_path)
    measured = run(tmp_path)
    assert (measured["answerable"], measured["unanswerable"], measured["verified"]) == (10, 2, 1.0)
    assert isinstance(measured["curve"], list)
    assert len(measured["curve"]) == 4
    # Three of five answers about each contract stand in its PDF.
    assert measured["cited_gold"] == 0.6
    assert measured["no_floor"] == {
        "min_cosine": -1.0,
        "min_coverage": 0.0,
        "min_document_fit": 0.0,
        **{name: measured[name] for name in ("cited_gold", "refused_answerable", "answered_unanswerable")},
        "citations": measured["citations"],
        "verified": 1.0,
    }


def test_it_prints_which_reports_are_cited(tmp_path: Path) -> None:
    docs = tmp_path / "data" / "v1" / "docs"
    docs.mkdir(parents=True)
    for name, text in REPORTS.items():
        (docs / f"{name}.pdf").write_bytes(pdf_bytes(f"# {name}\n\n{text}\n", name))
    rows = [
        {"text": "For how much did Oak Lines sell tickets in the third quarter of 2022?", "gold_docs": ["2022 Q3 OAK"]},
        {"text": "For how much did Oak Lines sell tickets in the fourth quarter of 2022?", "gold_docs": ["none"]},
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    measured = run(tmp_path)
    assert (measured["answerable"], measured["unanswerable"]) == (2, 0)
    assert (measured["cited_gold"], measured["refused_answerable"], measured["verified"]) == (0.5, 0.0, 1.0)
    assert "answered_unanswerable" not in measured


@pytest.fixture(scope="module")
def answer() -> Answer:
    generator = FixedGenerator(said("25 days [1].", (1, "25 days")))
    pipeline = ask_pipeline(MemorySearcher([passage("Leave is 25 days.")]), generator, telemetry=Telemetry("ask"))
    return pipeline.answer(Query("How much?"), deadline=Deadline.after(5))


def test_each_figure_is_a_share(answer: Answer) -> None:
    refused = replace(answer, draft=replace(answer.draft, text=None, citations=[]))
    asked = [(answer, lambda _: True), (answer, lambda _: False), (refused, lambda _: True)]
    assert figures(asked, [answer, refused, refused, refused], lambda _: False) == {
        "cited_gold": 0.3333,
        "refused_answerable": 0.3333,
        "citations": 3,
        "verified": 0.0,
        "answered_unanswerable": 0.25,
    }


def test_a_quote_stands_where_the_index_has_it(answer: Answer) -> None:
    [cited] = answer.draft.citations
    texts = document_texts([("handbook.md", 9, "25 days."), ("handbook.md", 0, "Leave is")])
    assert texts == {"handbook.md": "Leave is 25 days."}
    assert stands(cited, texts)
    assert not stands(replace(cited, start=cited.start - 3), texts)
    assert not stands(replace(cited, quote="26 days"), texts)


def test_a_quote_answers_if_it_overlaps_a_span_of_its_contract(tmp_path: Path) -> None:
    write_contracts(tmp_path)
    contracts = Contracts.read(tmp_path)
    question = next(each for each in contracts.answerable if "end" in each.text)
    answers = in_clause(contracts, question)

    def cited(text: str, quote: str, key: str = question.contract) -> Citation:
        found = passage(text, key=key)
        at = text.index(quote)
        return Citation(1, found, quote, at, at + len(quote))

    term, audit = CLAUSES["Term"], CLAUSES["Audit"]
    assert answers(cited(term, "This agreement ends on December 21, 2031"))
    assert answers(cited(term, "2031"))
    assert not answers(cited(audit, "the buyer may audit the books of the supplier"))
    assert not answers(cited(term, "This agreement ends on December 21, 2031", key="another.pdf"))
    assert subject_of(tmp_path).answerable[0][0] == contracts.answerable[0].text
