"""Errors as RFC 9457 problem documents. They hold no exception's text and nothing of what was sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from bucketwise import errors


@dataclass(frozen=True, slots=True)
class Problem:
    """``name`` is the last part of the problem's type; ``retry_after`` is in seconds."""

    name: str
    status: HTTPStatus
    title: str
    retry_after: int | None = None


# Of a reply, which Lambda refuses above 6 MB.
MOST_PARTS = 20
LONGEST_WHERE = 200  # characters: names of unknown fields are as long as the caller likes

BUSY = HTTPStatus.SERVICE_UNAVAILABLE

INVALID_REQUEST = Problem("invalid-request", HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.")
INVALID_JSON = Problem("invalid-json", HTTPStatus.BAD_REQUEST, "The body is not JSON.")
NOT_FOUND = Problem("not-found", HTTPStatus.NOT_FOUND, "There is no such route.")
INTERNAL = Problem("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here.")
MISCONFIGURED = Problem("misconfigured", HTTPStatus.INTERNAL_SERVER_ERROR, "The service is not set up correctly.")
TOO_SLOW = Problem("too-slow", BUSY, "There was no time left to answer.", 5)
INDEX_CHANGING = Problem("index-changing", BUSY, "The index is being changed.", 1)
UNREADABLE = Problem("unreadable-document", HTTPStatus.UNPROCESSABLE_ENTITY, "The document cannot be read.")

# One line for each error of bucketwise.errors; a test keeps it complete.
PROBLEMS: dict[type[errors.BucketwiseError], Problem] = {
    errors.InvalidSettings: MISCONFIGURED,
    errors.IndexMismatch: MISCONFIGURED,
    errors.MalformedEvent: INVALID_REQUEST,
    errors.UnreadableDocument: UNREADABLE,
    errors.DeadlineExceeded: TOO_SLOW,
    errors.ParsingTooSlow: TOO_SLOW,
    errors.DatabaseUnavailable: Problem("database-unavailable", BUSY, "The index does not answer.", 15),
    errors.EmbeddingMissing: INDEX_CHANGING,
    errors.IndexChanged: INDEX_CHANGING,
    errors.ModelUnavailable: Problem("model-unavailable", BUSY, "The model does not answer.", 10),
    errors.ModelRefused: Problem("model-refused", BUSY, "The model does not serve this deployment.", 60),
    errors.ModelReplyInvalid: Problem("model-reply-invalid", BUSY, "The model's reply was unusable.", 5),
    errors.ParserUnavailable: Problem("parser-unavailable", BUSY, "Documents cannot be parsed now.", 10),
    errors.DiskUnavailable: Problem("disk-unavailable", BUSY, "There is no room to work in.", 10),
    errors.BucketUnavailable: Problem("bucket-unavailable", BUSY, "The bucket does not answer.", 10),
    errors.SecretUnavailable: Problem("secret-unavailable", BUSY, "A secret could not be read.", 10),
    errors.QueueUnavailable: Problem("queue-unavailable", BUSY, "The queue does not take messages.", 10),
    errors.IndexBehind: Problem("index-behind", HTTPStatus.CONFLICT, "The index is not there yet.", 2),
    errors.BudgetExceeded: Problem(
        "budget-exceeded", HTTPStatus.TOO_MANY_REQUESTS, "What may be spent in a day is spent.", 86_400
    ),
    errors.UnknownCaller: Problem("unknown-caller", HTTPStatus.FORBIDDEN, "The caller belongs to no tenant."),
    errors.UnknownDocument: Problem("unknown-document", HTTPStatus.NOT_FOUND, "No document has this key."),
}


def problem_document(
    problem: Problem, *, request_id: str, members: Mapping[str, object] | None = None
) -> Response[str]:
    """``members`` come beside those that every problem has."""
    body: dict[str, Any] = {
        "type": f"urn:bucketwise:problem:{problem.name}",
        "title": problem.title,
        "status": problem.status.value,
        "request_id": request_id,
        **(members or {}),
    }
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    return Response(
        status_code=problem.status.value,
        content_type="application/problem+json",
        body=json.dumps(body),
        headers=headers,
    )


def invalid_parts(found: Sequence[Any]) -> dict[str, object]:
    """The members that say where and what, from pydantic's list of errors; never the value that was sent."""
    told = [
        {"where": "/".join(str(part) for part in each["loc"])[:LONGEST_WHERE], "what": each["msg"]}
        for each in found[:MOST_PARTS]
    ]
    further = len(found) - len(told)
    return {"errors": told} | ({"further_errors": further} if further else {})
