"""How PostgreSQL carries out the statements of a search, from the functions' own source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import Connection, sql

from bench.machine import machine_on
from bench.search_filling import INDEX, MODELS
from bench.search_measures import Question
from bench.search_texts import GIANT
from bucketwise.keyword_terms import question_terms
from bucketwise.search import K1, MOST_POSTINGS, B
from local.postgres import Postgres

FUNCTION = """
    SELECT prosrc, proconfig FROM pg_proc
    WHERE pronamespace = 'bucketwise'::regnamespace AND proname = %s"""
DOCUMENTS = "SELECT keys FROM bucketwise.matching_documents(%s, jsonb_build_object('prefix', %s::text))"
FREQUENCIES = """
    SELECT term, bucketwise.inverse_frequency(total.chunks, sum(p.chunks)), sum(p.chunks)::bigint
    FROM bucketwise.postings p
    CROSS JOIN (SELECT sum(chunks) AS chunks FROM bucketwise.corpus_changes WHERE tenant = %(tenant)s) AS total
    WHERE tenant = %(tenant)s AND term = ANY(%(terms)s)
    GROUP BY term, total.chunks HAVING sum(p.chunks) > 0 ORDER BY 3, 1"""
MEAN = "SELECT (sum(length) / sum(chunks))::float8 FROM bucketwise.corpus_changes WHERE tenant = %s"
LABEL = "tenth"  # of the filter
WIDTH = 120
LEFT_OUT = ("Storage:", "Sort Method:", "Batches:", "Index Searches:", "Disabled:")

Values = dict[str, tuple[str, object]]
"""Of the variables that a statement names: their types and values."""


@dataclass(frozen=True, slots=True)
class Explained:
    """``lines`` are those of EXPLAIN (ANALYZE) that tell what was done."""

    title: str
    lines: list[str]


def print_plans(postgres: Postgres, question: Question) -> None:
    settings = machine_on(postgres, MODELS, name=INDEX).ask
    with psycopg.connect(postgres.dsn("bucketwise_migrate", INDEX), autocommit=True) as owner:
        register_vector(owner)
        for plan in _explained(owner, question, settings.search_depth):
            print(plan.title)
            for line in plan.lines:
                print(f"    {line}" if len(line) <= WIDTH else f"    {line[:WIDTH]}...")


def _explained(owner: Connection, question: Question, depth: int) -> Iterator[Explained]:
    source = _source(owner, "nearest_among")
    by_index, one_by_one = re.findall(r"RETURN QUERY\s+([^;]*);", source)
    [asked] = re.findall(r"asked := ([^;]*);", source)
    by_index = re.sub(r"\basked\b", asked, by_index)
    values: Values = {
        "for_tenant": ("text", GIANT),
        "question_embedding": ("halfvec", HalfVector(question.vector)),
        "among": ("text[]", None),
        "depth": ("int", depth),
        "of_chunks": ("bigint", None),
    }
    yield Explained("Vectors, by HNSW", _plan(owner, "nearest_among", by_index, values))
    [keys] = owner.execute(DOCUMENTS, (GIANT, f"{LABEL}/")).fetchone() or [[]]
    filtered = values | {"among": ("text[]", keys)}
    yield Explained("Vectors, one by one behind a filter", _plan(owner, "nearest_among", one_by_one, filtered))
    [candidates] = re.findall(r"WITH pooled[^;]*", _source(owner, "best_among"))
    statement = re.sub(r"INTO [\w, ]+ FROM", "FROM", candidates)
    values |= _asked(owner, question.text, depth)
    yield Explained("Keywords, on posting lists", _plan(owner, "best_among", statement, values))


def _asked(owner: Connection, text: str, depth: int) -> Values:
    terms = list({one.term for one in question_terms(text)})
    found = owner.execute(FREQUENCIES, {"tenant": GIANT, "terms": terms}).fetchall()
    rare, read = 0, 0
    while rare < len(found) and (rare == 0 or read + found[rare][2] <= MOST_POSTINGS):
        read += found[rare][2]
        rare += 1
    [mean] = owner.execute(MEAN, (GIANT,)).fetchone() or [1.0]
    return {
        "words": ("bigint[]", [term for term, *_ in found]),
        "worth": ("float8[]", [worth for _, worth, _ in found]),
        "mean": ("float8", mean),
        "rare": ("int", rare),
        "complete": ("boolean", rare == len(found)),
        "pool": ("int", (2 if rare == len(found) else 4) * depth),
        "k1": ("float8", K1),
        "b": ("float8", B),
    }


def _source(owner: Connection, function: str) -> str:
    [source, _] = owner.execute(FUNCTION, (function,)).fetchone() or ["", None]
    return str(source)


def _plan(owner: Connection, function: str, statement: str, values: Values) -> list[str]:
    """As the function has it planned: with its settings, for values that are not known yet."""
    [_, settings] = owner.execute(FUNCTION, (function,)).fetchone() or ["", []]
    named = "|".join(values)
    places = {name: f"${place}" for place, name in enumerate(values, start=1)}
    numbered = re.sub(rf"(?<![.\w])({named})\b(?!\s*\()", lambda match: places[match[1]], statement)
    types = ", ".join(kind for kind, _ in values.values())
    with owner.transaction(force_rollback=True):
        for name, _, value in (setting.partition("=") for setting in settings):
            owner.execute("SELECT set_config(%s, %s, true)", (name, value))
        owner.execute(f"PREPARE explained ({types}) AS {numbered}".encode())
        given = sql.SQL(", ").join(sql.Literal(value) for _, value in values.values())
        rows = owner.execute(
            sql.SQL("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) EXECUTE explained ({})").format(given)
        ).fetchall()
        owner.execute("DEALLOCATE explained")
    return [line for (line,) in rows if not line.strip().startswith(LEFT_OUT)]
