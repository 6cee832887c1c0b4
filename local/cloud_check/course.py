"""Runs the steps in order, prints what became of each, and cleans up however they end."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud_check.calls import StepFailed
from local.cloud_check.steps import Check

WIDTH = 44


@dataclass(frozen=True, slots=True)
class Step:
    """``look_at`` is for who reads that it failed. ``after``: the step without which it has no sense."""

    name: str
    run: Callable[[], None]
    look_at: str
    after: str | None = None


def steps_of(check: Check) -> list[Step]:
    ingest = "the receipt (GET /documents?key=), DeadLetterQueue, IngestFunction's log, the bucket's notification"
    model = "the key in ModelKeySecretArn, OpenAiBaseUrl, AskFunction's log, NatGateway"
    storing = "s3:PutObject of these credentials, the bucket's policy"
    deletion = "the bucket's notification of ObjectRemoved, IngestFunction's log, the age of QueueUrl's messages"
    return [
        Step("an unsigned request is refused", check.refuses_unsigned, "the authorizer of the API's methods"),
        Step("a wrongly signed request is refused", check.refuses_forged, "the authorizer of the API's methods"),
        Step("API and database answer", check.answers, "execute-api:Invoke of these credentials, AskFunction's log"),
        Step("a document is stored", check.upload, storing, "API and database answer"),
        Step("it is searchable", check.becomes_searchable, ingest, "a document is stored"),
        Step("its receipt says so", check.has_receipt, ingest, "it is searchable"),
        Step("an answer cites it", check.is_cited, model, "it is searchable"),
        Step("the citation's link opens it", check.link_opens, "AskRole's right to read objects", "an answer cites it"),
        Step("a new version is searchable", check.update, ingest, "it is searchable"),
        Step("the new text answers, the old does not", check.answers_new_text, model, "a new version is searchable"),
        Step("it is deleted, and its receipt says so", check.delete, deletion, "it is searchable"),
        Step("search does not find it", check.is_not_found, deletion, "it is deleted, and its receipt says so"),
        Step("nor is it answered from", check.is_not_answered, deletion, "it is deleted, and its receipt says so"),
        Step("metrics arrive", check.is_measured, "the functions' logs: lines with _aws", "an answer cites it"),
        Step("the dead letter queue is empty", check.has_no_dead_letters, "docs/operations.md, DeadLetterAlarm"),
    ]


def run(check: Check) -> bool:
    """Whether all steps were done and the document is cleaned up. The bucket is cleaned up in any case."""
    failed: set[str] = set()
    try:
        for step in steps_of(check):
            if step.after in failed:
                failed.add(step.name)
                print(f"{step.name:<{WIDTH}} skipped", flush=True)
            elif not _done(step):
                failed.add(step.name)
    finally:
        cleaned = _done(
            Step(
                "cleaned up", check.canary.erase, f"delete all versions of s3://{check.stack.bucket}/{check.canary.key}"
            )
        )
    return cleaned and not failed


def _done(step: Step) -> bool:
    began = time.monotonic()
    seen = next(_failure(step), None)
    took = f"{(time.monotonic() - began) * 1000:8.0f} ms"
    print(f"{step.name:<{WIDTH}} {'ok     ' if seen is None else 'FAILED '} {took}", flush=True)
    if seen is not None:
        print(f"    {seen}\n    look at: {step.look_at}", flush=True)
    return seen is None


def _failure(step: Step) -> Iterator[str]:
    try:
        step.run()
    except StepFailed as failure:
        yield str(failure)
    except ClientError as error:
        yield f"AWS said {error.response['Error']['Code']} to {error.operation_name}"
    except BotoCoreError as error:
        yield f"AWS did not answer ({type(error).__name__})"
