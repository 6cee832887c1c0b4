"""``python -m bench.floor DIR [--foreign DIR ...] [--questions N]``: what a relevance floor keeps, and what it refuses.

DIR is a corpus in BEIR's form, or contracts as bench.contracts says. Its documents go through the ingest pipeline and
the questions through ask's retrieval; then each floor of a grid chooses among the candidates, as ask does.
``--foreign`` names corpora in BEIR's form whose questions have no answer in DIR. Prints one JSON line; progress goes to
stderr.

kept                share of the answerable questions of which a passage passes
kept_with_gold      ... and one that answers is among the first TOP_K that pass
refused_no_clause   share of the questions about a contract without such a clause of which no passage passes
refused_foreign     share of the foreign questions of which none passes

``set`` is the floor of the settings, and ``fits`` have other values for how well a document must fit; ``grid`` takes
documents of any fit, and ``curve`` has those of it than which no other keeps more and refuses more.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean

from ask.floor import RelevanceFloor
from ask.pipeline import CANDIDATES
from ask.retrieval import Query, RetrievalStage
from bench.beir import read_corpus
from bench.contracts import Contracts, Question
from bench.machine import Machine, machine
from bench.memory_bucket import MemoryBucket
from bench.retrieval import STEP_SECONDS, ingest
from bucketwise.deadline import Deadline
from bucketwise.search import Passage

COSINES = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
COVERAGES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
FITS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7)

Answers = Callable[[Passage], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its candidates, best first, and which of them hold an answer."""

    question: str
    candidates: list[Passage]
    gold: list[bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is indexed, and what is asked of it. ``answerable``: questions, and what tells that a passage answers."""

    name: str
    bucket: object
    keys: Sequence[str]
    answerable: Mapping[str, Answers]
    no_clause: Sequence[str] = ()
    foreign: Sequence[str] = ()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.floor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--foreign", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--questions", type=int, default=300, help="at most so many of each kind, by chance")
    parser.add_argument("--contracts", type=int, help="only the first so many")
    options = parser.parse_args()
    foreign = [text for folder in options.foreign for text in read_corpus(folder).queries.values()]
    given = subject_of(options.folder, foreign, options.contracts)
    with machine() as system:
        print(json.dumps(measure(system, given, options.questions)))
    return 0


def subject_of(folder: Path, foreign: Sequence[str], most_contracts: int | None = None) -> Subject:
    if (folder / "pdf").exists():
        return _contracts(folder.name, Contracts.read(folder, most_contracts), foreign)
    corpus = read_corpus(folder)
    keys = {f"{number}.md": document for number, document in enumerate(corpus.documents)}

    def in_one_of(documents: Mapping[str, int]) -> Answers:
        return lambda passage: keys[passage.key] in documents

    return Subject(
        folder.name,
        MemoryBucket({key: corpus.documents[document] for key, document in keys.items()}),
        list(keys),
        {text: in_one_of(corpus.relevant[query]) for query, text in corpus.queries.items()},
        foreign=foreign,
    )


def _contracts(name: str, contracts: Contracts, foreign: Sequence[str]) -> Subject:
    def in_clause(question: Question) -> Answers:
        contract = contracts.contracts[question.contract]
        return lambda passage: (
            passage.key == contract.key and not question.wanted.isdisjoint(contract.edition.covered_by(passage.text))
        )

    return Subject(
        name,
        contracts,
        list(contracts.contracts),
        {question.text: in_clause(question) for question in contracts.answerable},
        [question.text for question in contracts.unanswerable],
        foreign,
    )


def measure(system: Machine, given: Subject, most: int) -> dict[str, object]:
    ingest(system, given.bucket, given.keys)
    pipeline = system.ask_pipeline()
    stage, floor = pipeline.retrieval, pipeline.floor
    kinds = {
        "answerable": [_ask(stage, text, given.answerable[text]) for text in _some(list(given.answerable), most)],
        "no_clause": [_ask(stage, text) for text in _some(given.no_clause, most)],
        "foreign": [_ask(stage, text) for text in _some(given.foreign, most)],
    }
    grid = [
        point(RelevanceFloor(cosine, coverage), kinds, system.ask.top_k)
        for cosine, coverage in product(COSINES, COVERAGES)
    ]
    return {
        "name": given.name,
        **{kind: len(asked) for kind, asked in kinds.items()},
        "candidates": CANDIDATES,
        "top_k": system.ask.top_k,
        "set": point(floor, kinds, system.ask.top_k),
        "fits": [point(replace(floor, min_fit=fit), kinds, system.ask.top_k) for fit in FITS],
        "curve": best_of(grid),
        "grid": grid,
    }


def point(floor: RelevanceFloor, kinds: Mapping[str, Sequence[Asked]], top_k: int) -> dict[str, float]:
    """Figures of one floor; those of a kind of question that was not asked are left out."""
    figures = {
        "min_cosine": floor.min_cosine,
        "min_coverage": floor.min_coverage,
        "min_document_fit": floor.min_fit,
    }
    if answerable := kinds["answerable"]:
        figures["kept"] = round(fmean(bool(_passing(floor, each)) for each in answerable), 4)
        figures["kept_with_gold"] = round(fmean(any(_passing(floor, each)[:top_k]) for each in answerable), 4)
    for kind in ("no_clause", "foreign"):
        if kinds[kind]:
            figures[f"refused_{kind}"] = round(fmean(not _passing(floor, each) for each in kinds[kind]), 4)
    return figures


def best_of(grid: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Those than which no other keeps or refuses more and does as well in the other; those that keep most first.

    Refused are foreign questions if there are any, else those without a clause.
    """
    refused = "refused_foreign" if "refused_foreign" in grid[0] else "refused_no_clause"
    points = {(each.get("kept", 0.0), each.get(refused, 0.0)): each for each in reversed(grid)}
    return [
        points[kept, gone]
        for kept, gone in sorted(points, reverse=True)
        if not any(other != (kept, gone) and other[0] >= kept and other[1] >= gone for other in points)
    ]


def _passing(floor: RelevanceFloor, asked: Asked) -> list[bool]:
    """Of each candidate that passes, whether it holds an answer."""
    passing = {passage.place for passage in floor.relevant(asked.question, asked.candidates)}
    return [gold for passage, gold in zip(asked.candidates, asked.gold, strict=True) if passage.place in passing]


def _ask(stage: RetrievalStage, text: str, answers: Answers = lambda _: False) -> Asked:
    query = Query(text, limit=CANDIDATES)
    candidates = stage.retrieve(query, deadline=Deadline.after(STEP_SECONDS)).passages
    return Asked(text, candidates, [answers(passage) for passage in candidates])


def _some(texts: Sequence[str], most: int) -> list[str]:
    chosen = sorted(random.Random(0).sample(range(len(texts)), min(most, len(texts))))
    print(f"asking {len(chosen)}", file=sys.stderr, flush=True)
    return [texts[number] for number in chosen]


if __name__ == "__main__":
    raise SystemExit(main())
