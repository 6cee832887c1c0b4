"""The template's functions, roles and API, rule by rule, on what SAM makes of it."""

import json
import re
import subprocess

import pytest

from bucketwise.settings import Settings
from local import ROOT
from tests.unit.template_model import as_list, needs_sam, of_type, properties, resource, statements, translated

pytestmark = needs_sam
FUNCTIONS = ["IngestFunction", "AskFunction", "MigrateFunction"]
# Neither X-Ray nor EC2 knows a finer resource for these.
ACTIONS_ON_ALL = {
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
    "xray:PutTraceSegments", "xray:PutTelemetryRecords",
}  # fmt: skip


def allowed_to(role: str) -> dict[str, list[object]]:
    """Resources by action, for everything that the role may do."""
    found: dict[str, list[object]] = {}
    for policy in of_type("AWS::IAM::RolePolicy").values():
        if policy["Properties"]["RoleName"] == {"Ref": role}:
            for statement in statements(policy["Properties"]):
                for action in as_list(statement["Action"]):
                    found.setdefault(action, []).extend(as_list(statement["Resource"]))
    return found


def test_sam_and_cfn_lint_find_nothing() -> None:
    done = subprocess.run(
        [str(ROOT / ".venv-sam" / "bin" / "sam"), "validate", "--lint"],
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "PATH": "/usr/bin:/bin", "HOME": "/tmp"},  # noqa: S108
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_where_its_layers_were_built_for(name: str) -> None:
    function = properties(name)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert translated()["Parameters"]["Architecture"]["Default"] == "arm64"
    source = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert source.count("BuildArchitecture: !Ref Architecture") == len(of_type("AWS::Lambda::LayerVersion")) == 3


def test_only_ingest_carries_the_parsers() -> None:
    carrying = {name for name in FUNCTIONS if any("Parsers" in layer["Ref"] for layer in properties(name)["Layers"])}
    assert carrying == {"IngestFunction"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_and_a_log_group_of_its_own(name: str) -> None:
    kind = name.removesuffix("Function")
    assert properties(name)["Role"] == {"Fn::GetAtt": [f"{kind}Role", "Arn"]}
    assert properties(name)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{kind}Logs"}}
    assert properties(f"{kind}Logs")["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert "ManagedPolicyArns" not in properties(f"{kind}Role")


@pytest.mark.parametrize("role", ["IngestRole", "AskRole", "MigrateRole"])
def test_a_role_may_do_nothing_to_everything_that_could_be_named(role: str) -> None:
    on_all = {action for action, resources in allowed_to(role).items() if "*" in resources}
    assert on_all == ACTIONS_ON_ALL
    assert not [action for action in allowed_to(role) if action.endswith(":*") or action == "*"]


def test_no_full_access_policy_and_no_public_function_url_is_anywhere() -> None:
    text = json.dumps(translated())
    assert "FullAccess" not in text
    assert not of_type("AWS::Lambda::Url")


@pytest.mark.parametrize(("role", "user"), [("IngestRole", "bucketwise_ingest"), ("AskRole", "bucketwise_ask")])
def test_a_role_logs_in_to_the_database_as_its_own_user_alone(role: str, user: str) -> None:
    [where] = allowed_to(role)["rds-db:connect"]
    assert re.search(r"dbuser:\$\{Database\.DBClusterResourceId\}/(\w+)$", str(where["Fn::Sub"])).group(1) == user  # type: ignore[index, union-attr]
    function = role.removesuffix("Role") + "Function"
    assert properties(function)["Environment"]["Variables"]["DATABASE_USER"] == user


def test_ingest_may_read_and_list_the_bucket_and_hold_back_messages() -> None:
    may = allowed_to("IngestRole")
    assert {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "sqs:ChangeMessageVisibility"} <= may.keys()
    assert may["s3:ListBucket"] == [{"Fn::GetAtt": ["DocumentsBucket", "Arn"]}]


@pytest.mark.parametrize("role", ["IngestRole", "AskRole", "MigrateRole"])
def test_no_function_writes_to_the_bucket(role: str) -> None:
    assert not [action for action in allowed_to(role) if re.match(r"s3:(Put|Delete)", action)]


@pytest.mark.parametrize("role", ["IngestRole", "AskRole"])
def test_a_role_reads_one_secret(role: str) -> None:
    assert allowed_to(role)["secretsmanager:GetSecretValue"] == [{"Ref": "ModelKeySecret"}]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_telemetry_records_no_events_responses_or_exceptions(name: str) -> None:
    variables = properties(name)["Environment"]["Variables"]
    for switch in ("LOGGER_LOG_EVENT", "TRACER_CAPTURE_RESPONSE", "TRACER_CAPTURE_ERROR"):
        assert variables[f"POWERTOOLS_{switch}"] == "false"


@pytest.mark.parametrize("name", ["IngestFunction", "AskFunction"])
def test_every_setting_is_in_the_template_with_its_default(name: str) -> None:
    variables = properties(name)["Environment"]["Variables"]
    assert {field.upper() for field in Settings.model_fields} <= variables.keys()
    fixed = {
        key: value
        for key, value in variables.items()
        if isinstance(value, str) and key.lower() in Settings.model_fields
    }
    given = Settings.from_environment(fixed | {"DATABASE_HOST": "db"})
    defaults = Settings.from_environment({"DATABASE_HOST": "db", "DATABASE_USER": fixed["DATABASE_USER"]})
    assert given == defaults


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_secret_is_in_the_environment(name: str) -> None:
    variables = properties(name)["Environment"]["Variables"]
    assert variables["OPENAI_API_KEY"] == variables["DATABASE_URL"] == ""
    assert "resolve:secretsmanager" not in json.dumps(translated())


def test_functions_are_large_and_quick_enough() -> None:
    assert properties("IngestFunction")["MemorySize"] >= 1769
    assert properties("AskFunction")["Timeout"] < 29


def test_the_api_is_regional_throttled_and_traces_no_bodies() -> None:
    assert properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    [settings] = properties("ApiliveStage")["MethodSettings"]
    assert settings["DataTraceEnabled"] is False
    assert settings["ThrottlingRateLimit"] > 0
    logged = properties("ApiliveStage")["AccessLogSetting"]["Format"]
    assert not re.search(r"body|querystring|\$context\.path\b", logged)


def test_every_method_of_the_api_wants_a_signed_request() -> None:
    paths = properties("Api")["Body"]["paths"]
    methods = {(path, method): each for path, verbs in paths.items() for method, each in verbs.items()}
    assert set(methods) == {
        ("/ask", "post"), ("/search", "post"), ("/documents", "get"), ("/retries", "post"), ("/health", "get"),
        ("/openapi.json", "get"),
    }  # fmt: skip
    assert all(each["security"] == [{"AWS_IAM": []}] for each in methods.values())


def test_the_gateways_own_errors_are_problem_documents() -> None:
    responses = properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert list(responses[kind]["responseTemplates"]) == ["application/problem+json"]


def test_functions_wait_for_the_migration() -> None:
    for name in ("IngestFunction", "AskFunction"):
        assert "Migration" in as_list(resource(name)["DependsOn"])
