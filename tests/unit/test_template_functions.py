"""The functions, their layers, environment and event source."""

import json
from pathlib import Path

import pytest

from bucketwise.settings import Settings
from local.built import read_template
from tests.unit.template_model import (
    AUTHORIZER,
    FUNCTIONS,
    MAPPING,
    ROLES,
    ROOT,
    USERS,
    attribute,
    of_type,
    parameter,
    properties,
    stack,
    variables,
    with_defaults,
)

WHOLE_PROCESSOR = 1769  # MB from which a function has one vCPU (Lambda's developer guide, "Memory")
ENVIRONMENT_LIMIT = 4096  # bytes, Lambda's quota
# What a deployment knows better than a default does.
OF_THE_STACK = {"database_host", "database_user", "bucket", "queue_url", "openai_api_key_secret", "openai_base_url"}
OF_ASK = {"CALLERS"}  # an environment has little room
OFF = ("POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_TRACER_CAPTURE_RESPONSE", "POWERTOOLS_TRACER_CAPTURE_ERROR")

every_function = pytest.mark.parametrize("function", FUNCTIONS)
every_serving_function = pytest.mark.parametrize("function", USERS)


def test_the_stack_has_these_functions() -> None:
    assert set(of_type("AWS::Lambda::Function")) == {*FUNCTIONS, AUTHORIZER}


@every_function
def test_a_function_runs_on_python_3_13_and_by_default_on_arm64(function: str) -> None:
    given = properties(function)
    assert (given["Runtime"], given["Architectures"]) == ("python3.13", [{"Ref": "Architecture"}])
    assert parameter("Architecture")["Default"] == "arm64"


@every_function
def test_a_functions_handler_exists(function: str) -> None:
    *module, name = properties(function)["Handler"].split(".")
    source = ROOT.joinpath("functions", *module).with_suffix(".py").read_text(encoding="utf-8")
    assert f"def {name}(" in source


@every_function
def test_a_function_has_a_role_of_its_own(function: str) -> None:
    assert properties(function)["Role"] == attribute(ROLES[function])


@every_function
def test_a_function_writes_json_to_a_log_group_of_its_own_that_forgets(function: str) -> None:
    logging = properties(function)["LoggingConfig"]
    group = logging["LogGroup"]["Ref"]
    assert logging["LogFormat"] == "JSON"
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert [each for each in FUNCTIONS if properties(each)["LoggingConfig"]["LogGroup"] == {"Ref": group}] == [function]


@every_function
def test_a_function_is_traced(function: str) -> None:
    assert properties(function)["TracingConfig"] == {"Mode": "Active"}


@every_function
def test_nothing_private_goes_into_logs_and_traces(function: str) -> None:
    assert {name: variables(function)[name] for name in OFF} == dict.fromkeys(OFF, "false")


@every_function
def test_no_secret_is_in_an_environment_or_a_parameter(function: str) -> None:
    given = variables(function)
    assert given["OPENAI_API_KEY"] == given["RERANK_API_KEY"] == given["DATABASE_URL"] == ""
    assert given["OPENAI_API_KEY_SECRET"] == {"Ref": "ModelKeySecret"}
    assert given["RERANK_API_KEY_SECRET"] == {"Ref": "RerankKeySecretArn"}
    assert "{{resolve:" not in json.dumps(stack())
    secret = [name for name in stack()["Parameters"] if "key" in name.lower() or "password" in name.lower()]
    assert [name for name in secret if not name.endswith(("Arn", "Url"))] == []


@every_function
def test_an_environment_fits_lambdas_quota(function: str) -> None:
    assert len(json.dumps(variables(function)).encode()) <= ENVIRONMENT_LIMIT


@every_serving_function
def test_every_setting_is_in_the_environment(function: str) -> None:
    elsewhere = set() if function == "AskFunction" else OF_ASK
    assert {name.upper() for name in Settings.model_fields} - variables(function).keys() == elsewhere


@every_serving_function
def test_every_variable_is_a_setting_or_known_to_aws(function: str) -> None:
    foreign = variables(function).keys() - {name.upper() for name in Settings.model_fields}
    assert {name for name in foreign if not name.startswith("POWERTOOLS_")} == {"AWS_ENDPOINT_URL"}


@every_serving_function
def test_settings_have_the_defaults_of_the_code(function: str) -> None:
    texts = {name.upper(): str(with_defaults(value)) for name, value in variables(function).items()}
    deployed = Settings.from_environment({**texts, "DATABASE_HOST": "host"})
    default = Settings.from_environment({"DATABASE_HOST": "host"})
    assert deployed.model_dump(exclude=OF_THE_STACK) == default.model_dump(exclude=OF_THE_STACK)


def test_what_sam_local_sets_is_declared_and_counts_as_unset() -> None:
    names = ("AWS_ENDPOINT_URL", "DATABASE_URL", "OPENAI_API_KEY")
    assert [variables("AskFunction")[name] for name in names] == ["", "", ""]


@every_serving_function
def test_a_function_logs_in_by_token_as_its_database_user(function: str) -> None:
    given = variables(function)
    login = (given["DATABASE_USER"], given["DATABASE_AUTH"], given["DATABASE_SECRET"])
    assert login == (USERS[function], "iam", "")


def test_migrate_logs_in_with_the_master_users_secret() -> None:
    given = variables("MigrateFunction")
    assert given["DATABASE_AUTH"] == "secret"
    assert given["DATABASE_SECRET"] == attribute("Database", "MasterUserSecret.SecretArn")


@every_function
def test_metrics_go_to_the_namespace_and_service_that_alarms_watch(function: str) -> None:
    given = variables(function)
    service = function.removesuffix("Function").lower()
    assert given["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": "Bucketwise/${AWS::StackName}"}
    assert given["POWERTOOLS_SERVICE_NAME"] == service


def test_ingest_has_a_whole_processor() -> None:
    assert properties("IngestFunction")["MemorySize"] >= WHOLE_PROCESSOR


@pytest.mark.parametrize(
    ("function", "limit"), [("IngestFunction", "IngestReservedConcurrency"), ("AskFunction", "AskConcurrency")]
)
def test_reserved_concurrency_is_a_parameter_and_0_reserves_none(function: str, limit: str) -> None:
    condition, reserved, otherwise = properties(function)["ReservedConcurrentExecutions"]["Fn::If"]
    assert stack()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": limit}, 0]}]}
    assert (reserved, otherwise) == ({"Ref": limit}, {"Ref": "AWS::NoValue"})


def test_a_failed_message_comes_back_alone() -> None:
    assert properties(MAPPING)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_document_has_an_invocation_to_itself() -> None:
    assert properties(MAPPING)["BatchSize"] == 1


def test_the_queue_is_worked_on_by_a_bounded_number_of_invocations() -> None:
    assert properties(MAPPING)["EventSourceArn"] == attribute("IngestQueue")
    assert properties(MAPPING)["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "IngestMaximumConcurrency"}}


def test_no_message_is_filtered_out_for_sqs_deletes_what_is() -> None:
    assert "FilterCriteria" not in properties(MAPPING)


def test_no_function_has_a_url() -> None:
    assert of_type("AWS::Lambda::Url") == {}


def test_only_ingest_has_the_parsers() -> None:
    layers = {name: "".join(str(each) for each in properties(name)["Layers"]) for name in FUNCTIONS}
    assert {name for name in FUNCTIONS if "ParsersLayer" in layers[name]} == {"IngestFunction"}
    assert all("DependenciesLayer" in each and "BucketwiseLayer" in each for each in layers.values())


def test_layers_are_of_the_functions_architecture() -> None:
    layers = of_type("AWS::Lambda::LayerVersion").values()
    assert [each["CompatibleArchitectures"] for each in layers] == [[{"Ref": "Architecture"}]] * 4


def test_layers_are_built_for_the_functions_architecture() -> None:
    """As the template says it: what is for `sam build` does not reach CloudFormation."""
    resources = read_template(ROOT / "template.yaml")["Resources"]
    built = [each["Metadata"] for each in resources.values() if each["Type"] == "AWS::Serverless::LayerVersion"]
    assert built == [{"BuildMethod": "python3.13", "BuildArchitecture": {"Ref": "Architecture"}}] * 4


@pytest.mark.parametrize("folder", ["functions", "layers/bucketwise"])
def test_sam_finds_the_requirements_file_that_it_builds_with(folder: str) -> None:
    assert (ROOT / Path(folder) / "requirements.txt").is_file()
