"""One large tenant among many small ones: a plan that is kept must not read all of it for a few of its rows."""

from collections.abc import Iterator

import pytest
from psycopg import Connection
from psycopg.types.json import Json

from tests.integration.index_database import IndexDatabase, connected

SMALL, LARGE = 30_000, 20_000  # tenants with one document; documents of the large one
ROWS = """
    INSERT INTO bucketwise.documents (tenant, key, state, version, claim)
    SELECT * FROM (
        SELECT 'small' || n, 'a.txt', 'indexed', 'v1', n FROM generate_series(1, %s) AS n
        UNION ALL SELECT 'large', 'doc' || n, 'indexed', 'v1', n FROM generate_series(1, %s) AS n) AS made"""
KEYS = [f"doc{number * 97 + 1}" for number in range(8)]
MOST_PAGES = 400  # of the index and its tables, for eight documents; all of the large tenant's have some thousand


@pytest.fixture(scope="module")
def owner(shared_index: IndexDatabase) -> Iterator[Connection]:
    with connected(shared_index.owner) as connection:
        connection.execute(ROWS, (SMALL, LARGE))
        connection.execute("ANALYZE bucketwise.documents, bucketwise.chunks")
        yield connection


def pages(connection: Connection, statement: str, values: tuple[object, ...]) -> int:
    """That a call reads, once the connection has its plans."""
    for _ in range(2):
        rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode(), values).fetchall()
    plan = rows[0][0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def test_neighbours_are_looked_up_by_their_keys(owner: Connection) -> None:
    call = "SELECT * FROM bucketwise.neighbours('large', %s, %s, %s)"
    assert pages(owner, call, (KEYS, [0] * 8, [9] * 8)) < MOST_PAGES


def test_the_sources_of_an_answer_are_locked_by_their_keys(owner: Connection) -> None:
    call = "SELECT bucketwise.keep_answer('large', %s, bucketwise.corpus_version('large'), %s, %s, %s)"
    assert pages(owner, call, (b"fingerprint", Json({"text": "x"}), KEYS, ["v1"] * 8)) < MOST_PAGES
    assert owner.execute("SELECT count(*) FROM bucketwise.cached_answer_sources").fetchone() == (8,)
