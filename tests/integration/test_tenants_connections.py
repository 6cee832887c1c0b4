"""A small tenant beside a giant one gets all that it has, whatever its connection was used for before, and by whom."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded
from bucketwise.search import SearchQuery, search
from tests.integration.corpus import QUESTION, Corpus, corpus_of, random_vector
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.pgbouncer import PROGRAM, pooled
from tests.unit.ingest_fakes import SOON

CHUNKS = {"giant": 600, "middle": 90, "small": 30, "single": 1, "empty": 0}
CHUNKS_OF_A_DOCUMENT = 30
EXACT_BELOW = 50  # the small ones are compared one by one, of the others the vector index is asked
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Tenants:
    """``way`` leads ask's role to the database: directly, or by a pooler with one connection for all its clients."""

    database: IndexDatabase
    way: str

    def ask(self, asked: Database, tenant: str, **changes: object) -> list[tuple[str, int]]:
        query = SearchQuery(tenant, "trains", QUESTION, {}, LIMIT, LIMIT, 0.5, exact_below=EXACT_BELOW)
        given = replace(query, **changes)  # type: ignore[arg-type]
        passages = asked.run(lambda connection: search(connection, given), deadline=SOON).passages
        assert {passage.text.partition(" ")[0] for passage in passages} <= {tenant}
        return [(passage.key, passage.ordinal) for passage in passages]

    def check(self, asked: Database) -> None:
        """Each tenant has min(k, n) rows, by either leg and by both."""
        for tenant, there in CHUNKS.items():
            for changes in ({}, {"text": ""}, {"vector": None}, {"filters": {"prefix": "d0.txt"}}):
                among = min(there, CHUNKS_OF_A_DOCUMENT) if "filters" in changes else there
                found = self.ask(asked, tenant, **changes)
                assert len(set(found)) == len(found) == min(LIMIT, among), (tenant, changes)


@pytest.fixture(scope="module")
def database(shared_index: IndexDatabase) -> IndexDatabase:
    for tenant, count in CHUNKS.items():
        with corpus_of(shared_index, tenant) as corpus:
            for start in range(0, count, CHUNKS_OF_A_DOCUMENT):
                _add(corpus, tenant, start, min(CHUNKS_OF_A_DOCUMENT, count - start))
    return shared_index


def _add(corpus: Corpus, tenant: str, start: int, count: int) -> None:
    """The giant's passages lie around the question; nine tenths of the others' on the far side of it."""
    noise = [random_vector(f"{tenant} {start} {number}") for number in range(count)]
    sides = [1 if tenant == "giant" or number % 10 == 0 else -1 for number in range(count)]
    vectors = [
        [side * x + 0.1 * y for x, y in zip(QUESTION, each, strict=True)]
        for side, each in zip(sides, noise, strict=True)
    ]
    texts = [f"{tenant} speaks of trains, {start + number}." for number in range(count)]
    corpus.add(f"d{start // CHUNKS_OF_A_DOCUMENT}.txt", *texts, like=vectors)


@pytest.fixture(
    scope="module",
    params=[
        "directly",
        pytest.param("pooled", marks=pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")),
    ],
)
def tenants(request: pytest.FixtureRequest, database: IndexDatabase) -> Iterator[Tenants]:
    with ExitStack() as stack:
        pooler = request.param == "pooled"
        way = stack.enter_context(pooled(database, "bucketwise_ask")) if pooler else database.ask
        yield Tenants(database, way)


@pytest.fixture
def asked(tenants: Tenants) -> Iterator[Database]:
    with opened(tenants.way) as asked:
        yield asked


def searches_of_the_giant(tenants: Tenants, asked: Database) -> None:
    for _ in range(20):
        assert len(tenants.ask(asked, "giant")) == LIMIT


def searches_of_the_empty_tenant(tenants: Tenants, asked: Database) -> None:
    for _ in range(20):
        assert tenants.ask(asked, "empty") == []


def an_aborted_transaction(tenants: Tenants, asked: Database) -> None:
    def work(connection: Connection) -> None:
        search(connection, SearchQuery("giant", "trains", QUESTION, {}, LIMIT, LIMIT, 0.5))
        connection.execute("SELECT 1 / 0")

    assert tenants.database
    with pytest.raises(psycopg.errors.DivisionByZero):
        asked.run(work, deadline=SOON)


def settings_of_a_transaction(tenants: Tenants, asked: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute("SET LOCAL hnsw.ef_search = 1")
        connection.execute("SET LOCAL hnsw.iterative_scan = off")
        connection.execute("SET LOCAL enable_indexscan = off")
        search(connection, SearchQuery("giant", "trains", QUESTION, {}, LIMIT, LIMIT, 0.5, exact_below=0))

    assert tenants.database
    asked.run(work, deadline=SOON)


def settings_of_another_clients_session(tenants: Tenants, _asked: Database) -> None:
    """Of a pooled connection they stay behind, for whoever comes next."""
    with connected(tenants.way) as other:
        other.execute("SET hnsw.iterative_scan = off")
        other.execute("SET hnsw.ef_search = 1")
        other.execute("SET hnsw.max_scan_tuples = 1")
        other.execute("SET plan_cache_mode = force_generic_plan")
        other.execute("SET enable_indexscan = off")


def a_statement_that_ran_out_of_time(tenants: Tenants, asked: Database) -> None:
    assert tenants.database
    with pytest.raises(DeadlineExceeded):
        asked.run(lambda connection: connection.execute("SELECT pg_sleep(30)"), deadline=Deadline.after(0.1))


def a_search_that_ran_out_of_time(tenants: Tenants, asked: Database) -> None:
    query = SearchQuery("giant", "trains", QUESTION, {}, LIMIT, LIMIT, 0.5, exact_below=0)
    assert tenants.database
    with suppress(DeadlineExceeded):  # it may just come in time
        asked.run(lambda connection: search(connection, query), deadline=Deadline.after(0.002))


def a_query_that_was_cancelled(tenants: Tenants, asked: Database) -> None:
    def work(connection: Connection) -> None:
        cancel = ["SELECT count(pg_cancel_backend(%s))", _backend(connection)]
        canceller = threading.Timer(0.1, tenants.database.count, cancel)
        canceller.start()
        try:
            connection.execute("SELECT pg_sleep(30)")
        finally:
            canceller.join()

    with pytest.raises(DeadlineExceeded):
        asked.run(work, deadline=SOON)


HISTORIES: list[Callable[[Tenants, Database], None]] = [
    searches_of_the_giant,
    searches_of_the_empty_tenant,
    an_aborted_transaction,
    settings_of_a_transaction,
    settings_of_another_clients_session,
    a_statement_that_ran_out_of_time,
    a_search_that_ran_out_of_time,
    a_query_that_was_cancelled,
]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_a_small_tenant_gets_all_it_has_after(
    tenants: Tenants, asked: Database, history: Callable[[Tenants, Database], None]
) -> None:
    history(tenants, asked)
    tenants.check(asked)


@pytest.mark.parametrize("seed", range(2))
def test_a_small_tenant_gets_all_it_has_after_all_of_it_in_any_order(
    tenants: Tenants, asked: Database, seed: int
) -> None:
    order = random.Random(seed)  # noqa: S311  # the same at every run
    for history in order.sample(HISTORIES, len(HISTORIES)):
        history(tenants, asked)
        tenants.check(asked)


def test_clients_of_one_pooled_connection_get_their_own_tenants_passages(tenants: Tenants) -> None:
    with opened(tenants.way) as one, opened(tenants.way) as other:
        for _ in range(10):
            assert len(tenants.ask(one, "giant")) == LIMIT
            assert len(tenants.ask(other, "small")) == CHUNKS["small"]
        behind = {each.run(_backend, deadline=SOON) for each in (one, other, one)}
    assert len(behind) == (2 if tenants.way == tenants.database.ask else 1)


def _backend(connection: Connection) -> int:
    [pid] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
    return int(pid)
