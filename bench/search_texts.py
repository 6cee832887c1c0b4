"""Any number of chunks of real text: what there is, and then the same cut elsewhere with a tenth of its words replaced.

The same at every run, so that several processes can each take their share of one corpus.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

CHUNK_WORDS = (90, 160)  # with the default settings, a chunk of English text has about as many
DOCUMENT_WORDS = 6250  # about 50 chunks
REPLACED = 0.1
NEW_WORDS = 0.005  # each larger corpus brings names and numbers of its own
SMALL_TENANTS = 19
SMALL_TENANT_SHARE = 200  # of all chunks, one in so many is in each of them
GIANT, SMALL = "giant", "small-00"
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstv" for vowel in "aeiou"]

LABELS = {"one": None, "thousandth": 1000, "hundredth": 100, "tenth": 10}
"""Which part of the giant tenant's chunks are in documents that are labelled so; None is a single chunk."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text as words. ``group`` is the collection that it comes from."""

    group: str
    words: list[str]


@dataclass(frozen=True, slots=True)
class Document:
    """``texts`` are its chunks. ``label`` is one of LABELS or "rest"."""

    number: int
    tenant: str
    label: str
    group: str
    texts: list[str]

    @property
    def key(self) -> str:
        return f"{self.label}/{self.group}/{self.number:06}.txt"

    @property
    def title(self) -> str:
        return " ".join(self.texts[0].split()[:8])


@dataclass(frozen=True, slots=True)
class Share:
    tenant: str
    label: str
    chunks: int


def read_sources(folder: Path) -> list[Source]:
    """Of ``beir/*/corpus.jsonl``, short texts put together, and of ``cuad/txt``. Raises SystemExit without any."""
    sources: list[Source] = []
    for corpus in sorted(folder.glob("beir/*/corpus.jsonl")):
        words: list[str] = []
        for line in corpus.read_text("utf-8").splitlines():
            row = json.loads(line)
            words += f"{row.get('title') or ''} {row['text']}".split()
            if len(words) >= DOCUMENT_WORDS:
                sources.append(Source(corpus.parent.name, words))
                words = []
        if words:
            sources.append(Source(corpus.parent.name, words))
    contracts = sorted(folder.glob("cuad/txt/*.txt"))
    sources += [Source("cuad", file.read_text("utf-8", errors="replace").split()) for file in contracts]
    if not sources:
        raise SystemExit(f"{folder} holds neither beir/*/corpus.jsonl nor cuad/txt/*.txt")
    return sources


def read_questions(folder: Path) -> dict[str, list[str]]:
    """Of each group, all different and with a word in each."""
    return {
        queries.parent.name: list(
            dict.fromkeys(
                text
                for line in queries.read_text("utf-8").splitlines()
                if any(map(str.isalnum, text := json.loads(line)["text"].replace("\0", "")))
            )
        )
        for queries in sorted(folder.glob("beir/*/queries.jsonl"))
    }


def shares(chunks: int) -> list[Share]:
    """Of whom the chunks are: one giant tenant, and small ones."""
    small = max(1, chunks // SMALL_TENANT_SHARE)
    giant = chunks - SMALL_TENANTS * small
    labelled = [Share(GIANT, label, max(1, giant // part) if part else 1) for label, part in LABELS.items()]
    rest = giant - sum(share.chunks for share in labelled)
    if rest <= 0:
        raise SystemExit("too few chunks for so many tenants")
    small_ones = [Share(f"small-{number:02}", "rest", small) for number in range(SMALL_TENANTS)]
    return [*labelled, *small_ones, Share(GIANT, "rest", rest)]


def documents(sources: list[Source], chunks: int) -> Iterator[Document]:
    """No two chunks have the same text."""
    texts = _cut_texts(sources)
    numbers = count()
    for share in shares(chunks):
        left = share.chunks
        while left:
            group, found = next(texts)
            yield Document(next(numbers), share.tenant, share.label, group, found[:left])
            left -= len(found[:left])


def _cut_texts(sources: list[Source]) -> Iterator[tuple[str, list[str]]]:
    numbers = random.Random(1)  # the same at every run
    pool = [word for source in sources for word in source.words]
    seen: set[int] = set()
    for again in count():
        for source in numbers.sample(sources, len(sources)):
            words = source.words if again == 0 else _varied(source.words, pool, numbers)
            texts = [text for text in _cut(words, numbers) if hash(text) not in seen]
            seen.update(map(hash, texts))
            if texts:
                yield source.group, list(dict.fromkeys(texts))


def _varied(words: list[str], pool: list[str], numbers: random.Random) -> list[str]:
    varied = words[numbers.randrange(CHUNK_WORDS[0]) :]
    for place in numbers.sample(range(len(varied)), round(len(varied) * REPLACED)):
        varied[place] = pool[numbers.randrange(len(pool))]
    for place in numbers.sample(range(len(varied)), round(len(varied) * NEW_WORDS)):
        varied[place] = "".join(numbers.choices(SYLLABLES, k=3)) + str(numbers.randrange(1000))
    return varied


def _cut(words: list[str], numbers: random.Random) -> Iterator[str]:
    start = 0
    while start < len(words):
        end = start + numbers.randint(*CHUNK_WORDS)
        yield " ".join(words[start:end])
        start = end
