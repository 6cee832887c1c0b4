"""Every way to deploy the stack: nothing is missing in it, the linter finds nothing, and one build serves all."""

import json
import re
import subprocess
from functools import lru_cache
from itertools import product
from typing import Any

import pytest

from local.built import read_template
from tests.unit.template_conditions import references
from tests.unit.template_model import ROOT, SAM, decided, deployed, needs_sam, parameter, refused, stack
from tests.unit.template_variants import EXISTING_CLUSTER, EXISTING_SERVER, EXISTING_VPC, VARIANTS

NETWORKS: dict[str, dict[str, str]] = {
    "NAT": {},
    "no NAT": {"NatGateway": "false"},
    "existing": EXISTING_VPC,
    "existing with endpoints": {**EXISTING_VPC, "MakeEndpoints": "true"},
}
DATABASES: dict[str, dict[str, str]] = {
    "made": {},
    "proxy": VARIANTS["proxy"],
    "server": EXISTING_SERVER,
    "server with a root of its own": VARIANTS["existing server, certified by its owner"],
    "cluster": {name: value for name, value in EXISTING_CLUSTER.items() if name not in EXISTING_VPC},
}
# All else that decides whether there is a resource which others refer to.
OTHERS = {
    "ExistingBucketName": ("", "papers"),
    "ApiGatewayLogRole": ("create", "existing"),
    "SnapStart": ("false", "true"),
    "Auth": ("iam", "jwt"),
}
# What may be left unused once the conditions are decided: parameters, and those of a mapping.
OF_NO_USE_BY_NOW = ("W2001", "W7001")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("database", DATABASES)
def test_nothing_refers_to_what_a_condition_left_out(network: str, database: str) -> None:
    for values in product(*OTHERS.values()):
        given = NETWORKS[network] | DATABASES[database] | dict(zip(OTHERS, values, strict=True))
        parts = deployed(**given) | {f"output {name}": each for name, each in decided("Outputs", **given).items()}
        left_out = stack()["Resources"].keys() - parts.keys()
        assert {name: found for name, each in parts.items() if (found := left_out & set(references(each)))} == {}


def test_every_condition_is_met_and_not_met_by_a_variant() -> None:
    """So that the linter sees both sides of each."""
    resources = [deployed(**given).keys() for given in VARIANTS.values()]
    conditional = {name for name, each in stack()["Resources"].items() if "Condition" in each}
    some = {name for made in resources for name in made}
    assert conditional == {name for name in some if not all(name in made for made in resources)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variants_parameters_are_taken_one_by_one(variant: str) -> None:
    for name, text in VARIANTS[variant].items():
        given = parameter(name)
        texts = text.split(",") if given["Type"] == "CommaDelimitedList" else [text]
        assert [each for each in texts if not re.fullmatch(given.get("AllowedPattern", ".*"), each)] == []
        assert text in given.get("AllowedValues", [text])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_a_combination_that_can_work(variant: str) -> None:
    assert refused(**VARIANTS[variant]) == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"Rerank": "endpoint"}, "RerankUrl"),
        ({"NatGateway": "false"}, "OpenAiBaseUrl"),
        ({"ExistingVpcId": "vpc-1"}, "ExistingSubnetIds"),
        ({"ExistingSubnetIds": "subnet-1,subnet-2"}, "ExistingVpcId"),
        ({"MakeEndpoints": "true"}, "ExistingVpcId"),
        (EXISTING_SERVER | {"ExistingDatabaseSecurityGroupId": "sg-1"}, "ExistingVpcId"),
        (EXISTING_SERVER | VARIANTS["no NAT"], "ExistingVpcId"),
        (EXISTING_SERVER | {"ExistingDatabaseAdminSecretArn": ""}, "ExistingDatabaseAdminSecretArn"),
        (EXISTING_SERVER | {"ExistingDatabaseOwnerSecretArn": ""}, "ExistingDatabaseOwnerSecretArn"),
        (EXISTING_SERVER | {"ExistingDatabaseIngestSecretArn": ""}, "ExistingDatabaseIngestSecretArn"),
        (EXISTING_SERVER | {"ExistingDatabaseAskSecretArn": ""}, "ExistingDatabaseAskSecretArn"),
        (EXISTING_CLUSTER | {"ExistingDatabaseResourceId": ""}, "ExistingDatabaseResourceId"),
        (EXISTING_CLUSTER | VARIANTS["proxy"], "DatabaseProxy"),
        ({"DatabaseProxy": "true"}, "DatabaseMinCapacity"),
        ({"SnapStart": "true"}, "Release"),
        (VARIANTS["tokens"] | {"JwtAudience": ""}, "JwtAudience"),
        ({"DatabaseProxy": "true", "DatabaseMinCapacity": "0.0"}, "DatabaseMinCapacity"),
    ],
)
def test_a_combination_that_cannot_work_is_refused_before_anything_is_made(given: dict[str, str], missing: str) -> None:
    [reason] = refused(**given)
    assert missing in reason


@lru_cache(maxsize=1)
def findings() -> dict[str, list[str]]:
    """What cfn-lint finds in each variant, with the values of its parameters in place of the defaults."""
    return lint({name: without_conditions(given) for name, given in VARIANTS.items()})


def lint(templates: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    needs_sam()
    texts = {name: json.dumps(template) for name, template in templates.items()}
    command = [str(SAM / "python"), str(ROOT / "tests" / "sam" / "lint.py")]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    unused = tuple(f"[{rule}" for rule in OF_NO_USE_BY_NOW)
    return {name: [each for each in matches if not each.startswith(unused)] for name, matches in found.items()}


def without_conditions(given: dict[str, str]) -> dict[str, Any]:
    """The template as if it were written for this variant alone."""
    parameters = {
        name: each | {"Default": given.get(name, each["Default"])} for name, each in stack()["Parameters"].items()
    }
    return {
        "Parameters": parameters,
        "Mappings": stack()["Mappings"],
        "Resources": unconditional(deployed(**given)),
        "Outputs": unconditional(decided("Outputs", **given)),
    }


def unconditional(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: each[key] for key in each.keys() - {"Condition"}} for name, each in parts.items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_cloudformations_linter_finds_nothing_in_a_variant(variant: str) -> None:
    assert findings()[variant] == []


def test_what_is_built_depends_on_the_architecture_and_on_no_other_parameter() -> None:
    """So one build for each architecture serves every variant: `make build` makes both."""
    template: dict[str, Any] = read_template(ROOT / "template.yaml")
    function = template["Globals"]["Function"]
    kinds = ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
    built = [each for each in template["Resources"].values() if each["Type"] in kinds]
    names = ("CodeUri", "ContentUri", "Layers", "Handler", "CompatibleRuntimes", "CompatibleArchitectures", "Runtime")
    deciding = [{name: each["Properties"].get(name) for name in names} | {"": each.get("Metadata")} for each in built]
    deciding.append({name: function.get(name) for name in ("Runtime", "Architectures", "CodeUri")})
    layers = {name for name, each in template["Resources"].items() if each["Type"] == "AWS::Serverless::LayerVersion"}
    assert set(references(deciding)) == {"Architecture"} | layers
    assert "If" not in str(deciding)
