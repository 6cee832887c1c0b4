"""S3 event in, answer out: the functions and layers that `make build` made, under the real runtime client."""

import json
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from local.built import functions, read_template
from local.emulator import Emulator
from local.services import BUCKET, Services, TwinOptions
from tests.integration.oidc_provider import AUDIENCE, oidc_provider

MACHINE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
BUILD = ROOT / ".aws-sam" / MACHINE
PYTHON = os.environ.get("LAMBDA_PYTHON") or shutil.which("python3.13") or ""
HANDBOOK = "handbook/employee-handbook.md"

pytestmark = pytest.mark.skipif(
    not (BUILD / "template.yaml").exists() or not PYTHON or not (ROOT / ".aws-sam" / "runtime").exists(),
    reason="needs what `make build` makes",
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with Services(TwinOptions(home=tmp_path_factory.mktemp("services"), environment={})) as services:
        content = (ROOT / "examples" / "documents" / HANDBOOK).read_bytes()
        services.s3.put_object(Bucket=BUCKET, Key=HANDBOOK, Body=content)
        yield services


def emulator(services: Services, name: str, log: Path) -> Emulator:
    url = {"IngestFunction": services.index.ingest, "AskFunction": services.index.ask}[name]
    return built(name, services.function_environment(database_url=url), log)


def built(name: str, variables: dict[str, str], log: Path) -> Emulator:
    resources = read_template(BUILD / "template.yaml")["Resources"]
    code, *layers = functions(BUILD, resources)[name]
    return Emulator(
        python=PYTHON,
        code=code,
        layers=layers,
        handler=str(resources[name]["Properties"]["Handler"]),  # type: ignore[index]  # YAML
        variables=variables,
        log=log,
    )


def event(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return content


def test_an_s3_event_goes_in_and_an_answer_comes_out(services: Services, tmp_path: Path) -> None:
    put = event("s3-put")
    put["Records"][0]["s3"]["object"]["key"] = HANDBOOK
    with emulator(services, "IngestFunction", tmp_path / "ingest.log") as ingest:
        [receipt] = ingest.invoke(put)["receipts"]
    assert receipt["outcome"] == "indexed", receipt
    question = event("ask") | {"body": json.dumps({"question": "How many days of annual leave do shore staff have?"})}
    with emulator(services, "AskFunction", tmp_path / "ask.log") as ask:
        reply = ask.invoke(question)
    assert reply["statusCode"] == 200, reply
    answer = json.loads(reply["body"])
    assert "27 days" in answer["answer"]
    assert answer["citations"][0]["key"] == HANDBOOK


def test_a_batch_with_one_bad_message_reports_that_one_alone(services: Services, tmp_path: Path) -> None:
    with emulator(services, "IngestFunction", tmp_path / "ingest.log") as ingest:
        result = ingest.invoke(event("sqs-batch-one-bad"))
    assert len(result["batchItemFailures"]) == 1


def test_a_token_is_taken_and_another_refused_in_the_words_that_api_gateway_knows(tmp_path: Path) -> None:
    with oidc_provider(tmp_path) as provider:
        variables = {
            "JWT_ISSUER": provider.issuer,
            "JWT_AUDIENCE": AUDIENCE,
            "SSL_CERT_FILE": str(provider.certificate),
            "POWERTOOLS_TRACE_DISABLED": "true",
        }
        sample = event("authorize")
        with built("AuthorizeFunction", variables, tmp_path / "authorize.log") as authorize:
            taken = authorize.invoke(sample | {"authorizationToken": f"Bearer {provider.token()}"})
            refused = authorize.invoke(sample)
    [statement] = taken["policyDocument"]["Statement"]
    assert (statement["Effect"], taken["context"]) == ("Allow", {"tenant": "default"})
    assert refused["errorMessage"] == "Unauthorized"
    assert sample["authorizationToken"].split(".")[1] not in (tmp_path / "authorize.log").read_text()


def test_bytecode_is_in_every_layer_and_function() -> None:
    resources = read_template(BUILD / "template.yaml")["Resources"]
    for name, parts in functions(BUILD, resources).items():
        for part in parts:
            assert list(part.rglob("*.cpython-313.pyc")), (name, part)
