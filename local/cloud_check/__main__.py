"""``python -m local.cloud_check --stack NAME``: see whether a deployed stack does what it promises, with one document.

Uploads a small document, asks for it, changes it, deletes it, and looks at what API, queue and CloudWatch show. Calls
are signed with your AWS credentials, or carry the token in BUCKETWISE_TOKEN. Costs a few questions of the answering
model. Exits with 0 if all went well. The document is gone afterwards, also after a failure or Ctrl-C; its key stays
in the index as `deleted`.
"""

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ProfileNotFound

from local.aws_session import SAM_CONFIG, session_of
from local.cloud_check.callers import BearerCaller, Caller, SigningCaller
from local.cloud_check.calls import SignedApi
from local.cloud_check.canary import Canary
from local.cloud_check.course import run
from local.cloud_check.stack import BOUNDED, Stack, StackUnreadable, read_stack
from local.cloud_check.steps import Check

INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud_check", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config-file", type=Path, default=SAM_CONFIG)
    parser.add_argument(
        "--prefix", help="the key begins with this: where the caller's tenant reads. Default: DocumentsPrefix"
    )
    parser.add_argument(
        "--wait", type=float, default=300.0, metavar="SECONDS", help="for each thing that takes a while"
    )
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        session = session_of(options.config_file)
        check = _check(options.stack, options.prefix, options.wait, session)
        return 0 if run(check) else 1
    except (StackUnreadable, ProfileNotFound) as failure:
        print(f"could not check: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _check(name: str, prefix: str | None, wait_seconds: float, session: boto3.Session) -> Check:
    stack = read_stack(name, session)
    canary = Canary.below(stack.place(prefix), s3=session.client("s3", config=BOUNDED), bucket=stack.bucket)
    return Check(
        stack=stack,
        api=SignedApi(stack.api_url, _caller(session, stack)),
        canary=canary,
        sqs=session.client("sqs", config=BOUNDED),
        cloudwatch=session.client("cloudwatch", config=BOUNDED),
        began=datetime.now(UTC),
        wait_seconds=wait_seconds,
    )


def _caller(session: boto3.Session, stack: Stack) -> Caller:
    token = os.environ.get("BUCKETWISE_TOKEN")
    if token:
        return BearerCaller(token)
    credentials = session.get_credentials()
    if credentials is None:
        raise StackUnreadable("there are no AWS credentials")
    return SigningCaller(credentials.get_frozen_credentials(), stack.region)


def _interrupt(_number: int, _frame: Any) -> None:
    """The first one ends the check; further ones must not end the cleaning up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
