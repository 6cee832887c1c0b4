"""``make deploy``: makes a stack by SAM's questions; one that is there is upgraded, its parameters left as they are."""

import argparse
import hashlib
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import ROOT
from local.aws_session import SAM_CONFIG, session_of
from local.callers import shortened

MIGRATIONS = ROOT / "layers" / "bucketwise" / "bucketwise" / "migrations"
# A stack without resources: a change set that was never executed.
UNMADE = "REVIEW_IN_PROGRESS"
# Those that CloudFormation changes. CREATE_FAILED and UPDATE_FAILED are what is left where no roll-back was wanted.
UPGRADABLE = {
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"),
}
_BEGIN_ANEW = 'take away what is left of it, and begin anew: docs/operations.md, "A first deployment that failed"'
WHAT_TO_DO = {
    "ROLLBACK_COMPLETE": _BEGIN_ANEW,
    "ROLLBACK_FAILED": _BEGIN_ANEW,
    "DELETE_FAILED": _BEGIN_ANEW,
    "UPDATE_ROLLBACK_FAILED": "mend what its events tell; aws cloudformation continue-update-rollback --stack-name {}",
}
_SEE_EVENTS = "its events say why"
OWN = ("Architecture", "MigrationHash", "Release")
HASH_CHARACTERS = 16


class NotDeployable(Exception):
    """What was asked for cannot be deployed, or AWS said no; the message says why."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.deploy", description=__doc__)
    parser.add_argument("--sam", required=True, help="the program")
    parser.add_argument("--template-file", required=True, help="as `sam build` wrote it, for arm64")
    parser.add_argument("--config-file", type=Path, default=SAM_CONFIG)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--callers", type=Path, help='JSON: {"arn:aws:iam::ACCOUNT:role/NAME": "tenant", ...}')
    parser.add_argument("--parameters", default="", help="of the template: NAME=VALUE ..., quoted as for a shell")
    parser.add_argument("--check", action="store_true", help="refuse what cannot be deployed, and deploy nothing")
    options = parser.parse_args()
    try:
        overrides = parameters_from(options.parameters) | _callers(options.callers) | own_parameters()
        session = session_of(options.config_file)
        there = is_there(session.client("cloudformation"), options.stack)
    except (NotDeployable, BotoCoreError, ClientError) as error:
        print(f"could not deploy: {error}", file=sys.stderr)
        return 1
    if not options.check:
        told = ["--stack-name", options.stack, "--region", session.region_name]
        told += ["--config-file", str(options.config_file.resolve()), "--template-file", options.template_file]
        command = [options.sam, "deploy", *told, *arguments(there=there, overrides=overrides)]
        os.execv(command[0], command)  # noqa: S606 - SAM has the terminal to itself: it asks, and takes Ctrl-C
    return 0


def arguments(*, there: bool, overrides: Mapping[str, str]) -> list[str]:
    """Of `sam deploy`. What ``overrides`` does not name keeps its value in a stack that is there.

    A change set of SAM's says UsePreviousValue of each parameter that is not overridden (samcli's
    ``DeployContext.merge_parameters``), and leaves out those that the stack does not have yet, which take their default
    (``Deployer.create_changeset``). Guided, it overrides all, by the template's defaults unless other values are typed:
    so only a new stack is made that way. Overrides given here replace those that a guided run has saved in the
    configuration file; what else is in the file, such as tags, counts.
    """
    upgraded = [
        "--resolve-s3",
        "--capabilities",
        "CAPABILITY_IAM",
        "--confirm-changeset",
        "--no-fail-on-empty-changeset",
    ]
    pairs = [f"{name}='{value}'" for name, value in overrides.items()]
    return [*(upgraded if there else ["--guided"]), "--parameter-overrides", *pairs]


def is_there(cloudformation: Any, stack: str) -> bool:
    """Whether the stack has parameters to keep.

    Raises NotDeployable for one that CloudFormation would neither make nor change as it is, and ClientError and
    BotoCoreError if nothing can be known of it.
    """
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # Only the text tells this from other requests that are wrong.
        said = error.response["Error"]
        if said["Code"] == "ValidationError" and "does not exist" in said["Message"]:
            return False
        raise
    status = found["StackStatus"]
    if status == UNMADE:
        return False
    if status not in UPGRADABLE:
        what = "wait until that has ended" if status.endswith("_IN_PROGRESS") else WHAT_TO_DO.get(status, _SEE_EVENTS)
        raise NotDeployable(f"the stack {stack} is {status}: {what.format(stack)}")
    return True


def own_parameters() -> dict[str, str]:
    return dict(zip(OWN, ("arm64", migration_hash(MIGRATIONS), f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"), strict=True))


def migration_hash(folder: Path) -> str:
    """SHA-256 of the files in the order of their names, as far as it tells two of them apart."""
    whole = b"".join(path.read_bytes() for path in sorted(folder.glob("*.sql")))
    return hashlib.sha256(whole).hexdigest()[:HASH_CHARACTERS]


def parameters_from(text: str) -> dict[str, str]:
    """``A=1 B="two words"``. Raises NotDeployable, also about a name that SAM would pass over without a word."""
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise NotDeployable(f"PARAMETERS: {error}") from error
    given = {name: value for name, _, value in pairs}
    _refuse("is not NAME=VALUE", [name for name, equals, _ in pairs if not equals])
    _refuse("is set by `make deploy` itself", [name for name in given if name in OWN])
    known = _template_parameters()
    _refuse("is no parameter of the template", [name for name in given if name not in known])
    # SAM's own quotes are put around each value.
    _refuse(
        "has a quote or a backslash in its value", [name for name, value in given.items() if set(value) & set("'\\")]
    )
    return given


def _refuse(why: str, names: Sequence[str]) -> None:
    if names:
        raise NotDeployable(f"PARAMETERS: {names[0]} {why}")


def _template_parameters() -> set[str]:
    section = (ROOT / "template.yaml").read_text(encoding="utf-8").split("\nParameters:\n", 1)[1]
    return set(re.findall(r"^  (\w+):", re.split(r"^\w", section, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE))


def _callers(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    try:
        return {"Callers": shortened(file.read_text(encoding="utf-8"))}
    except (OSError, ValueError) as error:
        raise NotDeployable(f"{file}: {error}") from error


if __name__ == "__main__":
    raise SystemExit(main())
