"""The map of callers, from a file to the environment of ask."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bucketwise.callers import callers_from_json, is_tenant
from local.callers import MOST_CHARACTERS, shortened
from tests.unit.template_model import ROOT, SAM, needs_sam, parameter, stack, variables
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


def test_the_map_in_a_file_reaches_the_parameter_as_it_is(tmp_path: Path) -> None:
    """Through the shell as `make deploy` quotes it, and SAM's own reading of its command line."""
    needs_sam()
    given = {
        "arn:aws:iam::123456789012:role/a": 'O\'Hara & "Sons" \\\\',
        "arn:aws:iam::123456789012:user/b": "Käse 🧀 $HOME",
    }
    (tmp_path / "callers.json").write_text(json.dumps(given, indent=2), encoding="utf-8")
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if "\"Callers='" in line]
    [quoted] = re.findall(r"\$\(if \$\(CALLERS\),(.*)\)$", line)
    argument = (
        quoted.replace("$$", "$")
        .replace("$(BIN)/python", sys.executable)
        .replace("$(CALLERS)", str(tmp_path / "callers.json"))
    )
    reader = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
        "print(json.dumps(Type().convert(tuple(sys.argv[1:]), None, None)))"
    )
    command = f'"{SAM / "python"}" -c "$READER" Architecture=arm64 {argument}'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=os.environ | {"READER": reader},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told.keys() == {"Architecture", "Callers"}
    assert callers_from_json(told["Callers"]) == given
    assert re.fullmatch(parameter("Callers")["AllowedPattern"], told["Callers"])


def test_a_map_that_is_wrong_or_too_long_is_not_deployed(tmp_path: Path) -> None:
    many = {f"arn:aws:iam::123456789012:role/reader-{number}": "acme" for number in range(30)}
    for text in ("{", '{"arn:aws:sts::123456789012:assumed-role/a/b": "acme"}', json.dumps(many)):
        with pytest.raises(ValueError, match=r"JSON|session|longer"):
            shortened(text)
    assert parameter("Callers")["MaxLength"] == MOST_CHARACTERS
    (tmp_path / "callers.json").write_text("{", encoding="utf-8")
    command = [sys.executable, "-m", "local.callers", str(tmp_path / "callers.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not JSON" in done.stderr


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
