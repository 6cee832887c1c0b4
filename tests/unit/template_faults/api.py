"""The HTTP API in front of ask."""

from tests.unit import test_template_api as api
from tests.unit import test_template_callers as callers
from tests.unit import test_template_snapshots as snapshots
from tests.unit.template_faults.fault import Fault

FAULTS = [
    Fault("API: regional", "{Type: REGIONAL}", "{Type: EDGE}", api.test_the_api_is_regional_rest),
    Fault(
        "API: an authorizer on every method",
        "          /health:\n            get: *read\n",
        "          /health:\n            get: {x-amazon-apigateway-integration: *ask, responses: {}}\n",
        callers.test_every_method_has_an_authorizer,
    ),
    Fault(
        "API: signatures of IAM unless tokens are asked for",
        "                x-amazon-apigateway-authtype: awsSigv4\n",
        "",
        callers.test_every_method_has_an_authorizer,
    ),
    Fault(
        "API: request models validated",
        "body: {validateRequestBody: true,",
        "body: {validateRequestBody: false,",
        api.test_bodies_are_checked_before_the_function_is_called,
    ),
    Fault(
        "API: calls the version of ask that has a snapshot",
        "Called: !If [TakesSnapshots, !Ref AskAlias, !GetAtt AskFunction.Arn]",
        "Called: !GetAtt AskFunction.Arn",
        snapshots.test_every_method_calls_the_published_version_and_may,
    ),
    Fault("API: throttling", "          ThrottlingRateLimit: 50\n", "", api.test_requests_are_throttled),
    Fault(
        "API: access log without bodies",
        '"route":"$context.resourcePath"',
        '"route":"$context.path"',
        api.test_the_access_log_is_json_without_bodies_callers_or_query_strings,
    ),
    Fault(
        "API: DataTraceEnabled false",
        "DataTraceEnabled: false",
        "DataTraceEnabled: true",
        api.test_the_gateway_traces_and_counts_but_records_no_bodies,
    ),
    Fault(
        "API: gateway 4xx and 5xx in the problem format",
        "        DEFAULT_5XX: *gateway-problem\n",
        "        DEFAULT_5XX: {ResponseTemplates: {application/json: '{\"message\":$context.error.messageString}'}}\n",
        api.test_the_gateways_own_errors_are_problem_documents,
    ),
    Fault(
        "API: a request that Lambda does not take may come again",
        "        INTEGRATION_FAILURE:  #",
        "        REQUEST_TOO_LARGE:  #",
        api.test_what_lambda_does_not_take_or_answer_is_answered_as_by_the_twins_gateway,
    ),
]
