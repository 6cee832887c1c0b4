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

FUNCTIONS = ("IngestFunction", "AskFunction", "ReconcileFunction", "ReindexFunction", "MigrateFunction")
# Of a stack whose callers have tokens alone; outside of the network, and without settings of the index.
AUTHORIZER = "AuthorizeFunction"
ROLES = {function: f"{function.removesuffix('Function')}Role" for function in FUNCTIONS}
# The user of the database that a function logs in as by token.
USERS = {
    "IngestFunction": "bucketwise_ingest",
    "AskFunction": "bucketwise_ask",
    "ReconcileFunction": "bucketwise_ingest",
    "ReindexFunction": "bucketwise_migrate",
}
# Parameters that leave nothing out which a condition may leave out of a role or the queue's policy.
EVERYTHING = {
    "ExistingBucketName": "papers",
    "ExistingBucketKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
    "DocumentsPrefix": "reports/",
    "TagObjects": "true",
}
# Names that SAM gives to what it derives.
MAPPING = "IngestFunctionQueue"
SCHEDULE = "ReconcileFunctionSchedule"
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


def deployed(**given: str) -> dict[str, dict[str, Any]]:
    """The resources that CloudFormation makes with these parameters, all conditions decided."""
    values = {name: str(each["Default"]) for name, each in stack()["Parameters"].items()} | given
    holds = {name: _holds(each, values) for name, each in stack()["Conditions"].items()}
    made = {name: each for name, each in stack()["Resources"].items() if holds.get(each.get("Condition"), True)}
    decided: dict[str, dict[str, Any]] = _decided(made, holds)
    return decided


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


def statements(role: str, **given: str) -> list[dict[str, Any]]:
    policies = deployed(**given)[role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[Any]:
    """IAM and CloudFormation take one for a list of one."""
    return value if isinstance(value, list) else [value]


def actions(role: str, **given: str) -> set[str]:
    """All that a role may do, on whatever."""
    return {action for each in statements(role, **given) for action in listed(each["Action"])}


def resources_for(role: str, action: str, **given: str) -> list[Any]:
    """On what a role may do something."""
    allowed = [
        each for each in statements(role, **given) if each["Effect"] == "Allow" and action in listed(each["Action"])
    ]
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
    return set(listed(resource.get("DependsOn", []))) | set(references(resource.get("Properties", {})))


def references(value: Any) -> Iterator[str]:
    """Every name that a value refers to, by any of CloudFormation's ways."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": inner}:
            text = inner[0] if isinstance(inner, list) else inner
            yield from re.findall(r"\$\{(\w+)", text)
            yield from references(inner[1:] if isinstance(inner, list) else [])
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)


_NOTHING = object()


def _holds(condition: dict[str, Any], values: dict[str, str]) -> bool:
    match condition:
        case {"Fn::Equals": [one, other]}:
            return _text(one, values) == _text(other, values)
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case {"Condition": str(name)}:
            return _holds(stack()["Conditions"][name], values)
    raise AssertionError(f"a kind of condition that is not known here: {condition}")


def _text(value: Any, values: dict[str, str]) -> str:
    return values[value["Ref"]] if isinstance(value, dict) else str(value)


def _decided(value: Any, holds: dict[str, bool]) -> Any:
    match value:
        case {"Fn::If": [str(name), one, other]}:
            return _decided(one if holds[name] else other, holds)
        case {"Ref": "AWS::NoValue"}:
            return _NOTHING
        case dict():
            inner = {name: _decided(each, holds) for name, each in value.items()}
            return {name: each for name, each in inner.items() if each is not _NOTHING}
        case list():
            return [each for each in (_decided(each, holds) for each in value) if each is not _NOTHING]
    return value
