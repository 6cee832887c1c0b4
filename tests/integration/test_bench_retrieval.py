"""The retrieval benchmark, as a command, on a corpus of a few lines."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.ranking import ndcg, percentile, recall, reciprocal_rank
from local import ROOT

DOCUMENTS = {
    "otters": "Otters hold hands while they sleep.",
    "lighthouse": "The lighthouse was built in 1874 of grey granite.",
    "bread": "Sourdough bread needs flour, water, salt and time.",
    "https://example.org/chess?page=1#rules": "In chess a pawn that reaches the last rank is promoted.",
}
QUERIES = {
    "q1": ("When were lighthouses built?", "lighthouse"),
    "q2": ("What is sourdough made of?", "bread"),
    "q3": ("Which animals rest in pairs?", "otters"),
}


def write_corpus(folder: Path) -> None:
    rows = [{"_id": name, "title": "", "text": text} for name, text in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [{"_id": query, "text": text} for query, (text, _) in QUERIES.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    grades = "".join(f"{query}\t{document}\t1\n" for query, (_, document) in QUERIES.items())
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + grades)


def measured(folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """What the command prints of the corpus, and its progress."""
    write_corpus(folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.retrieval", "--beir", str(folder), *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    return json.loads(line), done.stderr


def test_it_prints_one_json_line_with_its_measures(tmp_path: Path) -> None:
    measures, progress = measured(tmp_path)
    assert (measures["documents"], measures["queries"]) == (4, 3)
    assert (measures["ndcg@10"], measures["recall@5"], measures["mrr@10"]) == (1.0, 1.0, 1.0)
    assert measures["p95_ms"] >= measures["p50_ms"] > 0
    assert "ingested 4/4" in progress


def test_each_leg_is_measured_alone_and_bm25s_on_the_same_chunks(tmp_path: Path) -> None:
    measures, _ = measured(tmp_path, "--legs", "--agreement")
    # One of the three questions has no word of its document, and stemming finds one.
    assert measures["keyword_ndcg@10"] == measures["bm25s_ndcg@10"] == round(2 / 3, 4)
    assert (measures["vector_ndcg@10"], measures["ndcg@10"]) == (1.0, 1.0)


def test_measures_are_those_of_the_literature() -> None:
    ranked, grades = ["a", "b", "c", "d"], {"b": 2, "d": 1, "z": 1}
    # DCG = 2/log2(3) + 1/log2(5); ideal = 2/log2(2) + 1/log2(3) + 1/log2(4)
    assert round(ndcg(ranked, grades, at=10), 4) == 0.5406  # 1.6925 / 3.1309
    assert recall(ranked, grades, at=2) == 1 / 3
    assert reciprocal_rank(ranked, grades, at=10) == 1 / 2
    assert reciprocal_rank(ranked, grades, at=1) == 0
    assert percentile([4, 1, 3, 2], 0.5) == 2
