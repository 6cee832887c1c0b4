"""The HTTP routes: each translates a request into one call, and its result into a response."""

import os
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from time import perf_counter, time
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query as InQuery

from ask import estimate
from ask.asking import Reply
from ask.caller import caller_of, tenant_of
from ask.composition import (
    ask_pipeline,
    asking,
    budgets,
    documents,
    ingest_queue,
    link_maker,
    settings,
    tenants_of_callers,
)
from ask.contract import OF_A_SEARCH, OF_A_TENANT, OF_DOCUMENTS, OF_RETRIES, documented
from ask.document_schemas import DocumentOut, DocumentsResponse
from ask.documents import Documents, ListedState
from ask.explanation import explained
from ask.filters import Text
from ask.prompt import Turn
from ask.responses import search_response
from ask.retrieval import ObjectVersion, Query
from ask.schemas import (
    AskRequest,
    AskResponse,
    ExplainOut,
    HealthResponse,
    RetryRequest,
    RetryResponse,
    SearchRequest,
    SearchResponse,
    UploadedVersion,
)
from bucketwise.deadline import Deadline
from bucketwise.ingest_queue import Errand

# API Gateway gives up on a request after 29 s (its quota for REST APIs); what comes later reaches nobody.
GATEWAY_SECONDS = 28.0
# API Gateway tells when a request came in milliseconds since 1970. `sam local start-api` tells when it was itself
# started, older ones in seconds, which says nothing of the request.
SECONDS_BELOW = 100_000_000_000
# Kept of the invocation's own time to send the response.
RESERVE_SECONDS = 0.5

app = APIGatewayRestResolver(enable_validation=True)


@app.post(
    "/ask", **documented("Answers a question from the documents, with citations that were checked.", *OF_A_SEARCH)
)
def ask(request: AskRequest) -> AskResponse:
    began, tenant = perf_counter(), _tenant()
    query = replace(_query(request), explain=request.explain)
    turns = [Turn(turn.question, turn.answer) for turn in request.history]
    use_cache = request.cache and not request.explain
    deadline = _deadline()
    with budgets(tenant).spend(_caller(), estimate.of_answer(settings(), query, turns), deadline=deadline):
        reply = asking(tenant).ask(query, turns, use_cache=use_cache, deadline=deadline)
    return reply.response(
        link_maker(),
        explain=_explanation(reply, query) if request.explain else None,
        request_id=_request_id(),
        total_ms=(perf_counter() - began) * 1000,
    )


@app.post(
    "/search", **documented("Finds passages, with their scores and ranks in each leg of the search.", *OF_A_SEARCH)
)
def search(request: SearchRequest) -> SearchResponse:
    began, tenant = perf_counter(), _tenant()
    query, deadline = _query(request), _deadline()
    with budgets(tenant).spend(_caller(), estimate.of_search(settings(), query), deadline=deadline):
        found = ask_pipeline(tenant).search(query, deadline=deadline)
    return search_response(found, request_id=_request_id(), total_ms=(perf_counter() - began) * 1000)


@app.get(
    "/documents",
    **documented(
        "What the index holds of one document, or of a page of them in the order of their keys.", *OF_DOCUMENTS
    ),
)
def list_documents(
    key: Annotated[Text | None, InQuery(max_length=1024, description="Only this one; 404 if it is not known")] = None,
    prefix: Annotated[Text, InQuery(max_length=1024, description="Of the keys")] = "",
    state: Annotated[ListedState | None, InQuery()] = None,
    after: Annotated[Text, InQuery(max_length=1024, description="`next` of the page before")] = "",
) -> DocumentsResponse:
    mine = documents(_tenant())
    if key is not None:
        found = mine.get(key, deadline=_deadline())
    else:
        found = mine.page(prefix=prefix, state=state, after=after, deadline=_deadline())
    return DocumentsResponse(
        documents=[DocumentOut.model_validate(row) for row in found.documents],
        next=found.following,
        corpus_version=found.corpus_version,
    )


@app.post(
    "/retries",
    **documented(
        "Puts one document, or all that failed, back into the queue, to be indexed anew even if nothing changed.",
        *OF_RETRIES,
        success=HTTPStatus.ACCEPTED,
    ),
)
def retry(request: RetryRequest) -> RetryResponse:
    mine, deadline = documents(_tenant()), _deadline()
    if request.key is not None:
        mine.get(request.key, deadline=deadline)  # the queue is all tenants': nobody has another's documents retried
    keys = [request.key] if request.key is not None else _failed_keys(mine, deadline)
    return RetryResponse(queued=ingest_queue().send(keys, Errand(again=True)))


@app.get(
    "/health",
    **documented(
        "Whether the function runs; with deep=1, whether the database answers (which wakes it up).", *OF_A_TENANT
    ),
)
def health(deep: Annotated[bool, InQuery()] = False) -> HealthResponse:
    version = documents(_tenant()).corpus_version(deadline=_deadline()) if deep else None
    return HealthResponse(status="ok", corpus_version=version)


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """This contract."""
    schema = app.get_openapi_json_schema(
        title="Bucketwise", version="1", description="Ask questions of the documents in a bucket."
    )
    return Response(status_code=HTTPStatus.OK, content_type="application/json", body=schema)


def _query(request: SearchRequest) -> Query:
    wanted = request.min_version
    return Query(
        question=request.question,
        filters=request.filters.for_index(),
        limit=request.top_k or settings().top_k,
        min_version=ObjectVersion(wanted.key, wanted.version) if isinstance(wanted, UploadedVersion) else wanted,
    )


def _failed_keys(mine: Documents, deadline: Deadline) -> Iterator[str]:
    after: str | None = ""
    while after is not None:
        found = mine.page(state=ListedState.FAILED, after=after, deadline=deadline)
        for row in found.documents:
            deadline.allow(0)  # the queue takes its time, too
            yield row["key"]
        after = found.following


def _explanation(reply: Reply, query: Query) -> ExplainOut | None:
    if reply.answer is None:
        return None
    return explained(reply.answer, filters=query.filters or {}, trace_id=_trace_id())


def _deadline() -> Deadline:
    """The earlier of the invocation's end and the moment at which API Gateway gives up."""
    own: float = app.lambda_context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    epoch = app.current_event.request_context.request_time_epoch
    if epoch < SECONDS_BELOW or os.environ.get("AWS_SAM_LOCAL") == "true":
        return Deadline.after(own)
    return Deadline.after(min(own, epoch / 1000 + GATEWAY_SECONDS - time()))


def _trace_id() -> str | None:
    """X-Ray's, as Lambda tells it for each invocation: `Root=1-...;Parent=...;Sampled=1`."""
    parts = dict(part.partition("=")[::2] for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    return parts.get("Root")


def _caller() -> str:
    return caller_of(app.current_event.raw_event)


def _tenant() -> str:
    """Asked for wherever a tenant's data are. Raises UnknownCaller."""
    return tenant_of(app.current_event.raw_event, tenants_of_callers(), default=settings().tenant)


def _request_id() -> str:
    return str(app.current_event.request_context.request_id)
