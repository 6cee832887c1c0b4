"""A custom resource's answer to CloudFormation, which waits an hour for one that never comes."""

import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

PHYSICAL_ID = "bucketwise-index"  # constant: a change of it would make CloudFormation delete the "old" index
TRIES = 3
SEND_SECONDS = 5.0
PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``reason`` is shown to whoever deploys; CloudFormation wants one with a failure."""

    succeeded: bool
    reason: str


def answer(event: Mapping[str, Any], outcome: Outcome) -> None:
    """Sends the outcome to the event's ResponseURL. Raises OSError or HTTPException when it could not be
    sent in three tries."""
    body = json.dumps(
        {
            "Status": "SUCCESS" if outcome.succeeded else "FAILED",
            "Reason": outcome.reason[:1000],
            "PhysicalResourceId": PHYSICAL_ID,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
    ).encode()
    # The URL is signed for an empty content type.
    request = urllib.request.Request(  # noqa: S310  # CloudFormation's own https URL
        event["ResponseURL"], body, {"content-type": ""}, method="PUT"
    )
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=SEND_SECONDS):  # noqa: S310
                return
        except (OSError, HTTPException):  # a connection that is lost after sending is no URLError
            if attempt == TRIES:
                raise
            time.sleep(PAUSE_SECONDS)
