"""A tenant whose documents are written by the role of ingest and searched by that of ask."""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bucketwise.database import Database
from bucketwise.search import SearchQuery, SearchResult, search
from ingest.index import DocumentIndex
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import VectorTable, text_digest
from tests.integration.index_database import IndexDatabase, opened
from tests.integration.indexed_documents import PROBLEM
from tests.unit.ingest_fakes import SOON, Listed, chunks_of, document_of, facts

QUESTION = [1.0, 0.5, -0.5, 0.25, 0.1, -0.1, 0.7, -0.3]


@dataclass
class Corpus:
    """``vectors`` are those of the passages by (key, ordinal), for checking by hand."""

    database: IndexDatabase
    index: DocumentIndex
    asked: Database
    vectors: dict[tuple[str, int], list[float]]

    def add(
        self,
        key: str,
        *texts: str,
        like: list[list[float]] | None = None,
        heading: tuple[str, ...] = (),
        title: str | None = "Title",
        **changes: Any,
    ) -> None:
        """``like``: the texts' vectors; without it, random ones that are the same at every run."""
        vectors = like or [random_vector(f"{key} {n}") for n in range(len(texts))]
        table = VectorTable(self.index.database, self.index.tenant)
        table.add_embeddings(dict(zip(map(text_digest, texts), vectors, strict=True)), deadline=SOON)
        claim = self.index.claim(deadline=SOON)
        receipt = EmbeddingReceipt(embedded=len(texts))
        chunks = Listed(chunks_of(*texts, heading=heading))
        given = facts(key, "v1", **changes), document_of(*texts, title=title), chunks, receipt, claim
        assert self.index.replace(*given, deadline=SOON)
        self.vectors |= {(key, n): vector for n, vector in enumerate(vectors)}

    def ask(self, text: str = "", vector: list[float] | None = None, **changes: Any) -> SearchResult:
        query = replace(self.query(text), vector=vector, **changes)
        return self.asked.run(lambda connection: search(connection, query), deadline=SOON)

    def query(self, text: str) -> SearchQuery:
        return SearchQuery(self.index.tenant, text, None, {}, limit=10, depth=50, keyword_weight=0.6)

    def remove(self, key: str) -> None:
        assert self.index.bury(key, self.index.claim(deadline=SOON), deadline=SOON)

    def fail(self, key: str) -> None:
        assert self.index.fail(facts(key, "v2"), PROBLEM, self.index.claim(deadline=SOON), deadline=SOON)

    def nearest(self, prefix: str = "") -> list[tuple[str, int]]:
        """All passages in the order of their cosine with QUESTION, compared one by one."""
        among = [place for place in self.vectors if place[0].startswith(prefix)]
        return sorted(among, key=lambda place: -cosine(self.vectors[place], QUESTION))


def random_vector(seed: str) -> list[float]:
    numbers = random.Random(seed)  # noqa: S311  # the same at every run
    return [numbers.gauss(0, 1) for _ in QUESTION]


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True)) / math.hypot(*left) / math.hypot(*right)


@contextmanager
def corpus_of(
    database: IndexDatabase, tenant: str, *, detect: Callable[[str], str] = lambda _: "en"
) -> Iterator[Corpus]:
    with opened(database.ingest) as writer, opened(database.ask) as asked:
        yield Corpus(database, DocumentIndex(writer, tenant, "code 1", detect=detect), asked, {})


def places(result: SearchResult) -> list[tuple[str, int]]:
    return [(passage.key, passage.ordinal) for passage in result.passages]


def keys(result: SearchResult) -> set[str]:
    return {passage.key for passage in result.passages}
