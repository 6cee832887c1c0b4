"""A migration leaves what older code calls: while a stack is upgraded, functions of two versions run on one schema."""

import pytest

from bucketwise import migrations as package
from bucketwise.migrations import Migration, migrations
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase, connected

# By what name code finds each thing, and of what form.
COLUMNS = """SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
                 AND a.attnum > 0 AND NOT a.attisdropped"""
FUNCTIONS = """SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')', pg_get_function_result(oid)
               FROM pg_proc WHERE pronamespace = 'bucketwise'::regnamespace"""
# What an INSERT has to name.
NEEDED = """SELECT c.relname || '.' || a.attname, 'needed'
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind IN ('r', 'p')
                AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''"""

Schema = dict[str, dict[str, str]]
NOTHING: Schema = {COLUMNS: {}, FUNCTIONS: {}, NEEDED: {}}

# They came before the first release, so no deployed code called what they took away. This list does not grow.
TOOK_AWAY = [
    "0005_vector_index.sql", "0007_documents.sql", "0008_metadata.sql", "0010_keywords.sql", "0014_fusion.sql",
    "0018_cheaper_search.sql",
]  # fmt: skip


def read(database: IndexDatabase) -> Schema:
    with connected(database.superuser) as connection:
        return {query: dict(connection.execute(query.encode()).fetchall()) for query in NOTHING}


def apply(database: IndexDatabase, migration: Migration) -> None:
    """One file by itself, which migrate cannot do: it gives rights on the whole schema."""
    with connected(database.owner) as connection, connection.transaction():
        package._applied(connection)
        package._set_for_this_transaction(
            connection, embedding_model=MODEL, dimensions=str(DIMENSIONS), vector_index="auto"
        )
        connection.execute(migration.text.encode())


def missed(before: Schema, after: Schema) -> set[str]:
    """What code that was written for ``before`` would not find, find of another form, or not know to name."""
    gone = {
        name for kind in (COLUMNS, FUNCTIONS) for name, form in before[kind].items() if after[kind].get(name) != form
    }
    tables = {name.partition(".")[0] for name in before[COLUMNS]}
    return gone | {name for name in after[NEEDED].keys() - before[NEEDED].keys() if name.partition(".")[0] in tables}


def test_no_migration_takes_away_what_older_code_calls(empty: IndexDatabase) -> None:
    took_away, before = [], NOTHING
    for migration in migrations():
        apply(empty, migration)
        after = read(empty)
        if missed(before, after):
            took_away.append(migration.name)
        before = after
    assert took_away == TOOK_AWAY


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DROP TABLE bucketwise.spending CASCADE", "spending."),
        ("ALTER TABLE bucketwise.chunks RENAME COLUMN text TO words", "chunks.text"),
        ("ALTER TABLE bucketwise.documents ALTER COLUMN size TYPE text", "documents.size"),
        ("ALTER TABLE bucketwise.documents ADD COLUMN given int; "
         "ALTER TABLE bucketwise.documents ALTER COLUMN given SET NOT NULL", "documents.given"),
        ("DROP FUNCTION bucketwise.holds_kind", "holds_kind("),
        ("ALTER FUNCTION bucketwise.holds_kind RENAME TO has_kind", "holds_kind("),
    ],
)  # fmt: skip
def test_what_is_taken_away_is_seen(index_database: IndexDatabase, change: str, what: str) -> None:
    before = read(index_database)
    apply(index_database, Migration(90, "0090_less.sql", change))
    assert {name for name in missed(before, read(index_database)) if name.startswith(what)}


def test_what_is_added_takes_nothing_away(index_database: IndexDatabase) -> None:
    before = read(index_database)
    added = """CREATE TABLE bucketwise.notes (id int NOT NULL);
               ALTER TABLE bucketwise.documents ADD COLUMN note text, ADD COLUMN stars int NOT NULL DEFAULT 0;
               CREATE FUNCTION bucketwise.note() RETURNS text LANGUAGE sql AS 'SELECT null::text';"""
    apply(index_database, Migration(90, "0090_more.sql", added))
    assert missed(before, read(index_database)) == set()
