"""A database whose owner set its sessions to something else is migrated, written and read like any other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from psycopg import Connection, sql

from ask.documents import Documents
from ask.searching import DatabaseSearcher
from bucketwise.migrations import leave_database, migrate, prepare_database
from ingest.differences import HeldDocument
from ingest.inventory import Inventory
from ingest.tenants import Tenancy
from tests.integration.corpus import QUESTION, corpus_of
from tests.integration.index_database import ADMINISTRATOR, DIMENSIONS, MODEL, IndexDatabase, connected, opened
from tests.unit.ingest_fakes import SOON

TEXT = "Käse, 日本 and a \\ in 'quotes' are 25 days old."
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
ODD = {
    "timezone": "America/New_York",
    "TimeZone": "Asia/Tokyo",
    "datestyle": "SQL, DMY",
    "client_encoding": "LATIN1",
    "search_path": "nowhere",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
    "array_nulls": "off",
    "row_security": "off",
}


def alter(database: IndexDatabase, name: str, value: str, *roles: str) -> None:
    """For all of the database's sessions; or for a role's, which counts for more than anything else that is kept."""
    of_roles = [sql.SQL("ROLE {} IN DATABASE").format(sql.Identifier(role)) for role in roles]
    whose: Sequence[sql.Composable] = of_roles or [sql.SQL("DATABASE")]
    with connected(database.superuser) as superuser:
        for each in whose:
            where = [each, sql.Identifier(database.name), sql.Identifier(name.lower())]
            superuser.execute(sql.SQL("ALTER {} {} SET {} TO {}").format(*where, sql.Literal(value)))


def isolation(connection: Connection) -> object:
    return connection.execute("SHOW transaction_isolation").fetchone()


def work_through(database: IndexDatabase, tenant: str) -> None:
    with corpus_of(database, tenant) as corpus:
        corpus.add("a.txt", TEXT, like=[QUESTION], title="Käse 日本")
        with connected(database.superuser) as superuser:
            superuser.execute("UPDATE bucketwise.documents SET created = %s, modified = %s", (FIRST, LAST))
        [document] = Documents(corpus.asked, tenant).page(deadline=SOON).documents
        assert (document["title"], document["created"], document["modified"]) == ("Käse 日本", FIRST, LAST)
        for found in (corpus.ask("Käse"), corpus.ask(vector=QUESTION)):
            assert [passage.text for passage in found.passages] == [TEXT]
        searcher, query = DatabaseSearcher(corpus.asked), replace(corpus.query("Käse unbekannt"), vector=QUESTION)
        ahead = searcher.ahead(query, deadline=SOON)
        assert searcher.search(query, ahead, deadline=SOON) == searcher.search(query, deadline=SOON)
        span = {"modified_from": "0001-01-01T00:00:00Z", "modified_before": "9999-12-31T00:00:00Z"}
        assert corpus.ask("Käse", filters=span).passages
        assert not corpus.ask("Käse", filters={"modified_before": "0002-01-01T00:00:00Z"}).passages
        [held] = Inventory(corpus.index.database, Tenancy(tenant)).held(after="", deadline=SOON)
        assert isinstance(held, HeldDocument)
        corpus.add("a.txt", f"{TEXT} Now it is older.")
        corpus.remove("a.txt")


@pytest.mark.parametrize("name", ODD)
def test_what_the_sessions_of_our_roles_are_set_to_counts_for_nothing(index_database: IndexDatabase, name: str) -> None:
    alter(index_database, name, ODD[name], "bucketwise_ingest", "bucketwise_ask")
    work_through(index_database, "acme")


@pytest.mark.parametrize("name", ODD)
def test_a_database_that_is_set_otherwise_is_migrated(empty: IndexDatabase, name: str) -> None:
    alter(empty, name, ODD[name])
    with connected(empty.dsn(ADMINISTRATOR)) as administrator:
        prepare_database(administrator)
        administrator.execute("SET ROLE bucketwise_migrate")
        assert migrate(administrator, embedding_model=MODEL, dimensions=DIMENSIONS)
        assert migrate(administrator, embedding_model=MODEL, dimensions=DIMENSIONS) == []
        leave_database(administrator)
    work_through(empty, "acme")


def test_a_transaction_is_isolated_as_the_code_expects(index_database: IndexDatabase) -> None:
    alter(index_database, "default_transaction_isolation", "repeatable read", "bucketwise_ingest")

    with opened(index_database.ingest) as database:
        levels = [database.run(isolation, deadline=SOON) for _ in range(3)]
    assert levels == [("read committed",)] * 3
