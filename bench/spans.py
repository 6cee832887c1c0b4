"""``python -m bench.spans DIR [--contracts N]``: whether search finds the clauses of contracts that answer questions.

DIR is as bench.contracts says. The PDFs go through the ingest pipeline and the questions through all of ask's search;
what is found is mapped back onto the TXT. The recall of a question is the share of the letters of its answering spans
that the best k passages hold; a question whose spans have no letter is left out. Prints one JSON line; progress goes to
stderr.

recall@5, recall@10    means over the questions
characters@5, ...      how much text that is, a mean
right_contract_first   share of questions whose best passage is of their contract
attainable             recall of all that the index holds of the contract
bm25                   the same measures of bm25s over pieces of the TXT of up to 1,500 characters, each with the file's
                       name, with our words
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from ask.retrieval import Query
from bench.contracts import Contracts, Question
from bench.machine import Machine, machine
from bench.retrieval import STEP_SECONDS, ingest
from bench.spans_reference import Reference
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline

DEPTHS = (5, 10)


class Stretch(NamedTuple):
    """Text that was found in the contract ``key``."""

    key: str
    text: str


Search = Callable[[str, int], Sequence[Stretch]]
"""The best so many for a question, best first."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.spans", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--contracts", type=int, help="only the first so many")
    options = parser.parse_args()
    contracts = Contracts.read(options.folder, options.contracts)
    with machine() as system:
        print(json.dumps(measure(system, contracts)))
    return 0


def measure(system: Machine, contracts: Contracts) -> dict[str, object]:
    ingest(system, contracts, list(contracts.contracts))
    pipeline = system.ask_pipeline()
    reference = Reference.of({key: contract.text for key, contract in contracts.contracts.items()})

    def found(question: str, limit: int) -> list[Stretch]:
        query = Query(question, limit=limit)
        shown = pipeline.search(query, joined=True, deadline=Deadline.after(STEP_SECONDS)).refined.passages
        return [Stretch(passage.key, passage.text) for passage in shown]

    def found_by_reference(question: str, limit: int) -> list[Stretch]:
        return [Stretch(*piece) for piece in reference.search(question, limit=limit)]

    questions = [question for question in contracts.answerable if question.wanted]
    return {
        "contracts": len(contracts.contracts),
        "questions": len(questions),
        **measures_of(found, contracts, questions),
        "attainable": _attainable(system, contracts, questions),
        "bm25": measures_of(found_by_reference, contracts, questions),
    }


def measures_of(search: Search, contracts: Contracts, questions: Sequence[Question]) -> dict[str, float]:
    recalls, characters = defaultdict[int, list[float]](list), defaultdict[int, list[int]](list)
    right_first = []
    for done, question in enumerate(questions, start=1):
        for depth in DEPTHS:
            found = search(question.text, depth)
            recalls[depth].append(recall(contracts, question, found))
            characters[depth].append(sum(len(stretch.text) for stretch in found))
        right_first.append(bool(found) and found[0].key == question.contract)
        if done % 50 == 0 or done == len(questions):
            print(f"asked {done}/{len(questions)}", file=sys.stderr, flush=True)
    return {
        **{f"recall@{depth}": round(fmean(recalls[depth]), 4) for depth in DEPTHS},
        **{f"characters@{depth}": round(fmean(characters[depth])) for depth in DEPTHS},
        "right_contract_first": round(fmean(right_first), 4),
    }


def recall(contracts: Contracts, question: Question, found: Sequence[Stretch]) -> float:
    edition = contracts.contracts[question.contract].edition
    covered = (edition.covered_by(stretch.text) for stretch in found if stretch.key == question.contract)
    return len(question.wanted & set[int]().union(*covered)) / len(question.wanted)


def _attainable(system: Machine, contracts: Contracts, questions: Sequence[Question]) -> float:
    with closing(Database(lambda deadline: connect(system.ingest, deadline))) as database:
        rows = database.run(
            lambda connection: connection.execute(
                "SELECT key, text FROM bucketwise.chunks WHERE tenant = %s ORDER BY key", (system.ingest.tenant,)
            ).fetchall(),
            deadline=Deadline.after(STEP_SECONDS),
        )
    held = defaultdict[str, set[int]](set)
    for key, text in rows:
        held[key] |= contracts.contracts[key].edition.covered_by(text)
    shares = [len(question.wanted & held[question.contract]) / len(question.wanted) for question in questions]
    return round(fmean(shares), 4)


if __name__ == "__main__":
    raise SystemExit(main())
