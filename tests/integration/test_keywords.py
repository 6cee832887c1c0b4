"""The keyword leg ranks by BM25, exactly where few chunks are scored, whatever was replaced, removed or folded."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

import pytest

from bucketwise.analysis import Terms, analyse
from bucketwise.models import Chunk
from bucketwise.search import K1, B, SearchResult
from ingest.context import context_of
from ingest.postings import Postings
from ingest.terms import CONTEXT_COUNT
from tests.integration.corpus import Corpus, corpus_of
from tests.integration.index_database import IndexDatabase
from tests.unit.ingest_fakes import SOON, chunks_of

WORDS = [f"w{number}x" for number in range(60)]
QUESTIONS = ["w0x w1x w40x", "w3x", "w59x w2x", "w0x w1x w2x w3x w4x w5x", "unknown w7x", "unknown"]
DEPTH = 10


@dataclass
class Ranked:
    """A tenant's chunks, searched by PostgreSQL and by the formula."""

    corpus: Corpus
    random: Random = field(default_factory=lambda: Random(5))  # noqa: S311  # the same at every run
    texts: dict[str, list[str]] = field(default_factory=dict)

    def put(self, key: str, chunks: int = 3) -> None:
        """Words as in a text: few of them often."""
        texts = [
            " ".join(WORDS[min(int(self.random.expovariate(0.1)), 59)] for _ in range(self.random.randint(3, 40)))
            for _ in range(chunks)
        ]
        self.store(key, texts)

    def store(self, key: str, texts: list[str]) -> None:
        self.corpus.add(key, *texts)
        self.texts[key] = texts

    @property
    def postings(self) -> int:
        """Rows."""
        query = "SELECT count(*) FROM bucketwise.postings WHERE tenant = %s"
        return self.corpus.database.count(query, self.corpus.index.tenant)

    def remove(self, key: str) -> None:
        self.corpus.remove(key)
        del self.texts[key]

    def fold(self, level: int) -> None:
        database, tenant = self.corpus.index.database, self.corpus.index.tenant
        if level == 3:
            assert Postings(database, tenant).fold_all(deadline=SOON)
        else:
            Postings(database, tenant, chance=lambda: 0.0 if level else 0.5 / 256).fold_now_and_then(deadline=SOON)

    def expected(self, question: str, k1: float, b: float) -> dict[tuple[str, int], float]:
        chunks = {
            (key, chunk.ordinal): _terms(key, chunk) for key, texts in self.texts.items() for chunk in chunks_of(*texts)
        }
        mean = sum(terms.length for terms in chunks.values()) / len(chunks)
        frequencies = Counter(term for terms in chunks.values() for term in terms.counts)
        scores = {
            place: sum(
                math.log(1 + (len(chunks) - frequencies[term] + 0.5) / (frequencies[term] + 0.5))
                * terms.counts[term]
                / (terms.counts[term] + k1 * (1 - b + b * terms.length / mean))
                for term in analyse(question, "en").counts
                if term in terms.counts
            )
            for place, terms in chunks.items()
        }
        return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:DEPTH])

    def check(self, ask: Callable[[Corpus, str], SearchResult], *, k1: float = K1, b: float = B) -> None:
        for question in QUESTIONS:
            found = {(one.key, one.ordinal): one.keyword_score for one in ask(self.corpus, question).passages}
            wanted = {place: score for place, score in self.expected(question, k1, b).items() if score > 0}
            assert found == pytest.approx(wanted), question


def _terms(key: str, chunk: Chunk) -> Terms:
    """Those of the context count CONTEXT_COUNT times at least."""
    context = context_of(chunk, title="Title", key=key)
    counts = analyse(f"{context}\n{chunk.text}", "en").counts
    counts |= {term: max(counts[term], CONTEXT_COUNT) for term in analyse(context, "en").counts}
    return Terms(counts, sum(counts.values()))


def directly(corpus: Corpus, question: str) -> SearchResult:
    return corpus.ask(question, limit=DEPTH)


def by_postings(corpus: Corpus, question: str) -> SearchResult:
    """As in a tenant with many chunks."""
    return corpus.ask(question, limit=DEPTH, exact_below=0)


@pytest.fixture
def ranked(shared_index: IndexDatabase) -> Iterator[Ranked]:
    with corpus_of(shared_index, uuid4().hex) as corpus:
        ranked = Ranked(corpus)
        for number in range(12):
            ranked.put(f"{number}.txt", chunks=1 + number % 5)
        yield ranked


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.0, 0.0), (2.0, 1.0)])
@pytest.mark.parametrize("exact_below", [0, None])
def test_the_constants_are_those_that_are_set(ranked: Ranked, k1: float, b: float, exact_below: int | None) -> None:
    ranked.check(lambda corpus, question: corpus.ask(question, k1=k1, b=b, exact_below=exact_below), k1=k1, b=b)


@pytest.mark.parametrize("ask", [directly, by_postings])
def test_chunks_are_ranked_by_bm25_whatever_became_of_them(
    ranked: Ranked, ask: Callable[[Corpus, str], SearchResult]
) -> None:
    ranked.check(ask)
    for level in (0, 1, 0, 3, 3):
        ranked.put(f"{ranked.random.randrange(12)}.txt", chunks=4)
        ranked.put(f"new {level} {ranked.random.random()}.txt")
        ranked.remove(sorted(ranked.texts)[ranked.random.randrange(5)])
        ranked.check(ask)
        ranked.fold(level)
        ranked.check(ask)


def test_folding_leaves_one_row_for_each_term_and_none_of_what_is_gone(ranked: Ranked) -> None:
    ranked.put("0.txt")
    ranked.fold(3)
    tenant = ranked.corpus.index.tenant
    count = ranked.corpus.database.count
    repeated = "SELECT count(*) - count(DISTINCT term) FROM bucketwise.postings WHERE tenant = %s"
    assert count(repeated, tenant) == 0
    dead = """SELECT count(*) FROM bucketwise.postings p CROSS JOIN unnest(entries) AS entry
              WHERE tenant = %s AND NOT EXISTS (SELECT FROM bucketwise.chunks c WHERE c.number = entry >> 21)"""
    assert count(dead, tenant) == 0
    for key in list(ranked.texts):
        ranked.remove(key)
    ranked.fold(3)
    assert count("SELECT count(*) FROM bucketwise.postings WHERE tenant = %s", tenant) == 0


@pytest.mark.parametrize("ask", [directly, by_postings])
def test_a_document_that_is_stored_again_appends_the_terms_of_what_changed_alone(
    ranked: Ranked, ask: Callable[[Corpus, str], SearchResult]
) -> None:
    first, second, third = "w0x w1x w1x w40x", "w3x w59x", "w2x w5x"
    ranked.store("again.txt", [first, second, first, third])
    before = ranked.postings
    ranked.store("again.txt", [third, first, first, second])
    assert ranked.postings == before
    ranked.check(ask)
    ranked.store("again.txt", [first, second, "w7x w7x w0x", third, "w40x"])
    gone, new = analyse(f"Title again txt {first}", "en"), analyse("Title again txt w7x w0x w40x", "en")
    assert ranked.postings == before + len(gone.counts) + len(new.counts) + 2  # and of each that it is English
    ranked.check(ask)
    ranked.fold(3)
    ranked.check(ask)
    ranked.remove("again.txt")
    ranked.check(ask)
    ranked.fold(3)
    ranked.check(ask)


def test_a_document_whose_title_changed_is_found_by_the_new_one(ranked: Ranked) -> None:
    ranked.corpus.add("titled.txt", "w0x", title="w41x")
    ranked.corpus.add("titled.txt", "w0x", title="w42x")
    scores = {word: {one.key for one in by_postings(ranked.corpus, word).passages} for word in ("w41x", "w42x")}
    assert "titled.txt" in scores["w42x"] - scores["w41x"]
