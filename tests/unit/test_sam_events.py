"""Which function `make invoke` hands a sample event to."""

import json

import pytest

from local.sam import EVENTS, function_of, in_order

ROWS = [row.split("|") for row in (EVENTS / "README.md").read_text(encoding="utf-8").splitlines() if "| `" in row]
FUNCTIONS = {name.strip(" `").removesuffix(".json"): function.strip() for _, name, function, *_ in ROWS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_goes_to_the_function_that_its_line_names(name: str) -> None:
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    assert function_of(event) == f"{FUNCTIONS[name].capitalize()}Function"


def test_without_names_all_are_taken_but_those_of_a_function_that_the_stack_lacks() -> None:
    names = in_order(FUNCTIONS)
    assert sorted(names) == sorted(FUNCTIONS.keys() - {"authorize"})
    first_question = min(names.index(name) for name in names if FUNCTIONS[name] == "ask")
    assert {FUNCTIONS[name] for name in names[first_question:]} == {"ask"}
