"""The ask Lambda: API Gateway's requests in, answers or problem documents out."""

from bucketwise import startup  # isort: split

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from traceback import extract_tb
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from ask.composition import telemetry
from ask.problems import (
    INTERNAL,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_FOUND,
    PROBLEMS,
    Problem,
    invalid_parts,
    problem_document,
)
from ask.routes import app
from bucketwise.errors import BucketwiseError, BudgetExceeded, UnreadableDocument
from bucketwise.telemetry import Metric

startup.imported()

BODY_READERS = {"json_body", "decoded_body"}  # properties of Powertools' event


@telemetry.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@telemetry.tracer.capture_lambda_handler(capture_response=False)
@telemetry.metrics_flushed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An API Gateway proxy response; never an exception."""
    try:
        response = app.resolve(_with_json_body(event), context)
    except Exception as error:  # noqa: BLE001  # the handler's edge
        telemetry.log_failure(error)
        document = _document(INTERNAL, str((event.get("requestContext") or {}).get("requestId")))
        return {"statusCode": document.status_code, "headers": document.headers, "body": document.body}
    telemetry.logger.info("request", extra={"route": event.get("resource"), "status": response["statusCode"]})
    return response


@app.exception_handler(BucketwiseError)
def answer_own_error(error: BucketwiseError) -> Response[str]:
    problem = PROBLEMS[type(error)]
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # below, it is the caller's affair and no failure
        telemetry.log_failure(error)
    return _answer(problem)


@app.exception_handler(UnreadableDocument)
def answer_unreadable_document(error: UnreadableDocument) -> Response[str]:
    return _answer(PROBLEMS[UnreadableDocument], {"reason": error.reason.value, "hint": error.hint})


@app.exception_handler(BudgetExceeded)
def answer_spent_budget(error: BudgetExceeded) -> Response[str]:
    until_tomorrow = replace(PROBLEMS[BudgetExceeded], retry_after=error.retry_after)
    return _answer(until_tomorrow, {"scope": error.scope, "limit": error.unit})


@app.exception_handler(RequestValidationError)
def answer_invalid_request(error: RequestValidationError) -> Response[str]:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return _answer(INVALID_JSON)
    return _answer(INVALID_REQUEST, invalid_parts(found))


@app.exception_handler([RecursionError, ValueError])
def answer_unreadable_body(error: Exception) -> Response[str]:
    """Nested too deeply or a number too long for Python's JSON, not UTF-8, not base64; or a mistake of ours."""
    if BODY_READERS & {frame.name for frame in extract_tb(error.__traceback__)}:
        return _answer(INVALID_JSON)
    telemetry.log_failure(error)
    return _answer(INTERNAL)


@app.exception_handler(ResponseValidationError)
def answer_own_mistake(error: ResponseValidationError) -> Response[str]:
    telemetry.log_failure(error)
    return _answer(INTERNAL)


@app.not_found
def answer_unknown_route(_: Exception) -> Response[str]:
    return _answer(NOT_FOUND)


def _answer(problem: Problem, members: Mapping[str, object] | None = None) -> Response[str]:
    return _document(problem, str(app.current_event.request_context.request_id), members)


def _document(problem: Problem, request_id: str, members: Mapping[str, object] | None = None) -> Response[str]:
    telemetry.count_with_reason(Metric.FAILED_REQUESTS, problem.name)
    return problem_document(problem, request_id=request_id, members=members)


def _with_json_body(event: dict[str, Any]) -> dict[str, Any]:
    """Bodies are JSON, whatever a client calls them: `curl -d` says they are forms."""
    headers = {name: value for name, value in (event.get("headers") or {}).items() if name.lower() != "content-type"}
    return event | {"headers": headers | {"content-type": "application/json"}}
