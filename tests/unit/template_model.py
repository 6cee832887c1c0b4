"""The deployed stack, for tests: template.yaml as the CloudFormation that SAM makes of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam" / "bin"

FUNCTIONS = ("IngestFunction", "AskFunction", "MigrateFunction")
ROLES = {"IngestFunction": "IngestRole", "AskFunction": "AskRole", "MigrateFunction": "MigrateRole"}
# Names that SAM gives to what it derives.
MAPPING = "IngestFunctionQueue"
STAGE = "ApiliveStage"


def needs_sam() -> None:
    if not SAM.is_dir():
        pytest.skip("there is no .venv-sam: `make build` fills it")


@lru_cache(maxsize=1)
def stack() -> dict[str, Any]:
    """The whole translated template. Skips the test without SAM."""
    needs_sam()
    command = [str(SAM / "python"), str(ROOT / "tests" / "sam" / "translate.py"), str(ROOT / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    translated: dict[str, Any] = json.loads(done.stdout)
    return translated


def resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack()["Resources"][name]
    return found


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = resource(name)["Properties"]
    return found


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {name: each.get("Properties", {}) for name, each in stack()["Resources"].items() if each["Type"] == kind}


def parameter(name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack()["Parameters"][name]
    return found


def with_defaults(value: Any) -> Any:
    """A reference to a parameter as that parameter's default; anything else as it is."""
    match value:
        case {"Ref": str(name)} if name in stack()["Parameters"]:
            return parameter(name)["Default"]
    return value


def variables(function: str) -> dict[str, Any]:
    found: dict[str, Any] = properties(function)["Environment"]["Variables"]
    return found


def statements(role: str) -> list[dict[str, Any]]:
    return [statement for policy in properties(role)["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[Any]:
    """IAM and CloudFormation take one for a list of one."""
    return value if isinstance(value, list) else [value]


def resources_for(role: str, action: str) -> list[Any]:
    """On what a role may do something."""
    allowed = [each for each in statements(role) if each["Effect"] == "Allow" and action in listed(each["Action"])]
    return [each for statement in allowed for each in listed(statement["Resource"])]


def attribute(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def dependencies(name: str) -> set[str]:
    """All resources that CloudFormation makes before this one, and deletes after it."""
    found: set[str] = set()
    pending = [name]
    while pending:
        new = _named_by(resource(pending.pop())) & stack()["Resources"].keys() - found
        found |= new
        pending += new
    return found


def _named_by(resource: dict[str, Any]) -> set[str]:
    return set(listed(resource.get("DependsOn", []))) | set(_references(resource.get("Properties", {})))


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": inner}:
            text = inner[0] if isinstance(inner, list) else inner
            yield from re.findall(r"\$\{(\w+)", text)
            yield from _references(inner[1:] if isinstance(inner, list) else [])
        case dict():
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)
