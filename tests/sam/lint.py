"""Reads CloudFormation templates, a JSON object of them by name, and prints what cfn-lint finds in each.

Needs cfn-lint, which comes with SAM, but no account or network.
"""

import json
import os
import sys

from cfnlint.api import lint


def main() -> int:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    found = {name: [str(match) for match in lint(text)] for name, text in json.load(sys.stdin).items()}
    print(json.dumps(found))  # noqa: T201  # this program's result
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
