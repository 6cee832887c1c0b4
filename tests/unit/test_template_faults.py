"""Each test of a rule fails when the template breaks its rule. The rules stand in tests/unit/template_faults.

Two rules are not the template's alone: that Delete and a roll-back migrate nothing is shown in
tests/integration/test_migrate_function.py, and that an old pgvector is refused in tests/unit/test_server_version.py.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import pytest

from tests.unit.template_faults import alarms, api, database, functions, storage
from tests.unit.template_faults.fault import Fault
from tests.unit.template_model import instead, translate

FAULTS = [*storage.FAULTS, *functions.FAULTS, *api.FAULTS, *database.FAULTS, *alarms.FAULTS]
# How a test fails: it finds something else than it wants, or nothing where it looks.
FAILURE = (AssertionError, LookupError, ValueError)


@pytest.fixture(scope="module")
def broken() -> dict[str, dict[str, Any]]:
    """The template with each fault, translated at once: SAM takes a second or two to start."""
    return dict(zip([each.rule for each in FAULTS], translate(*(each.made() for each in FAULTS)), strict=True))


def runs(test: Callable[..., Any]) -> Iterator[Callable[[], None]]:
    """A test with each set of its parameters, as pytest runs it."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    for chosen in product(*(mark.args[1] for mark in marks)):
        given: dict[str, Any] = {}
        for mark, values in zip(marks, chosen, strict=True):
            names = [mark.args[0]] if isinstance(mark.args[0], str) else mark.args[0]
            bare = getattr(values, "values", None) if not isinstance(values, dict) else None
            texts = bare if bare is not None else values if len(names) > 1 else [values]
            given |= dict(zip(names, texts, strict=True))
        yield lambda given=given: test(**given)  # type: ignore[misc]


def fails(test: Callable[..., Any]) -> bool:
    for run in runs(test):
        try:
            run()
        except FAILURE:
            return True
    return False


@lru_cache(maxsize=128)
def fails_on_the_template_as_it_is(test: Callable[..., Any]) -> bool:
    return fails(test)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.rule)
def test_a_rule_that_is_broken_is_noticed(fault: Fault, broken: dict[str, dict[str, Any]]) -> None:
    assert not fails_on_the_template_as_it_is(fault.test)
    with instead(broken[fault.rule]):
        assert fails(fault.test)


def test_each_rule_is_named_once() -> None:
    assert len({fault.rule for fault in FAULTS}) == len(FAULTS)


def test_every_area_of_rules_has_faults() -> None:
    assert {fault.rule.partition(":")[0] for fault in FAULTS} == {
        "bucket", "notifications", "queue", "ingest mapping", "ingest function", "ask function", "API", "functions",
        "reconcile", "database", "network", "migration", "alarms", "connections", "never",
    }  # fmt: skip
