"""The HTTP API in front of ask."""

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from ask.routes import app
from ask.schemas import AskRequest, RetryRequest, SearchRequest
from local.gateway import BUSY, TOO_SLOW
from local.proxy_format import Response
from tests.unit.template_model import ROOT, STAGE, attribute, dependencies, made, of_type, properties, stack

GATEWAY_MILLISECONDS = 29_000
STATUSES = {
    "BAD_REQUEST_BODY": 400,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "THROTTLED": 429,
    "AUTHORIZER_FAILURE": 503,
    "AUTHORIZER_CONFIGURATION_ERROR": 503,
    "INTEGRATION_FAILURE": 503,
    "INTEGRATION_TIMEOUT": 503,
}
SCHEMAS: dict[str, type[BaseModel]] = {"/ask": AskRequest, "/search": SearchRequest, "/retries": RetryRequest}


def definition() -> dict[str, Any]:
    found: dict[str, Any] = made("Api")["Body"]
    return found


def methods() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (verb.upper(), path): operation
        for path, operations in definition()["paths"].items()
        for verb, operation in operations.items()
    }


def gateway_responses() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = definition()["x-amazon-apigateway-gateway-responses"]
    return found


def setting() -> dict[str, Any]:
    [found] = properties(STAGE)["MethodSettings"]
    assert (found["ResourcePath"], found["HttpMethod"]) == ("/*", "*")
    return dict(found)


def problem(name: str) -> dict[str, Any]:
    """A gateway's problem document with API Gateway's variables filled in."""
    text = gateway_responses()[name]["responseTemplates"]["application/json"]
    filled = text.replace("$context.error.messageString", '"message"').replace("$context.requestId", "id")
    document: dict[str, Any] = json.loads(filled)
    return document


def test_the_api_is_regional_rest() -> None:
    assert properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert of_type("AWS::ApiGatewayV2::Api") == {}


def test_the_api_has_the_routes_of_the_function() -> None:
    # Powertools keeps no public list of routes; /openapi.json is registered apart from the documented ones.
    documented: dict[str, Any] = app.get_openapi_schema().paths or {}
    mine = {(verb.upper(), path) for path, each in documented.items() for verb in spoken(each)}
    assert set(methods()) == mine | {("GET", "/openapi.json")}


def spoken(path: Any) -> set[str]:
    return set(path.model_dump(exclude_none=True)) & {"get", "post", "put", "patch", "delete"}


def test_callers_need_no_right_on_the_function_itself() -> None:
    assert not [route for route, each in methods().items() if "credentials" in each["x-amazon-apigateway-integration"]]


def test_every_method_invokes_ask_and_may() -> None:
    uris = [each["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"] for each in methods().values()]
    assert {uri.partition(":lambda:")[2] for uri, _ in uris} == {"path/2015-03-31/functions/${Called}/invocations"}
    assert [put_in for _, put_in in uris] == [{"Called": attribute("AskFunction")}] * len(uris)
    permission = made("AskPermission")
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": "AskFunction"}, "apigateway.amazonaws.com")
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${AWS::AccountId}:${Api}/live/*/*")


def test_requests_are_handed_on_as_they_are() -> None:
    """Lambda is always called by POST, whatever the caller's method."""
    for method in methods().values():
        integration = method["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")


def test_ask_ends_before_the_gateway_gives_up() -> None:
    waits = {each["x-amazon-apigateway-integration"]["timeoutInMillis"] for each in methods().values()}
    assert waits == {GATEWAY_MILLISECONDS}
    assert properties("AskFunction")["Timeout"] * 1000 < GATEWAY_MILLISECONDS


def test_there_is_one_stage() -> None:
    assert [each["StageName"] for each in of_type("AWS::ApiGateway::Stage").values()] == ["live"]
    assert not [each for each in of_type("AWS::ApiGateway::Deployment").values() if "StageName" in each]


def test_requests_are_throttled() -> None:
    assert setting()["ThrottlingRateLimit"] > 0
    assert setting()["ThrottlingBurstLimit"] > 0


def test_the_gateway_traces_and_counts_but_records_no_bodies() -> None:
    assert properties(STAGE)["TracingEnabled"] is True
    assert setting()["MetricsEnabled"] is True
    assert setting()["DataTraceEnabled"] is False


def test_the_access_log_is_json_without_bodies_callers_or_query_strings() -> None:
    log = properties(STAGE)["AccessLogSetting"]
    assert log["DestinationArn"] == attribute("ApiLogs")
    assert "RetentionInDays" in properties("ApiLogs")
    variables = {value.strip("$") for value in json.loads(log["Format"]).values()}
    assert variables == {
        "context.requestId",
        "context.httpMethod",
        "context.resourcePath",
        "context.status",
        "context.responseLatency",
        "context.error.responseType",
    }


def test_a_stage_with_a_log_waits_for_the_accounts_log_role() -> None:
    assert {"ApiGatewayAccount", "ApiGatewayAccountRole"} <= dependencies(STAGE)


def test_the_accounts_log_role_is_made_only_if_wanted_and_stays() -> None:
    condition = {"Fn::Equals": [{"Ref": "ApiGatewayLogRole"}, "create"]}
    assert stack()["Conditions"]["CreatesApiGatewayLogRole"] == condition
    for name in ("ApiGatewayAccount", "ApiGatewayAccountRole"):
        found = stack()["Resources"][name]
        assert (found["Condition"], found["DeletionPolicy"]) == ("CreatesApiGatewayLogRole", "Retain")


@pytest.mark.parametrize("path", SCHEMAS)
def test_bodies_are_checked_before_the_function_is_called(path: str) -> None:
    method = methods()["POST", path]
    validator = definition()["x-amazon-apigateway-request-validators"][method["x-amazon-apigateway-request-validator"]]
    assert validator["validateRequestBody"] is True
    assert method["requestBody"]["required"] is True
    assert "application/json" in method["requestBody"]["content"]


@pytest.mark.parametrize("path", SCHEMAS)
def test_the_gateway_refuses_nothing_that_the_function_takes(path: str) -> None:
    name = methods()["POST", path]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    model = definition()["components"]["schemas"][name]
    mine = SCHEMAS[path].model_json_schema()
    assert model["type"] == mine["type"]
    assert model.get("required", []) == mine.get("required", [])
    assert {key: value["type"] for key, value in model.get("properties", {}).items()} == {
        key: mine["properties"][key]["type"] for key in model.get("required", [])
    }
    assert model.keys() <= {"type", "required", "properties"}


@pytest.mark.parametrize("name", ["DEFAULT_4XX", "DEFAULT_5XX", *STATUSES])
def test_the_gateways_own_errors_are_problem_documents(name: str) -> None:
    headers = gateway_responses()[name]["responseParameters"]
    document = problem(name)
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert document["type"] == "about:blank" or document["type"].startswith("urn:bucketwise:problem:")
    assert document["title"]
    assert document["request_id"] == "id"


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_a_problem_of_the_gateway_says_its_status(name: str, status: int) -> None:
    assert gateway_responses()[name]["statusCode"] == str(status)
    assert problem(name)["status"] == status


@pytest.mark.parametrize("name", [name for name, status in STATUSES.items() if status in {429, 503}])
def test_who_is_sent_away_is_told_when_to_come_back(name: str) -> None:
    assert gateway_responses()[name]["responseParameters"]["gatewayresponse.header.Retry-After"].strip("'").isdigit()


@pytest.mark.parametrize(("name", "twin"), [("INTEGRATION_FAILURE", BUSY), ("INTEGRATION_TIMEOUT", TOO_SLOW)])
def test_what_lambda_does_not_take_or_answer_is_answered_as_by_the_twins_gateway(name: str, twin: Response) -> None:
    """Of a function in a proxy integration, Lambda's 429 is a failure of the integration."""
    headers = gateway_responses()[name]["responseParameters"]
    named = {name.rpartition(".")[2]: value.strip("'") for name, value in headers.items()}
    assert (twin.status, dict(twin.headers)) == (503, named)
    assert json.loads(twin.body) | {"request_id": "id"} == problem(name)


def test_no_gateway_error_repeats_what_was_sent() -> None:
    texts = json.dumps(gateway_responses())
    assert "validationErrorString" not in texts
    assert "method.request" not in texts


def test_the_readme_names_the_problems_of_the_gateway_with_their_statuses() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (.*)$", readme, re.MULTILINE)
    listed = {(int(status), name) for status, row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    documents = [problem(name) for name in gateway_responses()]
    named = {(each["status"], each["type"].rpartition(":")[2]) for each in documents if each["type"] != "about:blank"}
    assert named <= listed
    assert named >= {(401, "unauthorized"), (403, "access-denied"), (503, "authorizer-failure")}
