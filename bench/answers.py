"""``python -m bench.answers DIR [--questions N] [--contracts N]``: are questions answered from the right place?

DIR holds contracts as bench.contracts says, or quarterly reports: ``data/v1/docs/*.pdf`` and ``questions.jsonl`` with
``text`` and ``gold_docs`` (names of reports). The documents go through the ingest pipeline and the questions through
the whole ask pipeline, once for each relevance floor: the one that is set, the same for documents of any fit, none, and
stricter ones. Prints one JSON line; progress goes to stderr.

cited_gold             share of the answerable questions of which a citation overlaps a span that answers, or names a
                       report that does
refused_answerable     share of the answerable questions that get no answer
answered_unanswerable  share of the questions about a contract without such a clause that get one
citations, verified    how many there are, and the share whose quote stands in the index where the citation says
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from ask.citations import Citation
from ask.floor import RelevanceFloor
from ask.pipeline import Answer, AskPipeline
from ask.retrieval import Query
from bench.contracts import Contracts, Question
from bench.machine import Machine, machine
from bench.reports import Reports
from bench.retrieval import STEP_SECONDS, ingest
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.search import Passage

NO_FLOOR = RelevanceFloor(-1.0, 0.0)
STRICTER = (RelevanceFloor(0.5, 0.6), RelevanceFloor(0.6, 0.6), RelevanceFloor(0.6, 0.8), RelevanceFloor(0.6, 1.0))
SHORT = 24  # letters of a quote
AROUND = 40  # characters that a short quote is looked for with

T = TypeVar("T")
Answers = Callable[[Citation], bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is indexed, and what is asked of it. ``answerable``: questions, and what tells that a citation answers."""

    name: str
    bucket: object
    keys: Sequence[str]
    answerable: Sequence[tuple[str, Answers]]
    unanswerable: Sequence[str]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.answers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=400, help="at most so many of each kind, by chance")
    parser.add_argument("--contracts", type=int, help="only the first so many")
    options = parser.parse_args()
    given = subject_of(options.folder, options.contracts)
    with machine() as system:
        print(json.dumps(measure(system, given, options.questions)))
    return 0


def subject_of(folder: Path, most_contracts: int | None = None) -> Subject:
    if (folder / "pdf").exists():
        contracts = Contracts.read(folder, most_contracts)
        asked = [(question.text, in_clause(contracts, question)) for question in contracts.answerable]
        unanswerable = [question.text for question in contracts.unanswerable]
        return Subject(folder.name, contracts, list(contracts.contracts), asked, unanswerable)
    reports = Reports.read(folder)
    asked = [(text, of_one_of(keys)) for text, keys in reports.questions]
    return Subject(folder.name, reports, list(reports.files), asked, [])


def in_clause(contracts: Contracts, question: Question) -> Answers:
    """Whether a quote holds letters that answer. A short one is looked for with what stands around it."""
    contract = contracts.contracts[question.contract]

    def answers(cited: Citation) -> bool:
        if cited.passage.key != contract.key:
            return False
        stretch = cited.quote if sum(map(str.isalnum, cited.quote)) >= SHORT else _widened(cited)
        return not question.wanted.isdisjoint(contract.edition.covered_by(stretch))

    return answers


def of_one_of(keys: Sequence[str]) -> Answers:
    return lambda cited: cited.passage.key in keys


def measure(system: Machine, given: Subject, most: int) -> dict[str, object]:
    ingest(system, given.bucket, given.keys)
    texts = _texts(system)
    pipeline = system.ask_pipeline()
    answerable, unanswerable = _some(given.answerable, most), _some(given.unanswerable, most)

    def at(floor: RelevanceFloor) -> dict[str, float]:
        asked = replace(pipeline, floor=floor)
        print(f"floor {floor.min_cosine} / {floor.min_coverage} / {floor.min_fit}", file=sys.stderr, flush=True)
        answers = [(_ask(asked, text), answers) for text, answers in answerable]
        others = [_ask(asked, text) for text in unanswerable]
        return {
            "min_cosine": floor.min_cosine,
            "min_coverage": floor.min_coverage,
            "min_document_fit": floor.min_fit,
            **figures(answers, others, lambda cited: stands(cited, texts)),
        }

    return {
        "name": given.name,
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        **at(pipeline.floor),
        "any_document": at(replace(pipeline.floor, min_fit=0.0)),
        "no_floor": at(NO_FLOOR),
        "curve": [at(replace(floor, min_fit=pipeline.floor.min_fit)) for floor in STRICTER],
    }


def figures(
    answerable: Sequence[tuple[Answer, Answers]], unanswerable: Sequence[Answer], stands: Answers
) -> dict[str, float]:
    """``stands`` tells whether a citation's quote is where it says."""
    cited = [citation for answer, _ in answerable for citation in answer.draft.citations]
    cited += [citation for answer in unanswerable for citation in answer.draft.citations]
    measured: dict[str, float] = {
        "cited_gold": round(fmean(any(map(is_gold, each.draft.citations)) for each, is_gold in answerable), 4),
        "refused_answerable": round(fmean(each.draft.text is None for each, _ in answerable), 4),
        "citations": len(cited),
        "verified": round(fmean(map(stands, cited)), 4) if cited else 1.0,
    }
    if unanswerable:
        measured["answered_unanswerable"] = round(fmean(each.draft.text is not None for each in unanswerable), 4)
    return measured


def stands(cited: Citation, texts: Mapping[str, str]) -> bool:
    """Whether the quote is what the index holds at its offsets, but for white space between chunks."""
    return texts[cited.passage.key][cited.start : cited.end].split() == cited.quote.split()


def document_texts(chunks: Sequence[tuple[str, int, str]]) -> dict[str, str]:
    """Documents by key, of their chunks (key, offset, text). What stands between chunks is white space."""
    texts = defaultdict[str, list[str]](list)
    for key, start, text in chunks:
        held = texts[key]
        held.extend(" " * (start + len(text) - len(held)))
        held[start : start + len(text)] = text
    return {key: "".join(held) for key, held in texts.items()}


def _texts(system: Machine) -> dict[str, str]:
    with closing(Database(lambda deadline: connect(system.ingest, deadline))) as database:
        rows = database.run(
            lambda connection: connection.execute(
                "SELECT key, start_offset, text FROM bucketwise.chunks WHERE tenant = %s", (system.ingest.tenant,)
            ).fetchall(),
            deadline=Deadline.after(STEP_SECONDS),
        )
    return document_texts(rows)


def _widened(cited: Citation) -> str:
    passage: Passage = cited.passage
    start, end = cited.start - passage.start, cited.end - passage.start
    return passage.text[max(0, start - AROUND) : end + AROUND]


def _ask(pipeline: AskPipeline, question: str) -> Answer:
    return pipeline.answer(Query(question), deadline=Deadline.after(STEP_SECONDS))


def _some(items: Sequence[T], most: int) -> list[T]:
    chosen = sorted(random.Random(0).sample(range(len(items)), min(most, len(items))))
    return [items[number] for number in chosen]


if __name__ == "__main__":
    raise SystemExit(main())
