"""A filter means in the database what its model says, however it is nested and whatever it is compared with."""

from collections.abc import Callable, Iterator
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from ask.filters import MOST_CONDITIONS, MOST_DEPTH, Filters
from tests.integration.index_database import IndexDatabase, connected

MATCHES = """
    SELECT bucketwise.document_matches(
        jsonb_populate_record(NULL::bucketwise.documents, %s || '{"claim": 1, "state": "indexed"}'), %s)"""

Document = dict[str, Any]
names = st.sampled_from(["team", "year", 'q"uo\\te', "日本"])
scalars = (
    st.sampled_from(["ops", "op", "", "a.b", 'say "x"', "2024", "é\n"])
    | st.sampled_from([0, -5, 2024, 1.5, 1e-7])
    | st.booleans()
)
ordered = st.sampled_from(["ops", "op", "2024", "Z"]) | st.sampled_from([0, -5, 2024, 1.5])
metadata = st.dictionaries(names, scalars | st.lists(st.sampled_from(["ops", "a.b", "2024"]), max_size=3), max_size=4)
keys = st.sampled_from(["a", "a/b", "a/b.txt", "a/bc/d.txt", "ab", "a//b", 'a"b'])
documents = st.fixed_dictionaries(
    {
        "key": keys,
        "content_type": st.sampled_from([None, "text/plain", "text/x"]),
        "last_modified": st.sampled_from(["2024-01-01T00:00:00Z", "2024-06-30T12:00:00.5+02:00"]),
        "metadata": metadata,
    }
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "eq": scalars, "ne": scalars, "in": st.lists(scalars, min_size=1, max_size=3), "gt": ordered, "gte": ordered,
        "lt": ordered, "lte": ordered, "contains": st.sampled_from(["op", ".", "a.b", '"', "20"]),
        "exists": st.booleans(),
    },
).filter(bool)  # fmt: skip
times = st.sampled_from(["2024-01-01T00:00:00Z", "2024-03-01T00:00:00+01:00", "2024-06-30T10:00:00.5Z"])
simple = st.fixed_dictionaries(
    {},
    optional={
        "prefix": keys | st.sampled_from(["a/", "a//", "/"]), "key": keys,
        "content_type": st.sampled_from(["text/plain", "text/y"]), "modified_from": times, "modified_before": times,
        "metadata": st.dictionaries(names, scalars | conditions, max_size=2),
    },
).filter(bool)  # fmt: skip
nested = st.recursive(
    simple,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "all": st.lists(inner, min_size=1, max_size=2),
            "any": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ).filter(bool),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def connection(shared_index: IndexDatabase) -> Iterator[Connection]:
    with connected(shared_index.superuser) as connection:
        yield connection


def holds(connection: Connection, document: Document, filters: Document) -> bool:
    given = Filters.model_validate(filters).for_index()
    row = connection.execute(MATCHES, (Jsonb(document), Jsonb(given))).fetchone()
    assert row is not None
    return bool(row[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(documents, nested)
def test_the_database_and_a_plain_reading_of_the_filter_agree(
    connection: Connection, document: Document, filters: Document
) -> None:
    try:
        Filters.model_validate(filters)
    except ValidationError:
        return  # too deep
    assert holds(connection, document, filters) == _holds(document, filters)


def _holds(document: Document, filters: Document) -> bool:
    """What the documentation says, without SQL."""
    return all(_part_holds(document, name, wanted) for name, wanted in filters.items())


def _part_holds(document: Document, name: str, wanted: Any) -> bool:
    match name:
        case "prefix":
            folder = wanted if wanted.endswith("/") else f"{wanted}/"
            return document["key"] == wanted or bool(document["key"].startswith(folder))
        case "key" | "content_type":
            return bool(document[name] == wanted)
        case "modified_from":
            return datetime.fromisoformat(document["last_modified"]) >= datetime.fromisoformat(wanted)
        case "modified_before":
            return datetime.fromisoformat(document["last_modified"]) < datetime.fromisoformat(wanted)
        case "metadata":
            return all(_entry_passes(document["metadata"].get(entry), value) for entry, value in wanted.items())
        case "all":
            return all(_holds(document, each) for each in wanted)
        case "any":
            return any(_holds(document, each) for each in wanted)
    assert name == "not"
    return not _holds(document, wanted)


def _entry_passes(held: Any, wanted: Any) -> bool:
    tests = wanted if isinstance(wanted, dict) else {"eq": wanted}
    values = held if isinstance(held, list) else [held] if held is not None else []
    return all(_passes(values, held is not None, name, operand) for name, operand in tests.items())


def _passes(values: list[Any], exists: bool, name: str, operand: Any) -> bool:
    match name:
        case "eq":
            return any(_equal(value, operand) for value in values)
        case "ne":
            return not any(_equal(value, operand) for value in values)
        case "in":
            return any(_equal(value, choice) for value in values for choice in operand)
        case "contains":
            return any(isinstance(value, str) and operand in value for value in values)
        case "exists":
            return exists is operand
    order = {"gt": gt, "gte": ge, "lt": lt, "lte": le}[name]
    return any(_kind(value) is _kind(operand) and order(value, operand) for value in values)


def _equal(one: Any, other: Any) -> bool:
    return _kind(one) is _kind(other) and bool(one == other)


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"author": "Ada"}, True),
        ({"title": "Sidecar's"}, True),
        ({"title": "File's"}, False),
        ({"created": {"gte": "2024", "lt": "2024-03-01T10"}}, True),
        ({"created": {"gt": "2024-03-01T09:00:00Z"}}, False),
        ({"modified": {"exists": False}}, True),
    ],
)
def test_what_a_file_says_of_itself_is_metadata_where_nobody_says_otherwise(
    connection: Connection, wanted: Document, found: bool
) -> None:
    document = {
        "key": "a",
        "title": "File's",
        "author": "Ada",
        "created": "2024-03-01T10:00:00+01:00",
        "metadata": {"title": "Sidecar's"},
    }
    assert holds(connection, document, {"metadata": wanted}) is found


@pytest.mark.parametrize(
    "filters",
    [
        {"not": {}},
        {"any": []},
        {"all": [{"key": "a"}, {}]},
        {"metadata": {"a": {}}},
        {"metadata": {"a": {"eq": None}}},
        {"metadata": {"a": {"like": "x"}}},
        {"metadata": {"a": {"in": []}}},
        {"metadata": {"a": {"gt": True}}},
        {"metadata": {"a": {"contains": ""}}},
        {"metadata": {"a": {"eq": "\0"}}},
        {"metadata": {"a": {"in": ["\ud800"]}}},
        {"metadata": {"a": float("inf")}},
        {"any": [{"key": "a"}] * (MOST_CONDITIONS + 1)},
        {"all": [{"any": [{"key": "a"}] * 60}, {"any": [{"key": "a"}] * 60}]},
    ],
)
def test_a_filter_of_another_form_is_refused(filters: Document) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(filters)


def test_filters_are_nested_to_a_bound() -> None:
    filters: Document = {"key": "a"}
    for _ in range(MOST_DEPTH - 1):
        filters = {"not": filters}
    Filters.model_validate(filters)
    with pytest.raises(ValidationError, match="nested"):
        Filters.model_validate({"not": filters})


@pytest.mark.parametrize(
    ("moment", "is_earlier"),
    [
        ("2024-01-01T15:59:00+16:00", True),
        ("2024-01-01T16:01:00+16:00", False),
        ("2023-12-31T00:00:00-23:59", True),
        ("2023-12-31T00:02:00-23:59", False),
        ("0001-01-01T00:00:00+23:59", True),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
@pytest.mark.parametrize("wrap", [lambda given: given, lambda given: {"all": [given]}], ids=["plain", "nested"])
def test_a_moment_is_the_same_with_any_offset(
    connection: Connection, moment: str, is_earlier: bool, wrap: Callable[[Document], Document]
) -> None:
    document = {"key": "a", "last_modified": "2024-01-01T00:00:00Z", "metadata": {}}
    assert holds(connection, document, wrap({"modified_from": moment})) is is_earlier
    assert holds(connection, document, wrap({"modified_before": moment})) is not is_earlier
