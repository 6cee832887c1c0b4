"""Quarterly reports as PDF, and questions that name the reports which answer them, in one folder.

``data/v1/docs`` holds the PDFs; ``questions.jsonl`` has ``text`` and ``gold_docs``, names of PDFs without their ending.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from bench.memory_bucket import STORED_AT
from ingest.bucket import ObjectFacts, StoredObject
from ingest.sidecar import Sidecar


@dataclass(frozen=True, slots=True)
class Reports:
    """``files`` by key. Of each question: its text, and the keys of the reports that answer it."""

    files: Mapping[str, Path]
    questions: tuple[tuple[str, list[str]], ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        with (folder / "questions.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        files = {path.name: path for path in sorted((folder / "data" / "v1" / "docs").glob("*.pdf"))}
        return cls(files, tuple((row["text"], [f"{name}.pdf" for name in row["gold_docs"]]) for row in rows))

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        """As S3 would give the PDF."""
        path = self.files.get(key)
        if path is None:
            yield None
            return
        digest = sha256(path.read_bytes()).hexdigest()
        with path.open("rb") as file:
            yield StoredObject(
                ObjectFacts(key, digest, digest, path.stat().st_size, "application/pdf", STORED_AT, {}), file
            )

    def sidecar(self, _key: str) -> Sidecar | None:
        return None
