"""Corpora in BEIR form: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv`` in one folder."""

import csv
import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Corpus:
    """``relevant[query id][document id]`` is a grade; what is not listed has grade 0."""

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]


def read_corpus(folder: Path, *, limit: int | None = None) -> Corpus:
    """Documents as Markdown with their title as heading; queries with at least one relevant document.

    ``limit`` keeps the first documents and the queries that have a relevant one among them.
    """
    rows = list(_json_lines(folder / "corpus.jsonl"))[:limit]
    documents = {row["_id"]: _text(row) for row in rows}
    relevant = _grades(folder / "qrels.tsv", documents)
    queries = {row["_id"]: row["text"] for row in _json_lines(folder / "queries.jsonl") if row["_id"] in relevant}
    return Corpus(folder.name, documents, queries, {query: relevant[query] for query in queries})


def _text(row: dict[str, str]) -> str:
    title = row.get("title", "").strip()
    return f"# {title}\n\n{row['text']}" if title else row["text"]


def _json_lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _grades(path: Path, documents: Container[str]) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t")
        next(rows)
        for query, document, grade in rows:
            if int(grade) > 0 and document in documents:
                grades.setdefault(query, {})[document] = int(grade)
    return grades
