"""Who may call the deployed API: by signatures of IAM, or by tokens."""

import json
import re
import subprocess
import time
from typing import Any

import pytest

from ask.schemas import ProblemOut
from authorize.settings import ALGORITHMS, TokenSettings
from local.authorizer import BEARER_PATTERN, KEEP_SECONDS
from local.built import read_template
from tests.unit.template_model import (
    AUTHORIZER,
    ROOT,
    SAM,
    actions,
    attribute,
    deployed,
    needs_sam,
    parameter,
    resources_for,
    stack,
    statements,
    translate,
)

JWT = {"Auth": "jwt", "JwtIssuer": "https://login.example.com", "JwtAudience": "bucketwise"}
OF_TOKENS = {AUTHORIZER} | {f"Authorize{what}" for what in ("Role", "Logs", "Permission", "rFailures", "rAlarm")}

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJ5In0.c2lnbmF0dXJl-_"

each_way = pytest.mark.parametrize("given", [{}, JWT], ids=["iam", "jwt"])


def definition(given: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = deployed(**given)["Api"]["Properties"]["Body"]
    return found


def scheme(given: dict[str, str]) -> dict[str, Any]:
    [(name, found)] = definition(given)["components"]["securitySchemes"].items()
    assert name == "Callers"
    scheme: dict[str, Any] = found
    return scheme


@each_way
def test_every_method_has_an_authorizer(given: dict[str, str]) -> None:
    methods = [method for operations in definition(given)["paths"].values() for method in operations.values()]
    assert [method["security"] for method in methods] == [[{"Callers": []}]] * 6
    assert scheme(given)["x-amazon-apigateway-authtype"] in {"awsSigv4", "custom"}


def test_by_default_it_is_iam() -> None:
    assert parameter("Auth")["Default"] == "iam"
    assert parameter("Auth")["AllowedValues"] == ["iam", "jwt"]
    assert scheme({}) == {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }


def test_with_tokens_it_is_the_function_authorize_for_the_header_that_clients_send() -> None:
    found = scheme(JWT)
    assert (found["type"], found["name"], found["in"]) == ("apiKey", "Authorization", "header")
    assert found["x-amazon-apigateway-authtype"] == "custom"
    authorizer = found["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "token"
    assert authorizer["authorizerUri"]["Fn::Sub"].endswith("functions/${AuthorizeFunction.Arn}/invocations")
    assert 0 < authorizer["authorizerResultTtlInSeconds"] <= 60  # for which a token may outlive its end
    # The twin's gateway does as this one.
    assert authorizer["authorizerResultTtlInSeconds"] == KEEP_SECONDS
    assert authorizer["identityValidationExpression"] == BEARER_PATTERN


@pytest.mark.parametrize(
    ("header", "is_asked_about"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer ", False),
        ("Bearer a.b", False),
        ("Bearer a.b.c.d", False),
        (f"Bearer {TOKEN} more", False),
        (f"AWS4-HMAC-SHA256 Credential={TOKEN}", False),
    ],
)
def test_what_is_no_token_is_refused_by_the_gateway_itself(header: str, is_asked_about: bool) -> None:
    pattern = scheme(JWT)["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert bool(re.fullmatch(pattern, header)) == is_asked_about


def test_another_way_of_calling_is_deployed_though_the_text_of_the_api_is_the_same() -> None:
    """A deployment has a name of its own for each text; with AlwaysDeploy, for each moment."""
    assert read_template(ROOT / "template.yaml")["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True  # type: ignore[index]
    stack()
    time.sleep(1.1)  # SAM counts moments in seconds
    [again] = translate((ROOT / "template.yaml").read_text(encoding="utf-8"))
    names = [
        {name for name, each in made["Resources"].items() if each["Type"] == "AWS::ApiGateway::Deployment"}
        for made in (stack(), again)
    ]
    assert names[0] != names[1]


ROUTES_OF_SAM = """
import json, logging, sys
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
logging.disable()
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1], parameter_overrides=json.loads(sys.argv[2]))
print(json.dumps([[*each.methods, each.path, each.function_name] for each in ApiProvider(stacks).api.routes]))
"""


@each_way
def test_sam_local_serves_the_routes_that_are_deployed(given: dict[str, str]) -> None:
    needs_sam()
    command = [str(SAM / "python"), "-c", ROUTES_OF_SAM, str(ROOT / "template.yaml"), json.dumps(given)]
    done = subprocess.run(command, env={"AWS_DEFAULT_REGION": "us-east-1"}, capture_output=True, text=True, check=True)
    served = {tuple(each) for each in json.loads(done.stdout)}
    assert served == {
        (verb.upper(), path, "AskFunction")
        for path, operations in definition(given)["paths"].items()
        for verb in operations
    }


def test_what_checks_tokens_exists_only_where_there_are_any() -> None:
    with_tokens, without = deployed(**JWT), deployed()
    assert with_tokens.keys() >= OF_TOKENS
    extra = with_tokens.keys() - without.keys()
    [layer] = extra - OF_TOKENS
    assert layer.startswith("AuthorizerLayer")
    assert not any("authorize" in name.lower() for name in without)


def test_the_gateway_and_nobody_else_may_ask_the_authorizer() -> None:
    permission = deployed(**JWT)["AuthorizePermission"]["Properties"]
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": AUTHORIZER}, "apigateway.amazonaws.com")
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${AWS::AccountId}:${Api}/authorizers/*")


def test_the_authorizer_is_as_the_other_functions_are_but_outside_of_the_network() -> None:
    made = deployed(**JWT)
    given = made[AUTHORIZER]["Properties"]
    assert (given["Runtime"], given["Architectures"]) == ("python3.13", [{"Ref": "Architecture"}])
    assert given["TracingConfig"] == {"Mode": "Active"}
    assert given["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "AuthorizeLogs"}}
    assert made["AuthorizeLogs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert "VpcConfig" not in given
    source = ROOT.joinpath("functions", "authorize", "handler.py").read_text(encoding="utf-8")
    assert given["Handler"] == "authorize.handler.lambda_handler"
    assert "def lambda_handler(" in source
    # API Gateway waits 29 s for a reply, of which the question needs the most.
    assert given["Timeout"] <= 15


def test_no_function_but_the_authorizer_has_its_packages() -> None:
    made = deployed(**JWT)
    functions = {name: each["Properties"] for name, each in made.items() if each["Type"] == "AWS::Lambda::Function"}
    with_layer = {name for name, each in functions.items() if "AuthorizerLayer" in json.dumps(each["Layers"])}
    assert with_layer == {AUTHORIZER}
    assert "DependenciesLayer" in json.dumps(functions[AUTHORIZER]["Layers"])


def test_the_authorizer_may_log_and_trace_and_nothing_else() -> None:
    assert actions("AuthorizeRole", **JWT) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }
    assert resources_for("AuthorizeRole", "logs:PutLogEvents", **JWT) == [attribute("AuthorizeLogs")]
    assert {each["Effect"] for each in statements("AuthorizeRole", **JWT)} == {"Allow"}
    role = deployed(**JWT)["AuthorizeRole"]["Properties"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    assert "ManagedPolicyArns" not in role


def authorizer_variables() -> dict[str, Any]:
    found: dict[str, Any] = deployed(**JWT)[AUTHORIZER]["Properties"]["Environment"]["Variables"]
    return found


def test_the_authorizer_has_its_own_settings_and_no_others() -> None:
    given = authorizer_variables()
    ours = {name for name in given if not name.startswith("POWERTOOLS_")}
    assert ours == {name.upper() for name in TokenSettings.model_fields}
    off = ("POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_TRACER_CAPTURE_RESPONSE", "POWERTOOLS_TRACER_CAPTURE_ERROR")
    assert [given[name] for name in off] == ["false"] * 3
    assert given["POWERTOOLS_SERVICE_NAME"] == "authorize"
    assert all(isinstance(given[name], dict) for name in ours)  # parameters


def test_the_parameters_of_tokens_have_the_defaults_of_the_code() -> None:
    texts = {
        name: str(parameter(value["Ref"])["Default"])
        for name, value in authorizer_variables().items()
        if "Ref" in value
    }
    needed = {"JWT_ISSUER": JWT["JwtIssuer"], "JWT_AUDIENCE": JWT["JwtAudience"]}
    assert TokenSettings.from_environment(texts | needed) == TokenSettings.from_environment(needed)


def test_the_algorithms_that_the_template_takes_are_those_of_the_code() -> None:
    pattern = re.compile(parameter("JwtAlgorithms")["AllowedPattern"])
    assert all(pattern.fullmatch(each) for each in (*ALGORITHMS, ",".join(ALGORITHMS)))
    refused = ("", "none", "HS256", "RS256,HS256", "RS256,", "RS256 ", "ES512", "rs256")
    assert not any(pattern.fullmatch(each) for each in refused)


@pytest.mark.parametrize(
    "url", ["http://issuer.test", "https://", "issuer.test", "https://issuer.test/?a=b", "https://u@issuer.test"]
)
@pytest.mark.parametrize("name", ["JwtIssuer", "JwtKeysUrl"])
def test_the_template_refuses_what_the_code_refuses(name: str, url: str) -> None:
    pattern = re.compile(parameter(name)["AllowedPattern"])
    assert not pattern.fullmatch(url)
    assert pattern.fullmatch("https://login.example.com/realms/main")
    assert pattern.fullmatch("")


def test_tokens_are_not_taken_without_an_issuer_and_an_audience() -> None:
    rule = stack()["Rules"]["TokensNeedAnIssuer"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Auth"}, "jwt"]}
    asserted = [each["Assert"] for each in rule["Assertions"]]
    for name in ("JwtIssuer", "JwtAudience"):
        assert {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} in asserted
    assert {"Fn::Equals": [{"Ref": "Callers"}, ""]} in asserted


def test_the_parameters_that_the_readme_names_exist_and_take_the_values_it_gives() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Callers\n", 1)[1].split("\n## ", 1)[0]
    assert {name for name, _ in re.findall(r"`([A-Z][a-z]\w+)=(\w+)`", section)} == {"Auth", "TenantFolders"}
    assert set(re.findall(r"`(Jwt\w+)`", section)) == {each for each in stack()["Parameters"] if each.startswith("Jwt")}


def test_every_gateway_response_has_the_members_of_the_contract() -> None:
    for name in ("UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE"):
        text = definition(JWT)["x-amazon-apigateway-gateway-responses"][name]["responseTemplates"]["application/json"]
        assert ProblemOut.model_validate_json(text.replace("$context.requestId", "id")).request_id == "id"
