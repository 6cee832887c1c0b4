"""Prints template.yaml as the CloudFormation that SAM makes of it; run by the Python that has SAM.

No account and no network: code stands for itself under an S3 address, and no managed policy is asked for.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    template = yaml_parse(Path(sys.argv[1]).read_text(encoding="utf-8"))
    template["Globals"]["Function"]["CodeUri"] = "s3://code/function"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://code/layer"
    print(json.dumps(transform(template, {}, NoManagedPolicies())))  # noqa: T201  # its purpose


main()
