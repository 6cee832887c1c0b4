"""``python -m bench.retrieval --beir DIR [--limit N]``: how good and how quick search is on a corpus with answers.

Documents go through the ingest pipeline and queries through ask's retrieval, on real PostgreSQL and a real
model server. Prints one JSON line for each corpus; progress goes to stderr.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from threading import Lock
from time import perf_counter

from ask.pipeline import AskPipeline
from ask.retrieval import Query
from bench.beir import Corpus, read_corpus
from bench.machine import Machine, machine
from bench.memory_bucket import MemoryBucket
from bench.ranking import ndcg, percentile, recall, reciprocal_rank
from bucketwise.deadline import Deadline
from ingest.receipts import Outcome

WORKERS = 4
PASSAGES = 50  # the most that a request may ask for; several may be of one document
STEP_SECONDS = 600.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval", description=__doc__)
    parser.add_argument("--beir", type=Path, required=True, help="a corpus's folder, or a folder of such folders")
    parser.add_argument("--limit", type=int, help="only this many documents of each")
    options = parser.parse_args()
    folders = [options.beir] if (options.beir / "corpus.jsonl").exists() else sorted(options.beir.iterdir())
    for folder in folders:
        with machine() as system:
            print(json.dumps(measure(system, read_corpus(folder, limit=options.limit))), flush=True)
    return 0


def measure(system: Machine, corpus: Corpus) -> dict[str, object]:
    """nDCG, recall and MRR over documents; a document ranks where its best passage does."""
    # Ids may be URLs and keys have a length limit: documents are named by their place in the corpus.
    keys = {f"{number}.md": document for number, document in enumerate(corpus.documents)}
    ingest(system, {key: corpus.documents[document] for key, document in keys.items()})
    pipeline = system.ask_pipeline()
    ranked: dict[str, list[str]] = {}
    milliseconds: list[float] = []
    for done, (query, text) in enumerate(corpus.queries.items(), start=1):
        began = perf_counter()
        found = search(pipeline, text)
        milliseconds.append((perf_counter() - began) * 1000)
        ranked[query] = [keys[key] for key in found]
        _progress("asked", done, len(corpus.queries))
    grades = corpus.relevant
    return {
        "name": corpus.name,
        "documents": len(corpus.documents),
        "queries": len(corpus.queries),
        "ndcg@10": round(fmean(ndcg(ranked[query], grades[query], at=10) for query in ranked), 4),
        "recall@5": round(fmean(recall(ranked[query], grades[query], at=5) for query in ranked), 4),
        "recall@20": round(fmean(recall(ranked[query], grades[query], at=20) for query in ranked), 4),
        "mrr@10": round(fmean(reciprocal_rank(ranked[query], grades[query], at=10) for query in ranked), 4),
        "p50_ms": round(percentile(milliseconds, 0.50), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
    }


def search(pipeline: AskPipeline, question: str) -> list[str]:
    """Keys of the documents found, best first."""
    query = Query(question=question, limit=PASSAGES)
    found = pipeline.retrieval.retrieve(query, deadline=Deadline.after(STEP_SECONDS))
    return list(dict.fromkeys(passage.key for passage in found.passages))


def ingest(system: Machine, objects: dict[str, str]) -> None:
    bucket = MemoryBucket(objects)
    counted = _Counter("ingested", len(objects))

    def bring_all(keys: Sequence[str]) -> None:
        pipeline = system.ingest_pipeline(bucket)
        for key in keys:
            receipt = pipeline.bring_up_to_date(key, deadline=Deadline.after(STEP_SECONDS))
            if receipt.error is not None:
                raise receipt.error
            if receipt.outcome is not Outcome.INDEXED:
                print(f"\n{key}: {receipt.outcome} {receipt.reason or ''}", file=sys.stderr)
            counted.add_one()

    keys = list(objects)
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
