"""Runs the steps in order, prints what became of each, and cleans up however they end."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        cleaned = _cleaned_up(check)
    return cleaned and not failed


def _cleaned_up(check: Check) -> bool:
    left = f"delete all versions of s3://{check.stack.bucket}/{check.canary.key}"
    with _undisturbed():
        return _done(Step("cleaned up", check.canary.erase, left))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Who is impatient presses Ctrl-C twice; what is left to do takes seconds, and is bounded."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _done(step: Step) -> bool:
    began = time.monotonic()
    seen = _failure_of(step)
    took = f"{(time.monotonic() - began) * 1000:8.0f} ms"
    print(f"{step.name:<{WIDTH}} {'ok     ' if seen is None else 'FAILED '} {took}", flush=True)
    if seen is not None:
        print(f"    {seen}\n    look at: {step.look_at}", flush=True)
    return seen is None


def _failure_of(step: Step) -> str | None:
    try:
        step.run()
    except StepFailed as failure:
        return str(failure)
    except ClientError as error:
        return f"AWS said {error.response['Error']['Code']} to {error.operation_name}"
    except BotoCoreError as error:
        return f"AWS did not answer ({type(error).__name__})"
    return None
