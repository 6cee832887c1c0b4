"""Corpora in the form of Chroma's chunking evaluation: Markdown files, and questions with the spans that answer."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from bench.chunking_spans import Span


@dataclass(frozen=True, slots=True)
class Question:
    """``references`` are spans of ``document`` that answer it."""

    text: str
    document: str
    references: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Corpora:
    files: tuple[Path, ...]
    questions: tuple[Question, ...]


def read_corpora(folder: Path) -> Corpora:
    """``questions_df.csv`` and the files in ``corpora`` that it names; a file without a question is left out."""
    csv.field_size_limit(1 << 24)
    with (folder / "questions_df.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = dict.fromkeys(row["corpus_id"] for row in rows)
    return Corpora(
        files=tuple(folder / "corpora" / f"{name}.md" for name in names),
        questions=tuple(Question(row["question"], row["corpus_id"], _references(row)) for row in rows),
    )


def _references(row: dict[str, str]) -> tuple[Span, ...]:
    return tuple(
        Span(row["corpus_id"], int(reference["start_index"]), int(reference["end_index"]))
        for reference in json.loads(row["references"])
    )
