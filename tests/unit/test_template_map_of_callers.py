"""The map of callers, from a file to the environment of ask."""

import json
import re
from typing import Any

import pytest

from bucketwise.callers import callers_from_json, is_tenant
from local.callers import MOST_CHARACTERS, shortened
from tests.unit.template_model import parameter, stack, variables
from tests.unit.template_variants import VARIANTS

ENVIRONMENT_LIMIT = 4096  # bytes, Lambda's quota


def longest(name: str) -> str:
    """A parameter's longest value."""
    return "x" * int(parameter(name)["MaxLength"])


def test_ask_alone_knows_the_map_of_callers() -> None:
    assert variables("AskFunction")["CALLERS"] == {"Ref": "Callers"}
    assert parameter("Callers")["Default"] == ""


def test_the_example_of_the_map_is_one() -> None:
    [example] = re.findall(r"\{.*\}", parameter("Callers")["Description"])
    assert callers_from_json(example)
    assert re.fullmatch(parameter("Callers")["AllowedPattern"], example)
    assert is_tenant(longest("Tenant"))


def test_a_map_that_is_wrong_or_too_long_is_not_deployed() -> None:
    many = {f"arn:aws:iam::123456789012:role/reader-{number}": "acme" for number in range(30)}
    for text in ("{", '{"arn:aws:sts::123456789012:assumed-role/a/b": "acme"}', json.dumps(many)):
        with pytest.raises(ValueError, match=r"JSON|session|longer"):
            shortened(text)
    assert parameter("Callers")["MaxLength"] == MOST_CHARACTERS


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_longest_map_fits_into_the_environment_beside_the_longest_of_all_else(variant: str) -> None:
    role = '"arn:aws:iam::123456789012:role/a-role-of-acme":"acme"'
    room = parameter("Callers")["MaxLength"]
    roles = (room - 1) // (len(role) + 1)
    assert roles >= 10
    map_of_callers = ("{" + ",".join([role] * roles)).ljust(room - 1) + "}"
    # What AWS makes up; the lengths are those of its quotas, with a stack's name of 64 characters.
    made_up = {
        "DATABASE_HOST": "x" * 110,
        "BUCKET": "x" * 63,
        "QUEUE_URL": "x" * 140,
        "OPENAI_API_KEY_SECRET": "x" * 140,
        "POWERTOOLS_METRICS_NAMESPACE": f"Bucketwise/{'x' * 64}",
    }
    texts = {
        name: _longest(value, made_up.get(name))
        for name, value in variables("AskFunction", **VARIANTS[variant]).items()
    } | {"CALLERS": map_of_callers}
    # Lambda's message about an environment that is too large shows that it measures the JSON.
    assert len(json.dumps(texts, separators=(",", ":")).encode()) <= ENVIRONMENT_LIMIT


def test_the_longest_name_of_an_existing_database_is_as_long_as_it_may_be() -> None:
    host = variables("AskFunction", **VARIANTS["existing cluster"])["DATABASE_HOST"]
    assert len(_longest(host, made_up="x" * 110)) == parameter("ExistingDatabaseHost")["MaxLength"]


def _longest(value: Any, made_up: str | None) -> str:
    match value:
        case str():
            return value
        case {"Ref": str(name)} if name in stack()["Parameters"]:
            given = parameter(name)
            if given["Type"] == "Number":
                return str(max(given.get("AllowedValues", [given.get("MaxValue", 0)])))
            return max(given["AllowedValues"], key=len) if "AllowedValues" in given else longest(name)
    assert made_up is not None, f"of what length is this: {value}"
    return made_up
