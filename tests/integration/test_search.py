"""Search finds the passages nearest to a question among one tenant's, whatever the filters leave of them."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from bucketwise import search as module
from bucketwise.search import SearchQuery, SearchResult, search
from tests.integration.corpus import QUESTION, Corpus, corpus_of, cosine, keys, places
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTS, CHUNKS = 100, 3
BRANCHES = [pytest.param(10_000, id="exact"), pytest.param(0, id="hnsw")]


@pytest.fixture
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """A tenant without documents."""
    with corpus_of(shared_index, uuid4().hex) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def many(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """300 chunks; three documents, far from the question, lie under rare/, and are of another type, date and team."""
    with corpus_of(shared_index, "many") as corpus:
        for n in range(DOCUMENTS - 3):
            day = DAY_ONE + timedelta(days=n)
            texts = [f"Report {n} part {part} speaks of trains." for part in range(CHUNKS)]
            corpus.add(f"usual/{n:03}.txt", *texts, last_modified=day, metadata={"team": "ops", "year": "2026"})
        for n in range(3):
            texts = [f"Rare {n} part {part} speaks of ships." for part in range(CHUNKS)]
            away = [[-x + 0.01 * (n * CHUNKS + part + 1) for x in QUESTION] for part in range(CHUNKS)]
            corpus.add(
                f"rare/{n}.pdf",
                *texts,
                like=away,
                content_type="application/pdf",
                last_modified=DAY_ONE - timedelta(days=n + 1),
                metadata={"team": "law", "year": "2026"},
            )
        with connected(shared_index.owner) as owner:
            owner.execute("ANALYZE bucketwise.documents, bucketwise.chunks, bucketwise.embeddings")
        yield corpus


@pytest.fixture
def branch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many chunks are compared one by one."""
    monkeypatch.setattr(module, "EXACT_BELOW", request.param)
    return int(request.param)


RARE: list[dict[str, Any]] = [
    {"prefix": "rare/"},
    {"content_type": "application/pdf"},
    {"modified_before": DAY_ONE.isoformat()},
    {"metadata": {"team": "law"}},
    {"prefix": "rare/", "metadata": {"team": "law", "year": "2026"}, "modified_from": "2025-12-01T00:00:00Z"},
]


@pytest.mark.parametrize("branch", BRANCHES, indirect=True)
def test_the_nearest_passages_are_those_that_a_comparison_by_hand_finds(many: Corpus, branch: int) -> None:
    found = many.ask(vector=QUESTION, keyword_weight=0.0)
    assert places(found) == many.nearest()[:10], branch
    for passage in found.passages:
        by_hand = cosine(many.vectors[passage.key, passage.ordinal], QUESTION)
        assert passage.cosine == pytest.approx(by_hand, abs=0.002)
    assert [passage.vector_rank for passage in found.passages] == list(range(1, 11))


@pytest.mark.parametrize("branch", BRANCHES, indirect=True)
@pytest.mark.parametrize("filters", RARE, ids=lambda filters: "+".join(filters))
def test_as_many_passages_come_as_exist_however_few_a_filter_leaves(
    many: Corpus, branch: int, filters: dict[str, Any]
) -> None:
    found = many.ask("trains", QUESTION, filters=filters, limit=50)
    assert sorted(places(found)) == sorted(many.nearest("rare/")), branch
    assert len(found.passages) == 3 * CHUNKS


@pytest.mark.parametrize("branch", BRANCHES, indirect=True)
def test_one_document_can_be_asked_alone(many: Corpus, branch: int) -> None:
    found = many.ask("ships", QUESTION, filters={"key": "rare/1.pdf"})
    assert sorted(places(found)) == [("rare/1.pdf", n) for n in range(CHUNKS)], branch


def ask_by_index(corpus: Corpus, **changes: Any) -> SearchResult:
    """The answer of a planner that is left no way but HNSW's index."""
    query = SearchQuery(corpus.index.tenant, "", QUESTION, {}, limit=10, depth=50, keyword_weight=0.0)

    def work(connection: Connection) -> SearchResult:
        for setting in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
            connection.execute(f"SET LOCAL enable_{setting} = off".encode())
        return search(connection, replace(query, **changes))

    return corpus.asked.run(work, deadline=SOON)


@pytest.mark.parametrize("branch", [0], indirect=True)
def test_the_vector_index_gives_the_same_and_as_many_under_a_filter(many: Corpus, branch: int) -> None:
    scans = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'embeddings_hnsw'"
    before = many.database.count(scans)
    assert places(ask_by_index(many)) == many.nearest()[:10], branch
    assert places(ask_by_index(many, filters={"prefix": "rare/"}, limit=50)) == many.nearest("rare/")
    many.asked.close()  # so that its statistics are told, when its session has ended
    until = time.monotonic() + 30
    while many.database.count(scans) < before + 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert many.database.count(scans) >= before + 2


@pytest.mark.parametrize("branch", [0], indirect=True)
def test_the_vector_index_gives_a_small_tenant_all_it_has(corpus: Corpus, many: Corpus, branch: int) -> None:
    corpus.add("a.txt", *(f"text {n}" for n in range(5)), like=[[-x + n * 0.1 for x in QUESTION] for n in range(5)])
    assert many.vectors
    assert places(ask_by_index(corpus)) == corpus.nearest(), branch


def test_a_date_that_ends_a_span_is_not_in_it_and_one_that_begins_it_is(many: Corpus) -> None:
    span = {"modified_from": "2026-01-03T00:00:00Z", "modified_before": "2026-01-05T00:00:00Z"}
    assert keys(many.ask(vector=QUESTION, filters=span)) == {"usual/002.txt", "usual/003.txt"}


def test_a_limit_bounds_the_passages_and_a_depth_those_that_compete(many: Corpus) -> None:
    assert len(many.ask("trains", QUESTION, limit=4).passages) == 4
    assert len(many.ask("", QUESTION, limit=50, depth=7).passages) == 7


@pytest.mark.parametrize(
    "filters",
    [{"prefix": "none/"}, {"prefix": "USUAL/"}, {"prefix": "usual/%"}, {"key": "usual"}, {"metadata": {"team": "x"}}],
    ids=str,
)
def test_filters_that_match_nothing_leave_the_corpus_version(many: Corpus, filters: dict[str, Any]) -> None:
    assert many.ask("trains", QUESTION, filters=filters) == SearchResult(DOCUMENTS, [], languages=frozenset({"en"}))


def test_a_tenant_without_documents_finds_nothing(corpus: Corpus, many: Corpus) -> None:
    assert many.vectors
    assert corpus.ask("trains and ships", QUESTION) == SearchResult(0, [])


@pytest.mark.parametrize("branch", BRANCHES, indirect=True)
def test_another_tenants_passages_never_come(corpus: Corpus, many: Corpus, branch: int) -> None:
    text = "Report 1 part 1 speaks of trains."
    corpus.add("usual/001.txt", text, like=[[-x for x in QUESTION]])
    assert places(corpus.ask("trains", QUESTION, limit=50)) == [("usual/001.txt", 0)], branch
    assert places(corpus.ask("trains", QUESTION, filters={"key": "usual/001.txt"})) == [("usual/001.txt", 0)]
    assert keys(many.ask("trains", QUESTION, filters={"key": "usual/001.txt"})) == {"usual/001.txt"}
    assert len(many.ask("trains", QUESTION, filters={"key": "usual/001.txt"}).passages) == CHUNKS
