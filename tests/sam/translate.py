"""Prints a SAM template as the CloudFormation that it becomes. Needs SAM's packages, but no account or network."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
UPLOADED = "s3://artifacts/code.zip"


def main() -> int:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = uploaded(yaml_parse(Path(sys.argv[1]).read_text(encoding="utf-8")))
    # No policy is known by name: a function would have to bring a role of its own.
    translated = Translator(managed_policy_map={}, sam_parser=Parser()).translate(template, parameter_values={})
    print(json.dumps(translated))  # noqa: T201  # this program's result
    return 0


def uploaded(template: dict[str, Any]) -> dict[str, Any]:
    """The template after `sam package`, which uploads the code: the translator takes no local folders."""
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in template["Resources"].values():
        if resource["Type"] in CODE:
            resource["Properties"][CODE[resource["Type"]]] = UPLOADED
    return template


if __name__ == "__main__":
    raise SystemExit(main())
