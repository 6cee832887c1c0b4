"""The index that ``bench.ask`` asks: one that ``bench.search --prepare`` made, else it is made now."""

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ingest_texts import texts
from bench.search_filling import Prepared, prepare
from bench.search_texts import DOCUMENT_WORDS

CHARACTERS_OF_A_WORD = 7
DOCUMENTS, QUESTIONS = 100, 400
QUESTION_WORDS = (6, 14)


def prepared_index(home: Path, chunks: int, given: Path | None) -> Prepared:
    """``given`` is a folder of texts for an index that has to be made; without it they are made up."""
    if (home / "prepared.json").exists():
        return Prepared.read(home)
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    if given is not None:
        return prepare(home, given, chunks)
    with _made_up() as folder:
        return prepare(home, folder, chunks)


@contextmanager
def _made_up() -> Iterator[Path]:
    """A collection in BEIR form. Questions are words that follow each other in one of its texts."""
    numbers = random.Random(0)
    with tempfile.TemporaryDirectory(prefix="bucketwise-bench-") as folder:
        corpus = Path(folder) / "beir" / "made-up"
        corpus.mkdir(parents=True)
        made = list(texts(count=DOCUMENTS, characters=DOCUMENT_WORDS * CHARACTERS_OF_A_WORD, seed=1))
        rows = [{"_id": str(number), "title": "", "text": text} for number, text in enumerate(made)]
        asked = [{"_id": str(number), "text": _stretch(numbers.choice(made), numbers)} for number in range(QUESTIONS)]
        (corpus / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
        (corpus / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
        yield Path(folder)


def _stretch(text: str, numbers: random.Random) -> str:
    words = text.split()
    count = numbers.randint(*QUESTION_WORDS)
    start = numbers.randrange(len(words) - count)
    return " ".join(words[start : start + count])
