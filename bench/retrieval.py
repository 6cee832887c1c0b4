"""``python -m bench.retrieval --beir DIR [--limit N] [--legs] [--agreement]``: how good search is, and how quick.

Documents go through the ingest pipeline and queries through ask's retrieval, on real PostgreSQL and a real
model server. Prints one JSON line for each corpus; progress goes to stderr.

ndcg@10, recall@5, recall@20, mrr@10, p50_ms, p95_ms   of the hybrid search
keyword_ndcg@10, vector_ndcg@10   with ``--legs``: of each leg alone, in the same index
bm25s_ndcg@10                     with ``--agreement``: of bm25s, given the terms of the same chunks
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from threading import Lock
from time import perf_counter

from ask.retrieval import Query, RetrievalStage
from ask.searching import Searcher
from bench.agreement import Reference
from bench.beir import Corpus, read_corpus
from bench.machine import Machine, machine
from bench.memory_bucket import MemoryBucket
from bench.ranking import ndcg, percentile, recall, reciprocal_rank
from bucketwise.deadline import Deadline
from bucketwise.search import KeywordLeg, SearchQuery, SearchResult
from ingest.receipts import Outcome

WORKERS = 4
PASSAGES = 50  # the most that a request may ask for; several may be of one document
STEP_SECONDS = 600.0
LEGS = ("keyword", "vector")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.retrieval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beir", type=Path, required=True, help="a corpus's folder, or a folder of such folders")
    parser.add_argument("--limit", type=int, help="only this many documents of each")
    parser.add_argument("--legs", action="store_true", help="also each leg alone")
    parser.add_argument("--agreement", action="store_true", help="also bm25s")
    options = parser.parse_args()
    folders = [options.beir] if (options.beir / "corpus.jsonl").exists() else sorted(options.beir.iterdir())
    for folder in folders:
        corpus = read_corpus(folder, limit=options.limit)
        with machine() as system:
            measured = measure(system, corpus, legs=options.legs, agreement=options.agreement)
        print(json.dumps(measured), flush=True)
    return 0


def measure(system: Machine, corpus: Corpus, *, legs: bool = False, agreement: bool = False) -> dict[str, object]:
    """nDCG, recall and MRR over documents; a document ranks where its best passage does."""
    # Ids may be URLs and keys have a length limit: documents are named by their place in the corpus.
    keys = {f"{number}.md": document for number, document in enumerate(corpus.documents)}
    ingest(system, MemoryBucket({key: corpus.documents[document] for key, document in keys.items()}), list(keys))
    stage = system.ask_pipeline().retrieval
    milliseconds: list[float] = []

    def hybrid(question: str) -> list[str]:
        began = perf_counter()
        found = search(stage, question)
        milliseconds.append((perf_counter() - began) * 1000)
        return found

    def ranked(found_by: Callable[[str], list[str]], what: str) -> dict[str, list[str]]:
        rankings: dict[str, list[str]] = {}
        for query, text in corpus.queries.items():
            rankings[query] = [keys[key] for key in found_by(text)]
            _progress(what, len(rankings), len(corpus.queries))
        return rankings

    def mean_ndcg(rankings: dict[str, list[str]]) -> float:
        return round(fmean(ndcg(found, grades[query], at=10) for query, found in rankings.items()), 4)

    grades = corpus.relevant
    found = ranked(hybrid, "asked")
    measures: dict[str, object] = {
        "name": corpus.name,
        "documents": len(corpus.documents),
        "queries": len(corpus.queries),
        "ndcg@10": mean_ndcg(found),
        "recall@5": round(fmean(recall(found[query], grades[query], at=5) for query in found), 4),
        "recall@20": round(fmean(recall(found[query], grades[query], at=20) for query in found), 4),
        "mrr@10": round(fmean(reciprocal_rank(found[query], grades[query], at=10) for query in found), 4),
        "p50_ms": round(percentile(milliseconds, 0.50), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
    }
    if legs:
        for leg in LEGS:
            alone = replace(stage, searcher=OneLeg(stage.searcher, leg))
            measures[f"{leg}_ndcg@10"] = mean_ndcg(ranked(partial(search, alone), f"asked the {leg} leg"))
    if agreement:
        reference = Reference.of(system.ingest)
        measures["bm25s_ndcg@10"] = mean_ndcg(ranked(partial(reference.search, limit=PASSAGES), "asked bm25s"))
    return measures


def search(stage: RetrievalStage, question: str) -> list[str]:
    """Keys of the documents found, best first."""
    query = Query(question=question, limit=PASSAGES)
    found = stage.retrieve(query, deadline=Deadline.after(STEP_SECONDS))
    return list(dict.fromkeys(passage.key for passage in found.passages))


@dataclass(frozen=True, slots=True)
class OneLeg:
    """Stands where the searcher does, and searches with one leg alone."""

    searcher: Searcher
    leg: str

    def ahead(self, query: SearchQuery, *, deadline: Deadline) -> KeywordLeg:
        return self.searcher.ahead(self._alone(query), deadline=deadline)

    def search(self, query: SearchQuery, ahead: KeywordLeg | None = None, *, deadline: Deadline) -> SearchResult:
        return self.searcher.search(self._alone(query), ahead, deadline=deadline)

    def _alone(self, query: SearchQuery) -> SearchQuery:
        return replace(query, vector=None) if self.leg == "keyword" else replace(query, text="")


def ingest(system: Machine, bucket: object, keys: Sequence[str]) -> None:
    """``bucket`` is asked for the keys instead of S3."""
    counted = _Counter("ingested", len(keys))

    def bring_all(share: Sequence[str]) -> None:
        pipeline = system.ingest_pipeline(bucket)
        for key in share:
            receipt = pipeline.bring_up_to_date(key, deadline=Deadline.after(STEP_SECONDS))
            if receipt.error is not None:
                raise receipt.error
            if receipt.outcome is not Outcome.INDEXED:
                print(f"\n{key}: {receipt.outcome} {receipt.reason or ''}", file=sys.stderr)
            counted.add_one()

    with ThreadPoolExecutor(WORKERS) as pool:
        for finished in [pool.submit(bring_all, keys[worker::WORKERS]) for worker in range(WORKERS)]:
            finished.result()


class _Counter:
    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done, self._lock = what, total, 0, Lock()

    def add_one(self) -> None:
        with self._lock:
            self._done += 1
            _progress(self._what, self._done, self._total)


def _progress(what: str, done: int, total: int) -> None:
    if done % 50 == 0 or done == total:
        print(f"\r{what} {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
