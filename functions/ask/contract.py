"""What ``GET /openapi.json`` says of a route."""

from http import HTTPStatus
from typing import Any, TypedDict

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from ask.problems import INTERNAL, INVALID_JSON, INVALID_REQUEST, PROBLEMS, Problem
from ask.schemas import ProblemOut
from bucketwise import errors

OF_EVERY_ROUTE = (INVALID_REQUEST, INTERNAL, PROBLEMS[errors.InvalidSettings])
OF_A_TENANT = tuple(
    PROBLEMS[kind]
    for kind in (
        errors.UnknownCaller,
        errors.DeadlineExceeded,
        errors.DatabaseUnavailable,
        errors.IndexChanged,
        errors.SecretUnavailable,
    )
)
OF_A_SEARCH = (
    INVALID_JSON,
    *(PROBLEMS[kind] for kind in (errors.IndexBehind, errors.UnreadableDocument, errors.BudgetExceeded)),
    *OF_A_TENANT,
)
OF_RETRIES = (INVALID_JSON, PROBLEMS[errors.UnknownDocument], PROBLEMS[errors.QueueUnavailable], *OF_A_TENANT)
OF_DOCUMENTS = (PROBLEMS[errors.UnknownDocument], *OF_A_TENANT)


class RouteOptions(TypedDict):
    """Arguments by which Powertools registers a route."""

    summary: str
    responses: dict[int, OpenAPIResponse]
    status_code: int
    custom_response_validation_http_code: int


def documented(summary: str, *problems: Problem, success: HTTPStatus = HTTPStatus.OK) -> RouteOptions:
    """What a route does, its own reply, and the problems it may answer with beside those of every route."""
    known = (*OF_EVERY_ROUTE, *problems)
    listed: dict[int, OpenAPIResponse] = {success.value: {"description": "Done as asked"}}
    for status in sorted({problem.status for problem in known}):
        listed[status.value] = _reply([problem for problem in known if problem.status is status])
    return {
        "summary": summary,
        "responses": listed,
        "status_code": success.value,
        "custom_response_validation_http_code": INTERNAL.status.value,
    }


def _reply(problems: list[Problem]) -> OpenAPIResponse:
    names = ", ".join(f"`{problem.name}`" for problem in problems)
    content: dict[str, Any] = {"application/problem+json": {"model": ProblemOut}}
    reply: OpenAPIResponse = {"description": f"A problem: {names}", "content": content}
    if any(problem.retry_after for problem in problems):
        reply["headers"] = {
            "Retry-After": {"description": "When to come again, in seconds", "schema": {"type": "integer"}}
        }
    return reply
