"""After ``sam build``: compiles the layers' and functions' code, and says how large each function is unpacked.

Lambda's file system is read-only, so a package without bytecode is compiled anew at every cold start.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

LIMIT_MB = 250.0  # Lambda's quota for a function with its layers, unzipped
# A module for Python 2 that comes with olefile, and is never imported by Python 3.
PYTHON_2 = r"olefile2\.py$"
ASK_LIMIT_MB = 100.0  # ours: what is loaded is what a cold start waits for


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.built", description=__doc__)
    parser.add_argument("build", type=Path, help="what `sam build --build-dir` wrote")
    parser.add_argument("--python", default=sys.executable, help="Lambda's version of Python")
    options = parser.parse_args()
    resources = read_template(options.build / "template.yaml")["Resources"]
    for name, (folder, mounted) in folders(options.build, resources).items():
        compile_folder(options.python, folder, mounted)
        print(f"{options.build.name} {name}: {megabytes(folder):.1f} MB")
    too_large = False
    for name, parts in functions(options.build, resources).items():
        size = sum(megabytes(part) for part in parts)
        limit = ASK_LIMIT_MB if name == "AskFunction" else LIMIT_MB
        too_large |= size > limit
        print(f"{options.build.name} {name} with its layers: {size:.1f} MB of {limit:.0f}")
    return 1 if too_large else 0


def read_template(path: Path) -> dict[str, dict[str, dict[str, object]]]:
    """A template in YAML, whose tags such as !If become ``{"Fn::If": ...}``."""

    class Loader(yaml.SafeLoader):
        """Knows CloudFormation's short forms."""

    def construct(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
        name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            text = loader.construct_scalar(node)
            return {name: str(text).split(".", 1) if suffix == "GetAtt" else text}
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        return {name: loader.construct_mapping(node, deep=True)} if isinstance(node, yaml.MappingNode) else {}

    Loader.add_multi_constructor("!", construct)
    template: dict[str, dict[str, dict[str, object]]] = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506  # derived from SafeLoader
    return template


def folders(build: Path, resources: dict[str, dict[str, object]]) -> dict[str, tuple[Path, str]]:
    """Built folder and the place where Lambda mounts it, for each function and layer."""
    places = {
        "AWS::Serverless::Function": ("CodeUri", "/var/task"),
        "AWS::Serverless::LayerVersion": ("ContentUri", "/opt"),
    }
    found: dict[str, tuple[Path, str]] = {}
    for name, resource in resources.items():
        if resource["Type"] in places:
            key, mounted = places[str(resource["Type"])]
            found[name] = (build / str(_properties(resource)[key]), mounted)
    return found


def functions(build: Path, resources: dict[str, dict[str, object]]) -> dict[str, list[Path]]:
    """The folders that make up each function: its own and its layers'."""
    every = {name: folder for name, (folder, _) in folders(build, resources).items()}
    return {
        name: [every[name], *(every[layer["Ref"]] for layer in _properties(resource).get("Layers", []))]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def compile_folder(python: str, folder: Path, mounted: str) -> None:
    """Hash-based bytecode, never checked: Lambda sets new times on files, which would make it stale."""
    subprocess.run(
        [
            python,
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(folder),
            "-p",
            mounted,
            "-x",
            PYTHON_2,
            str(folder),
        ],
        check=True,
    )


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1_000_000


def _properties(resource: dict[str, object]) -> dict[str, Any]:
    properties = resource["Properties"]
    return properties if isinstance(properties, dict) else {}


if __name__ == "__main__":
    raise SystemExit(main())
