"""``make reindex``: takes a deployed index over to another embedding model, while it is in use."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.aws_session import SAM_CONFIG, session_of

OUTPUT = "ReindexFunctionName"
# A run of the function takes up to 15 minutes, and is not to be started twice.
PATIENT = Config(read_timeout=930, retries={"total_max_attempts": 1})


class ReindexFailed(Exception):
    """The function, or AWS, said no; the message says why."""


@dataclass(frozen=True, slots=True)
class ReindexFunction:
    """``client`` is boto3's Lambda client."""

    client: Any
    name: str

    def run_until_done(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invokes it until what the event asks for is live; prints how far it got. Raises ReindexFailed."""
        total = 0
        while True:
            progress = self._invoke(event)
            total += progress["embedded"]
            print(f"{total:,} texts embedded ({progress['tokens']:,} tokens in this run)", flush=True)
            if progress["live"]:
                return progress
            if not progress["embedded"]:
                raise ReindexFailed("a run ended without getting further: look into the function's log")

    def _invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        try:
            reply = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise ReindexFailed(str(error)) from error
        said: dict[str, Any] = json.loads(reply["Payload"].read())
        if reply.get("FunctionError") or "error" in said:
            raise ReindexFailed(said.get("text") or said.get("errorType") or "the function failed")
        return said


def function_of(stack: str, config: Path) -> ReindexFunction:
    """Raises ReindexFailed for a stack that is not there, or not one of ours."""
    try:
        session = session_of(config)
        stacks = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise ReindexFailed(str(error)) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if OUTPUT not in outputs:
        raise ReindexFailed(f"the stack {stack} has no output {OUTPUT}")
    return ReindexFunction(session.client("lambda", config=PATIENT), outputs[OUTPUT])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.reindex", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config-file", type=Path, default=SAM_CONFIG)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="the embedding model to go over to")
    what.add_argument("--drop", action="store_true", help="drop the vectors of all models but the live one")
    parser.add_argument("--dimensions", type=int, default=0)
    options = parser.parse_args()
    event = (
        {"drop_others": True} if options.drop else {"embedding_model": options.model, "dimensions": options.dimensions}
    )
    try:
        done = function_of(options.stack, options.config_file).run_until_done(event)
    except ReindexFailed as failure:
        print(f"could not reindex: {failure}", file=sys.stderr)
        return 1
    print(
        f"dropped {done['dropped']}" if options.drop else f"live: {options.model} with {options.dimensions} dimensions"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
