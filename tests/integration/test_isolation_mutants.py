"""Without any one of its tenant predicates, a function that ask may execute answers otherwise; or why it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.integration.canary_tenants import LANGUAGES, answers, calls, canary_tenants
from tests.integration.function_mutants import (
    Function,
    mutants,
    reads_of,
    searchable_functions,
    without_all,
)
from tests.integration.index_database import IndexDatabase, connected, copied_database

OF_NO_TENANT = {"index_kind", "holds_kind"}
WITH_TENANTS = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
    WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind = 'r'"""

# Mutants that answer as the function does, and why.
HARMLESS = {
    "keyword_leg: WHERE l.tenant = for_tenant AND l.language <> ALL(of_languages));":
        "words as they are stand in no posting of a tenant without documents in a language without a stemmer",
    "spend: WHERE s.tenant = for_tenant AND s.day < on_day - 1 AND s.number IN (":
        "the rows to delete are chosen by tenant, and nobody asks for days gone by",
    "spend: WHERE o.tenant = for_tenant AND o.day < on_day - 1":
        "and others than one's own that were chosen are not deleted",
}  # fmt: skip
# Predicates of one function of which each does the work of the other.
TWICE = {
    "best_among: WHERE l.tenant = for_tenant AND l.term = w.term OFFSET 0) AS p) AS e",
    "best_among: WHERE c.tenant = for_tenant AND (among IS NULL OR c.key IN (SELECT unnest(among))))",
    "spend: WHERE s.tenant = for_tenant AND s.day = on_day AND s.caller = by_caller",
    "spend: WHERE s.tenant = for_tenant AND s.number = found_number;",
}


@dataclass(frozen=True, slots=True)
class World:
    """A superuser's connection to a database with tenants, and what ask's functions answer there."""

    connection: Connection
    asked: list[Function]
    reached: list[Function]
    right: dict[str, list[list[Any]]]

    def notices(self, definition: str) -> bool:
        """Whether anything that ask may execute answers otherwise with this function in place of another."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(definition.encode())
            try:
                return any(
                    found != wanted
                    for name, right in self.right.items()
                    for found, wanted in zip(answers(self.connection, name), right, strict=True)
                )
            except psycopg.errors.CardinalityViolation:  # rows of two tenants where each has one
                return True


@pytest.fixture(scope="module")
def world(template: IndexDatabase) -> Iterator[World]:
    with copied_database(template) as database, canary_tenants(database), connected(database.superuser) as connection:
        asked, reached = searchable_functions(connection)
        yield World(connection, asked, reached, {name: list(answers(connection, name)) for name in calls()})


def test_every_function_that_ask_may_execute_is_asked(world: World) -> None:
    assert {function.name for function in world.asked} == calls().keys() | OF_NO_TENANT


def test_the_same_question_has_the_same_answer_and_each_function_finds_something(world: World) -> None:
    assert {name: list(answers(world.connection, name)) for name in calls()} == world.right
    assert [name for name, right in world.right.items() if not any(right)] == []


def test_no_answer_holds_what_is_another_tenants(world: World) -> None:
    held = 0
    for name, right in world.right.items():
        for (_, (tenant, *_)), rows in zip(calls()[name], right, strict=True):
            said = repr(rows)
            others = {f"canary{other}" for other in LANGUAGES if other != tenant}
            assert [canary for canary in others if canary in said] == [], (name, tenant)
            held += f"canary{tenant}" in said
    assert held > 100


@pytest.mark.parametrize("tenant", LANGUAGES)
def test_a_tenant_has_the_answers_that_it_would_have_alone(template: IndexDatabase, world: World, tenant: str) -> None:
    of_things_alone = calls().keys() - {"documents_page"}  # which tells when a row was written
    with copied_database(template) as database, canary_tenants(database, tenant), connected(database.ask) as ask:
        for name in of_things_alone:
            mine = [values[0] == tenant for _, values in calls()[name]]
            assert list(compress(answers(ask, name), mine)) == list(compress(world.right[name], mine)), name


def test_every_table_that_knows_tenants_is_read_with_a_predicate(world: World) -> None:
    tables = {name for (name,) in world.connection.execute(WITH_TENANTS)}
    assert {"documents", "chunks", "embeddings", "postings", "corpus_changes"} <= tables
    wrong = {
        function.name: (reads, found)
        for function in world.reached
        if (reads := len(reads_of(function, tables))) != (found := len(list(mutants(function))))
    }
    assert wrong == {}


def test_a_function_without_one_of_its_tenant_predicates_answers_otherwise(world: World) -> None:
    made = [mutant for function in world.reached for mutant in mutants(function)]
    assert len(made) > 20
    assert {str(mutant) for mutant in made if not world.notices(mutant.definition)} == HARMLESS.keys() | TWICE


def test_predicates_that_do_each_others_work_are_missed_together(world: World) -> None:
    lines = {function: {line.partition(": ")[2] for line in TWICE if line.startswith(f"{function.name}:")}
             for function in world.reached}  # fmt: skip
    without = [without_all(function, twice) for function, twice in lines.items() if twice]
    assert without
    assert [definition for definition in without if not world.notices(definition)] == []
