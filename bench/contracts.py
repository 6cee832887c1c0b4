"""Contracts as PDF and as plain text, and questions about them, in one folder.

``pdf/`` and ``txt/`` hold the same contracts under the same names. ``questions_answerable.jsonl`` and
``questions_no_clause.jsonl`` have ``doc`` (a name in ``txt/``) and ``text``; the former also ``spans``, the characters
of the TXT that answer.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from bench.memory_bucket import STORED_AT
from bench.text_alignment import Edition, Letters
from ingest.bucket import ObjectFacts, StoredObject
from ingest.sidecar import Sidecar


@dataclass(frozen=True, slots=True)
class Contract:
    """``key`` is that of its PDF in the bucket."""

    key: str
    pdf: Path
    txt: Path

    @property
    def text(self) -> str:
        # As the spans count: line ends are left as they are.
        return self.txt.read_bytes().decode()

    @property
    def edition(self) -> Edition:
        return _edition(self)


@dataclass(frozen=True, slots=True)
class Question:
    """``wanted``: which letters of the contract's text answer it; none if the contract does not."""

    text: str
    contract: str
    wanted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Contracts:
    """``contracts`` by key. Questions about the same contract follow each other."""

    contracts: Mapping[str, Contract]
    answerable: tuple[Question, ...]
    unanswerable: tuple[Question, ...]

    @classmethod
    def read(cls, folder: Path, most: int | None = None) -> Self:
        """Only the first ``most`` contracts, by name, and the questions about them."""
        pdfs = {path.stem: path for path in (folder / "pdf").iterdir()}
        named = {
            f"{path.stem}.pdf": Contract(f"{path.stem}.pdf", pdfs[path.stem], path) for path in _texts(folder, most)
        }
        letters = {key: Letters.of(contract.text) for key, contract in named.items()}
        return cls(
            named,
            tuple(_questions(folder / "questions_answerable.jsonl", letters)),
            tuple(_questions(folder / "questions_no_clause.jsonl", letters)),
        )

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        """As S3 would give the PDF."""
        contract = self.contracts.get(key)
        if contract is None:
            yield None
            return
        with contract.pdf.open("rb") as file:
            digest = sha256(contract.pdf.read_bytes()).hexdigest()
            size = contract.pdf.stat().st_size
            yield StoredObject(ObjectFacts(key, digest, digest, size, "application/pdf", STORED_AT, {}), file)

    def sidecar(self, _key: str) -> Sidecar | None:
        return None


@lru_cache(maxsize=4)  # 15 MB for each
def _edition(contract: Contract) -> Edition:
    return Edition(contract.text)


def _texts(folder: Path, most: int | None) -> list[Path]:
    return sorted((folder / "txt").iterdir())[:most]


def _questions(path: Path, letters: Mapping[str, Letters]) -> Iterator[Question]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            key = f"{Path(row['doc']).stem}.pdf"
            if key in letters:
                wanted = (letters[key].range_of(start, end) for start, end in row.get("spans", ()))
                yield Question(row["text"], key, frozenset().union(*wanted))
