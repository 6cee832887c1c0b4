"""Ask reads tenants' rows through the functions that are named here and in no other way, and ingest by its own tables.

All that the schema holds is looked at, as the catalogue lists it: what is added later is not forgotten.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from bucketwise import migrations as package
from bucketwise.migrations import Migration, migrations
from tests.integration.index_database import IndexDatabase, connected, migrate_as_owner

ASK, INGEST, OWNER = "bucketwise_ask", "bucketwise_ingest", "bucketwise_migrate"

ASK_EXECUTES = {
    "cached",
    "corpus_version",
    "documents_page",
    "held_version",
    "holds_kind",
    "hybrid_search",
    "index_kind",
    "keep_answer",
    "keep_question",
    "keyword_leg",
    "neighbours",
    "reserve_budget",
    "search",
    "search_both",
    "search_relevant",
    "settle_budget",
    "spoken_languages",
    "stored_for",
}
INGEST_EXECUTES = {"add_terms", "append_terms", "corpus_version", "fold_postings", "holds_kind", "index_kind"}
INGEST_MAY = {
    "attempts": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "cached_answer_sources": {"SELECT"},
    "cached_answers": {"SELECT", "UPDATE", "DELETE"},
    "cached_questions": {"SELECT", "UPDATE", "DELETE"},
    "chunks": {"SELECT", "INSERT", "DELETE"},
    "corpus_changes": {"SELECT", "INSERT", "DELETE"},
    "documents": {"SELECT", "INSERT", "UPDATE"},
    "embedding_sets": {"SELECT"},
    "embeddings": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "postings": {"SELECT", "INSERT", "DELETE"},
    "reconciliations": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "released_texts": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "tenant_languages": {"SELECT", "INSERT"},
    "waiting": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "chunk_number_blocks": {"USAGE"},
    "claims": {"USAGE"},
}
SEARCH_PATH = "search_path=pg_catalog, bucketwise, public, pg_temp"

# Whatever holds rows or numbers.
RELATIONS = """
    SELECT c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c', 't') ORDER BY 1"""
# Of whole tables, and of columns.
RIGHTS = """
    SELECT c.relname, a.privilege_type
    FROM pg_class c
    CROSS JOIN acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS at_first
    CROSS JOIN aclexplode(coalesce(c.relacl, at_first)) AS a
    WHERE c.relnamespace = 'bucketwise'::regnamespace AND a.grantee IN (%(role)s::regrole, 0)
    UNION ALL
    SELECT c.relname, a.privilege_type
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN aclexplode(t.attacl) AS a
    WHERE c.relnamespace = 'bucketwise'::regnamespace AND a.grantee IN (%(role)s::regrole, 0)"""
FUNCTIONS = """
    SELECT p.oid::regprocedure::text, p.proname, p.prosecdef, coalesce(p.proconfig, '{}'), p.proowner::regrole::text
    FROM pg_proc p WHERE p.pronamespace = 'bucketwise'::regnamespace AND has_function_privilege(%s, p.oid, 'EXECUTE')"""
GRANTEES = """
    SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.is_grantable
    FROM (
        SELECT coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
        FROM pg_class WHERE relnamespace = 'bucketwise'::regnamespace AND relkind NOT IN ('i', 'I', 'c', 't')
        UNION ALL SELECT coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
        WHERE pronamespace = 'bucketwise'::regnamespace
        UNION ALL SELECT coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = 'bucketwise'
        UNION ALL SELECT defaclacl FROM pg_default_acl) AS held
    CROSS JOIN aclexplode(held.acl) AS a"""


@pytest.fixture(scope="module")
def superuser(shared_index: IndexDatabase) -> Iterator[Connection]:
    with connected(shared_index.superuser) as connection:
        yield connection


def rights(connection: Connection, role: str) -> dict[str, set[str]]:
    """By relation, of all of them; also those that everybody has."""
    held: dict[str, set[str]] = {name: set() for name, _ in connection.execute(RELATIONS)}
    for name, privilege in connection.execute(RIGHTS, {"role": role}):
        held[name].add(privilege)
    return held


def functions(connection: Connection, role: str) -> list[tuple[Any, ...]]:
    return connection.execute(FUNCTIONS, (role,)).fetchall()


def test_the_catalogue_lists_what_there_is(superuser: Connection) -> None:
    held = rights(superuser, ASK)
    assert held.keys() > INGEST_MAY.keys() | {"index_settings", "schema_migrations"}


def test_ask_has_no_right_on_any_table_or_sequence(superuser: Connection) -> None:
    assert {name: given for name, given in rights(superuser, ASK).items() if given} == {}


def test_ask_is_refused_when_it_reads_or_writes_any_table(shared_index: IndexDatabase, superuser: Connection) -> None:
    with connected(shared_index.ask) as ask:
        for name, kind in superuser.execute(RELATIONS).fetchall():
            table = sql.Identifier("bucketwise", name)
            statements = ["SELECT * FROM {}", "DELETE FROM {}", "TRUNCATE {}", "COPY {} TO STDOUT"]
            for statement in statements if kind != "S" else ["SELECT * FROM {}"]:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    ask.execute(sql.SQL(statement).format(table))


def test_ask_may_execute_what_is_named_here_and_nothing_else(superuser: Connection) -> None:
    assert {row[1] for row in functions(superuser, ASK)} == ASK_EXECUTES


def test_what_ask_may_execute_runs_as_the_owner_on_a_path_of_its_own(superuser: Connection) -> None:
    wrong = [
        signature
        for signature, _, is_definer, configuration, owner in functions(superuser, ASK)
        if not is_definer or SEARCH_PATH not in configuration or owner != OWNER
    ]
    assert wrong == []


def test_ingest_has_the_rights_that_are_named_here_and_no_others(superuser: Connection) -> None:
    assert {name: given for name, given in rights(superuser, INGEST).items() if given} == INGEST_MAY
    assert {row[1] for row in functions(superuser, INGEST)} == INGEST_EXECUTES


def test_nobody_else_has_any_right_and_nobody_may_give_one(superuser: Connection) -> None:
    held = superuser.execute(GRANTEES).fetchall()
    assert {grantee for grantee, _ in held} == {ASK, INGEST, OWNER}
    assert [grantee for grantee, may_give in held if may_give] == []


def test_the_roles_are_nobodys_members_and_have_no_powers(superuser: Connection) -> None:
    flags = superuser.execute(
        """SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s, %s)
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)""",
        (ASK, INGEST, OWNER),
    )
    assert flags.fetchall() == []
    members = superuser.execute(
        """SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members
           WHERE member IN (%s::regrole, %s::regrole) AND roleid::regrole::text <> 'rds_iam'""",
        (ASK, INGEST),
    )
    assert members.fetchall() == []


def test_a_table_for_other_vectors_has_the_same_rights(superuser: Connection) -> None:
    with superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL ROLE bucketwise_migrate")
        superuser.execute("SELECT bucketwise.make_embeddings('embeddings_99', 4, 'halfvec')")
        for role in (ASK, INGEST):
            held = rights(superuser, role)
            assert held["embeddings_99"] == held["embeddings"]


def test_what_a_later_migration_makes_is_nobodys(
    index_database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = """CREATE TABLE bucketwise.later (tenant text); CREATE SEQUENCE bucketwise.later_numbers;
                    CREATE FUNCTION bucketwise.later() RETURNS int LANGUAGE sql RETURN 1;"""
    later = [*migrations(), Migration(90, "0090_later.sql", statements)]
    monkeypatch.setattr(package, "migrations", lambda: later)
    assert migrate_as_owner(index_database) == ["0090_later.sql"]
    with connected(index_database.superuser) as superuser:
        for role in (ASK, INGEST):
            held = rights(superuser, role)
            assert (held["later"], held["later_numbers"]) == (set(), set())
            assert "later" not in {row[1] for row in functions(superuser, role)}


def test_the_planners_samples_of_rows_are_not_asks_to_see(shared_index: IndexDatabase, superuser: Connection) -> None:
    with connected(shared_index.owner) as owner:
        owner.execute("ANALYZE bucketwise.index_settings, bucketwise.schema_migrations")
    samples = "SELECT count(*) FROM pg_stats WHERE schemaname = 'bucketwise'"
    assert (superuser.execute(samples).fetchone() or (0,))[0] > 0
    with connected(shared_index.ask) as ask:
        assert ask.execute(samples).fetchone() == (0,)
        for table in ("pg_statistic", "pg_authid"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ask.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))


def test_tables_of_ones_own_take_no_tables_place(shared_index: IndexDatabase) -> None:
    with connected(shared_index.ask) as ask:
        ask.execute("CREATE TEMPORARY TABLE corpus_changes (tenant text, delta bigint, chunks bigint, length bigint)")
        ask.execute("INSERT INTO pg_temp.corpus_changes VALUES ('nobody', 99, 99, 99)")
        ask.execute("SET search_path = pg_temp, bucketwise, public")
        assert ask.execute("SELECT bucketwise.corpus_version('nobody')").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask.execute("CREATE TABLE bucketwise.mine ()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask.execute("CREATE TABLE public.mine ()")
