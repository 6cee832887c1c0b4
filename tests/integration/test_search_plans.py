"""A connection plans a search once: whoever asked first and whatever had come in by then, later searches find all."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.types.json import Jsonb

from bucketwise.analysis import analyse
from bucketwise.keyword_terms import packed
from bucketwise.search import SearchQuery, SearchResult, search
from tests.integration.corpus import QUESTION, cosine, places, random_vector
from tests.integration.index_database import IndexDatabase, connected

DOCUMENTS, CHUNKS = 1500, 2
WORDS = [f"w{number}x" for number in range(40)]
ASKED = "w0x w3x w31x"
TEAMS: list[dict[str, Any]] = [
    {"condition": '$.metadata."team" == "ops"'},
    {"condition": '$.metadata."team" == "law"'},
    {"prefix": "ops/"},
    {"prefix": "law"},
    {"prefix": "law", "condition": '$.metadata."team" == "law"'},
]
WHOLE_TABLES_READ = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'bucketwise'::regnamespace AND pg_stat_get_xact_numscans(oid) > 0
      AND relname IN ('chunks', 'embeddings', 'postings')"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Of ``documents`` documents with two chunks each, a third is of the team law and below law/, the others of ops."""

    name: str
    documents: int

    @property
    def places(self) -> list[tuple[str, int]]:
        keys = [f"{'ops' if number % 3 else 'law'}/{number}.txt" for number in range(self.documents)]
        return [(key, ordinal) for key in keys for ordinal in range(CHUNKS)]

    def vector(self, place: tuple[str, int]) -> list[float]:
        return random_vector(f"{self.name} {place}")

    def nearest(self, prefix: str) -> list[tuple[str, int]]:
        among = [place for place in self.places if place[0].startswith(prefix)]
        return sorted(among, key=lambda place: -cosine(self.vector(place), QUESTION))

    def store(self, connection: Connection) -> None:
        """As ingest would leave it, at once."""
        register_vector(connection)
        numbers = random.Random(self.name)  # noqa: S311  # the same at every run
        blocks = range(len(self.places) // 1024 + 1)
        [first, *_] = [
            connection.execute("SELECT nextval('bucketwise.chunk_number_blocks') * 1024").fetchone() for _ in blocks
        ]
        assert first is not None
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO bucketwise.documents (tenant, key, claim, state, metadata, chunks, language)
                   VALUES (%s, %s, 1, 'indexed', %s, %s, 'en')""",
                [(self.name, key, Jsonb({"team": key[:3]}), CHUNKS) for key, ordinal in self.places if ordinal == 0],
            )
            with cursor.copy(
                "COPY bucketwise.embeddings (tenant, text_sha256, embedding) FROM STDIN (FORMAT binary)"
            ) as rows:
                rows.set_types(["text", "bytea", "halfvec"])
                for place in self.places:
                    rows.write_row((self.name, repr(place).encode(), HalfVector(self.vector(place))))
            with cursor.copy(
                """COPY bucketwise.chunks (tenant, key, ordinal, text_sha256, text, tokens, start_offset, end_offset,
                                           marks, context, number, length, terms) FROM STDIN"""
            ) as rows:
                for number, place in enumerate(self.places, start=first[0]):
                    text = " ".join(WORDS[min(int(numbers.expovariate(0.2)), 39)] for _ in range(9))
                    terms = analyse(text, "en")
                    rows.write_row(
                        (self.name, *place, repr(place).encode(), text, 9, 0, len(text), Jsonb([]), "",
                         number, terms.length, packed(terms, "en"))
                    )  # fmt: skip
            cursor.execute(
                "SELECT bucketwise.add_terms(tenant, key, 'en') FROM bucketwise.documents WHERE tenant = %s",
                (self.name,),
            )

    def ask(self, connection: Connection, text: str, vector: list[float] | None, **changes: Any) -> SearchResult:
        given: dict[str, Any] = {"filters": {}, "limit": 10, "depth": 50, "keyword_weight": 0.6}
        return search(connection, SearchQuery(self.name, text, vector, **(given | changes)))


LARGE, SMALL = Tenant("large", DOCUMENTS), Tenant("small", 4)


@pytest.fixture(scope="module")
def connection(shared_index: IndexDatabase) -> Iterator[Connection]:
    """Of ask, whose plans were made when there was a small tenant alone, and PostgreSQL knew that."""
    with connected(shared_index.superuser) as superuser, connected(shared_index.ask) as connection:
        register_vector(connection)
        SMALL.store(superuser)
        superuser.execute("ANALYZE")
        for exact_below in (10_000, 0):
            assert SMALL.ask(connection, ASKED, QUESTION, exact_below=exact_below).passages != []
        LARGE.store(superuser)
        yield connection


@pytest.mark.parametrize("filters", TEAMS, ids=str)
def test_a_filter_may_leave_documents_by_the_thousand(connection: Connection, filters: dict[str, Any]) -> None:
    nearest = LARGE.nearest("law/" if "law" in str(filters) else "ops/")
    exactly, by_index = (
        LARGE.ask(connection, "", QUESTION, filters=filters, exact_below=exact_below, limit=50)
        for exact_below in (10_000, 0)
    )
    assert places(exactly)[:10] == nearest[:10]
    assert len({*places(by_index)[:10]} & {*nearest[:10]}) >= 9
    assert len(exactly.passages) == len(by_index.passages) == 50


@pytest.mark.parametrize("filters", [{}, *TEAMS], ids=str)
def test_posting_lists_give_what_scoring_each_chunk_gives(connection: Connection, filters: dict[str, Any]) -> None:
    each, by_postings = (
        LARGE.ask(connection, ASKED, None, filters=filters, exact_below=exact_below, limit=50)
        for exact_below in (10_000, 0)
    )
    assert len(each.passages) == 50
    assert [one.keyword_score for one in by_postings.passages] == pytest.approx(
        [one.keyword_score for one in each.passages]
    )
    assert {key[:3] for key, _ in places(by_postings)} <= ({"law"} if "law" in str(filters) else {"ops", "law"})


@pytest.mark.parametrize("exact_below", [10_000, 0])
def test_a_passage_that_keywords_alone_found_has_its_cosine_too(connection: Connection, exact_below: int) -> None:
    found = LARGE.ask(connection, ASKED, QUESTION, depth=1, exact_below=exact_below)
    assert sorted((one.vector_rank, one.keyword_rank) for one in found.passages if one.vector_rank) == [(1, None)]
    assert [one.keyword_rank for one in found.passages if not one.vector_rank] == [1]
    for one in found.passages:
        assert one.cosine == pytest.approx(cosine(LARGE.vector((one.key, one.ordinal)), QUESTION), abs=0.002)


@pytest.mark.parametrize("exact_below", [10_000, 0])
def test_a_small_tenant_gets_all_it_has_on_the_connection_of_a_large_one(
    connection: Connection, exact_below: int
) -> None:
    for _ in range(7):  # a plan for any values is weighed up after five
        assert len(LARGE.ask(connection, ASKED, QUESTION, exact_below=exact_below).passages) == 10
    found = SMALL.ask(connection, ASKED, QUESTION, exact_below=exact_below)
    assert sorted(places(found)) == sorted(SMALL.places)
    law = SMALL.ask(connection, ASKED, QUESTION, exact_below=exact_below, filters={"prefix": "law/"})
    assert sorted(places(law)) == sorted(place for place in SMALL.places if place[0].startswith("law/"))


@pytest.mark.parametrize("exact_below", [10_000, 0])
@pytest.mark.parametrize("tenant", [SMALL, LARGE], ids=lambda tenant: tenant.name)
@pytest.mark.parametrize("filters", [{}, {"prefix": "law/"}], ids=str)
def test_no_table_is_read_from_end_to_end(
    connection: Connection, tenant: Tenant, exact_below: int, filters: dict[str, Any]
) -> None:
    with connection.transaction():
        assert tenant.ask(connection, ASKED, QUESTION, exact_below=exact_below, filters=filters).passages
        assert connection.execute(WHOLE_TABLES_READ).fetchall() == []


KEYS = [
    "a",
    "a/",
    "a/b",
    "a/b.txt",
    "a/b/c",
    "a0",
    "a/\U0010ffff",
    "a/\U0010ffff\U0010ffff/b",
    "b",
    "á/b",
    "A/b",
    "a%/b",
]


@pytest.mark.parametrize("filters", [{"prefix": key} for key in KEYS] + [{"key": key} for key in KEYS], ids=str)
def test_documents_are_looked_for_only_where_those_that_match_may_be(
    shared_index: IndexDatabase, filters: dict[str, Any]
) -> None:
    with connected(shared_index.superuser) as superuser, superuser.transaction(force_rollback=True):
        for tenant in ("asking", "another"):
            for key in KEYS:
                superuser.execute(
                    """INSERT INTO bucketwise.documents (tenant, key, claim, state, chunks)
                       VALUES (%s, %s, 1, 'indexed', 3)""",
                    (tenant, key),
                )
        rows = superuser.execute(
            """SELECT key FROM bucketwise.documents d
               WHERE tenant = 'asking' AND bucketwise.document_matches(d, %s) ORDER BY key""",
            (Jsonb(filters),),
        ).fetchall()
        found = superuser.execute(
            "SELECT keys, chunks FROM bucketwise.matching_documents('asking', %s)", (Jsonb(filters),)
        ).fetchone()
    assert found is not None
    assert sorted(found[0]) == sorted(key for (key,) in rows) != []
    assert found[1] == 3 * len(rows)


def test_documents_that_are_gone_or_failed_are_not_looked_through(shared_index: IndexDatabase) -> None:
    with connected(shared_index.superuser) as superuser, superuser.transaction(force_rollback=True):
        superuser.execute(
            """INSERT INTO bucketwise.documents (tenant, key, claim, state, reason) VALUES
                   ('left', 'a', 1, 'deleted', NULL), ('left', 'b', 1, 'failed', 'corrupt'),
                   ('left', 'c', 1, 'indexed', NULL)"""
        )
        found = superuser.execute("""SELECT keys FROM bucketwise.matching_documents('left', '{"prefix": "a"}')""")
        assert found.fetchone() == ([],)
        every = superuser.execute(
            """SELECT keys FROM bucketwise.matching_documents('left', '{"condition": "1 == 1"}')"""
        )
        assert every.fetchone() == (["c"],)
