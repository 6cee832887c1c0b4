"""The OpenAPI document against the running system: requests made from it, and replies held against it.

Some of the requests fit the document, and some are spoiled on purpose. All parts work, so that no reply may be of a
status from 500 on. That a spoiled one is refused is not asked for: 0 is taken for false.
"""

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ask.routes import openapi
from tests.e2e.conftest import System

EXAMPLES = 25  # of each route
CONFORMANCE = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


schema = schemathesis.openapi.from_dict(json.loads(str(openapi().body)))
# What API Gateway has no route for, the function never sees.
schema.config.phases.coverage.unexpected_methods = set()


def test_the_document_that_is_served_is_the_one_that_is_tested(system: System) -> None:
    assert system.api.get("/openapi.json").body == schema.raw_schema


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_reply_is_one_that_the_contract_has(case: schemathesis.Case[Any], system: System) -> None:
    reply = case.call(base_url=system.api.url)
    assert reply.status_code < 500, reply.text
    case.validate_response(reply, checks=CONFORMANCE)
