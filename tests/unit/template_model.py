"""The deployed stack, for tests: template.yaml as the CloudFormation that SAM makes of it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.unit.template_conditions import decide, holds, references
from tests.unit.template_variants import VARIANTS

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
EVERYTHING = VARIANTS["existing bucket"]
# Names that SAM gives to what it derives.
MAPPING = "IngestFunctionQueue"
SCHEDULE = "ReconcileFunctionSchedule"
STAGE = "ApiliveStage"


def needs_sam() -> None:
    if not SAM.is_dir():
        pytest.skip("there is no .venv-sam: `make build` fills it")


def translate(*templates: str) -> list[dict[str, Any]]:
    """Templates of SAM as CloudFormation. Skips the test without SAM."""
    needs_sam()
    command = [str(SAM / "python"), str(ROOT / "tests" / "sam" / "translate.py")]
    done = subprocess.run(command, input=json.dumps(templates), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    translated: list[dict[str, Any]] = json.loads(done.stdout)
    return translated


@lru_cache(maxsize=1)
def _own() -> dict[str, Any]:
    [translated] = translate((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return translated


_instead: list[dict[str, Any]] = []


def stack() -> dict[str, Any]:
    """The whole translated template."""
    return _instead[-1] if _instead else _own()


@contextmanager
def instead(translated: dict[str, Any]) -> Iterator[None]:
    """While it lasts, tests of the template are tests of this one."""
    _instead.append(translated)
    _decided.cache_clear()
    try:
        yield
    finally:
        _instead.pop()
        _decided.cache_clear()


def resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack()["Resources"][name]
    return found


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = resource(name)["Properties"]
    return found


def made(name: str, **given: str) -> dict[str, Any]:
    """The properties of a resource that CloudFormation makes with these parameters, all conditions decided."""
    found: dict[str, Any] = deployed(**given)[name]["Properties"]
    return found


def deployed(**given: str) -> dict[str, dict[str, Any]]:
    """The resources that CloudFormation makes with these parameters, all conditions decided."""
    return decided("Resources", **given)


def decided(part: str, **given: str) -> dict[str, dict[str, Any]]:
    """The resources or the outputs that these parameters make, all conditions decided."""
    return _decided(part, tuple(sorted(given.items())))


@lru_cache(maxsize=64)
def _decided(part: str, given: tuple[tuple[str, str], ...]) -> dict[str, dict[str, Any]]:
    values = _values(dict(given))
    conditions = stack()["Conditions"]
    true = {name: holds(each, conditions, values) for name, each in conditions.items()}
    kept = {name: each for name, each in stack()[part].items() if true.get(each.get("Condition"), True)}
    found: dict[str, dict[str, Any]] = decide(kept, true)
    return found


def refused(**given: str) -> list[str]:
    """What CloudFormation says against these parameters before it makes anything."""
    values = _values(given)
    return [
        assertion["AssertDescription"]
        for rule in stack()["Rules"].values()
        if holds(rule["RuleCondition"], {}, values)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], {}, values)
    ]


def _values(given: dict[str, str]) -> dict[str, str]:
    assert given.keys() <= stack()["Parameters"].keys()
    return {name: str(each["Default"]) for name, each in stack()["Parameters"].items()} | given


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


def variables(function: str, **given: str) -> dict[str, Any]:
    found: dict[str, Any] = made(function, **given)["Environment"]["Variables"]
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


def dependencies(name: str, **given: str) -> set[str]:
    """All resources that CloudFormation makes before this one, and deletes after it, with these parameters."""
    resources = deployed(**given)
    found: set[str] = set()
    pending = [name]
    while pending:
        new = _named_by(resources[pending.pop()]) & resources.keys() - found
        found |= new
        pending += new
    return found


def _named_by(resource: dict[str, Any]) -> set[str]:
    return set(listed(resource.get("DependsOn", []))) | set(references(resource.get("Properties", {})))
