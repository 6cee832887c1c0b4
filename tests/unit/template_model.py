"""The translated template, and questions to it."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from local import ROOT

PYTHON = ROOT / ".venv-sam" / "bin" / "python"
Resource = dict[str, Any]

needs_sam = pytest.mark.skipif(not PYTHON.exists(), reason="needs SAM's environment, which `make test` makes")


@cache
def translated() -> dict[str, Any]:
    """What SAM sends to CloudFormation."""
    command = [str(PYTHON), str(ROOT / "tests" / "sam" / "translate.py"), str(ROOT / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    template: dict[str, Any] = json.loads(done.stdout)
    return template


def resource(name: str) -> Resource:
    found: Resource = translated()["Resources"][name]
    return found


def properties(name: str) -> Resource:
    found: Resource = resource(name)["Properties"]
    return found


def of_type(kind: str) -> dict[str, Resource]:
    return {name: found for name, found in translated()["Resources"].items() if found["Type"] == kind}


def statements(policy: Resource) -> list[Resource]:
    found: list[Resource] = policy["PolicyDocument"]["Statement"]
    return found


def default(parameter: str) -> Any:
    return translated()["Parameters"][parameter]["Default"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
