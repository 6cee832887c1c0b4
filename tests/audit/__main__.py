"""Audits what a deployment is made of: the template by checkov, the locked packages by pip-audit.

Fails on a finding of checkov that checkov.yaml gives no reason for, on a reason that nothing needs any more,
and on a package with a known vulnerability. A machine that reaches no service that knows them says so, and passes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path

import yaml

from tests.unit.template_model import ROOT, stack

TOOLS = ROOT / ".venv-audit" / "bin"
EXCEPTIONS = ROOT / "tests" / "audit" / "checkov.yaml"
OSV_URL = "https://api.osv.dev/v1/query"
SECONDS_TO_ANSWER = 10
# Of no known package: whoever speaks OSV answers that nothing is known of it.
NOBODYS = {"package": {"name": "bucketwise-audit-is-anybody-there", "ecosystem": "PyPI"}, "version": "0"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__)
    parser.add_argument("--osv-url", default=OSV_URL, help="where to ask for known vulnerabilities")
    options = parser.parse_args(arguments)
    template = audit_template(json.dumps(stack()), exceptions())
    packages = audit_packages(locks(), options.osv_url)
    return max(template, packages)


def exceptions() -> set[str]:
    return set(yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))["skip-check"])


def locks() -> list[Path]:
    """Every list of locked packages, in whichever environment they are installed."""
    found = [path.relative_to(ROOT) for path in ROOT.rglob("requirements.in")]
    written = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    return [ROOT / path.with_suffix(".txt") for path in sorted(written)]


def audit_template(template: str, excepted: set[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(template, encoding="utf-8")
        command = [str(TOOLS / "checkov"), "--file", str(path), "--framework", "cloudformation"]
        done = subprocess.run(
            [*command, "--skip-download", "--quiet", "--compact", "--output", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    found = [each for each in failed if each["check_id"] not in excepted]
    for each in found:
        print(f"checkov: {each['check_id']} {each['check_name']}: {each['resource']}")
    needless = excepted - {each["check_id"] for each in failed}
    for check in sorted(needless):
        print(f"checkov: nothing needs the exception {check} any more")
    print(f"checkov: {len(found)} findings, {len(excepted)} kinds excepted with a reason")
    return 1 if found or needless else 0


def audit_packages(locked: Iterable[Path], service: str) -> int:
    if not answers(service):
        print(f"pip-audit: not run: no vulnerability service reachable at {service}")
        return 0
    return max(audit_lock(path, service) for path in locked)


def answers(service: str) -> bool:
    request = urllib.request.Request(service, json.dumps(NOBODYS).encode())  # noqa: S310  # of whoever runs this
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER):  # noqa: S310
            return True
    except (OSError, HTTPException):
        return False


def audit_lock(lock: Path, service: str) -> int:
    command = [str(TOOLS / "pip-audit"), "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    done = subprocess.run(
        [*command, "--vulnerability-service", "osv", "--osv-url", service, "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"pip-audit: {lock}: {(done.stdout + done.stderr).strip()}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
