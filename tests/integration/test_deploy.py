"""``make deploy``, by SAM itself, on a CloudFormation over HTTP: what an upgrade does to the stack that is there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from moto.cloudformation.models import cloudformation_backends
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.server import ThreadedMotoServer

from local import CODE, ROOT
from local.deploy import MIGRATIONS, UPGRADABLE, WHAT_TO_DO, is_there, migration_hash
from tests.unit.template_model import SAM, needs_sam

REGION = "eu-west-1"
CALLERS = '{"arn:aws:iam::123456789012:role/reader":"acme"}'
# As the stack's template has them, in small: SAM packs no code here.
NAMES = ("Architecture", "MigrationHash", "Release", "Callers", "TenantFolders", "AskConcurrency")
SMALL: dict[str, Any] = {
    "Parameters": {name: {"Type": "String", "Default": "of the template"} for name in NAMES},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Release"}}}},
}
# What --resolve-s3 finds: the stack that SAM makes for its uploads, but for a policy that moto cannot make.
UPLOADS: dict[str, Any] = {
    "Resources": {"Uploads": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {"SourceBucket": {"Value": {"Ref": "Uploads"}}},
}


@dataclass(frozen=True, slots=True)
class Cloud:
    cloudformation: Any
    environment: dict[str, str]
    template: Path

    def make(self, stack: str, **values: str) -> None:
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
        self.cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(SMALL), Parameters=given)

    def deploy(self, stack: str, *more: str, sam: Path = SAM / "sam") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "local.deploy", "--sam", str(sam), "--stack", stack]
        return subprocess.run(
            [*command, "--template-file", str(self.template), *more],
            cwd=ROOT,
            env=self.environment,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def parameters(self, stack: str) -> dict[str, str]:
        [found] = self.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("home")
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://localhost:{port}"  # by this name moto knows a template that was uploaded to itself
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, CODE)),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }
    client = boto3.client(
        "cloudformation", region_name=REGION, endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x"
    )
    template = home / "template.yaml"
    template.write_text(json.dumps(SMALL), encoding="utf-8")
    client.create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=json.dumps(UPLOADS),
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )
    yield Cloud(client, environment, template)
    server.stop()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """What a guided run saves: it asked for another region than the environment's, and had the template's defaults."""
    path = tmp_path / "samconfig.toml"
    path.write_text(
        f"""version = 0.1
[default.deploy.parameters]
region = "{REGION}"
resolve_s3 = true
confirm_changeset = true
capabilities = "CAPABILITY_IAM"
parameter_overrides = 'Callers="" TenantFolders="false" AskConcurrency="20"'
[default.global.parameters]
region = "us-west-2"
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def sam(tmp_path: Path) -> Path:
    """Prints what it is told."""
    program = tmp_path / "sam"
    program.write_text(f"#!{sys.executable}\nimport json, sys; print(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_an_upgrade_leaves_the_stacks_parameters_as_they_are_but_those_that_are_named(
    cloud: Cloud, config: Path
) -> None:
    needs_sam()
    cloud.make("papers", Callers=CALLERS, TenantFolders="true", AskConcurrency="5", Release="before")
    done = cloud.deploy("papers", "--parameters", "AskConcurrency=10", "--config-file", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    after = cloud.parameters("papers")
    assert after.pop("Release").startswith("20")
    assert after == {
        "Architecture": "arm64",
        "MigrationHash": migration_hash(MIGRATIONS),
        "Callers": CALLERS,
        "TenantFolders": "true",
        "AskConcurrency": "10",
    }


def test_a_new_stack_is_asked_about_and_one_that_is_there_is_not(cloud: Cloud, config: Path, sam: Path) -> None:
    cloud.make("letters", Callers=CALLERS)
    told = {}
    for stack in ("letters", "pictures"):
        done = cloud.deploy(stack, "--config-file", str(config), sam=sam)
        told[stack] = json.loads(done.stdout)
        assert told[stack][:5] == ["deploy", "--stack-name", stack, "--region", REGION]
    assert ("--guided" in told["letters"], "--guided" in told["pictures"]) == (False, True)


@pytest.mark.parametrize("program", [("local.cloud_check",), ("local.reindex", "--drop")])
def test_the_other_programs_look_where_it_was_deployed(cloud: Cloud, config: Path, program: tuple[str, ...]) -> None:
    cloud.make(f"found-by-{len(program)}")
    command = [sys.executable, "-m", *program, "--stack", f"found-by-{len(program)}", "--config-file", str(config)]
    done = subprocess.run(command, cwd=ROOT, env=cloud.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "has no output" in done.stderr) == (1, True), done.stderr


def test_nothing_is_deployed_that_is_only_checked_or_about_which_nothing_can_be_known(cloud: Cloud, sam: Path) -> None:
    done = cloud.deploy("papers", "--check", sam=sam)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    nowhere = cloud.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    for more in ((), ("--check",)):
        done = replace(cloud, environment=nowhere).deploy("papers", *more, sam=sam)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("could not deploy: ")


def test_a_stack_that_has_nothing_in_it_is_not_there(cloud: Cloud) -> None:
    client = cloud.cloudformation
    assert not is_there(client, "notes")
    client.create_change_set(
        StackName="notes", ChangeSetName="never-executed", ChangeSetType="CREATE", TemplateBody=json.dumps(SMALL)
    )
    assert not is_there(client, "notes")
    client.create_stack(StackName="drafts", TemplateBody=json.dumps(SMALL))
    assert is_there(client, "drafts")


@pytest.mark.parametrize(
    ("status", "what_to_do"),
    [
        ("ROLLBACK_COMPLETE", "A first deployment that failed"),
        ("ROLLBACK_FAILED", "A first deployment that failed"),
        ("DELETE_FAILED", "A first deployment that failed"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name halves"),
        ("CREATE_IN_PROGRESS", "wait"),
        ("ROLLBACK_IN_PROGRESS", "wait"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "wait"),
        ("IMPORT_ROLLBACK_FAILED", "events"),
    ],
)
def test_a_stack_that_can_be_neither_made_nor_changed_is_refused_with_what_to_do(
    cloud: Cloud, config: Path, sam: Path, status: str, what_to_do: str
) -> None:
    with stack_that_is(cloud, status):
        for more in ((), ("--check",)):
            done = cloud.deploy("halves", "--config-file", str(config), *more, sam=sam)
            assert (done.returncode, done.stdout) == (1, "")
            assert f"could not deploy: the stack halves is {status}: " in done.stderr
            assert what_to_do in done.stderr


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"])
def test_a_stack_that_can_be_changed_is_upgraded(cloud: Cloud, status: str) -> None:
    with stack_that_is(cloud, status):
        assert is_there(cloud.cloudformation, "halves")


@contextmanager
def stack_that_is(cloud: Cloud, status: str) -> Iterator[None]:
    cloud.make("halves")
    stacks = cloudformation_backends[ACCOUNT][REGION].stacks.values()
    [found] = [each for each in stacks if each.name == "halves"]
    found.status = status
    yield
    found.status = "CREATE_COMPLETE"
    cloud.cloudformation.delete_stack(StackName="halves")


def test_every_state_of_a_stack_is_made_upgraded_waited_for_or_told_of() -> None:
    """As CloudFormation's own description of itself, which botocore has, names them."""
    shape = botocore.session.get_session().get_service_model("cloudformation").shape_for("StackStatus")
    rest = {each for each in shape.enum if not each.endswith("_IN_PROGRESS")} - UPGRADABLE - WHAT_TO_DO.keys()
    assert rest == {"DELETE_COMPLETE", "IMPORT_ROLLBACK_FAILED"}  # of no stack that has a name; of imports
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "\n## A first deployment that failed\n" in page
