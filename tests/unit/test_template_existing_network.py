"""The stack in a network that was there before."""

from ipaddress import ip_network

import pytest

from tests.unit.template_model import FUNCTIONS, ROOT, decided, deployed, made, parameter, resources_for, statements
from tests.unit.template_variants import EXISTING_VPC, VARIANTS

VPC = {"Ref": "ExistingVpcId"}
SUBNETS = {"Fn::Split": [",", {"Ref": "ExistingSubnetIds"}]}
OF_A_NETWORK = {
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Route",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::VPCEndpoint",
}


def test_a_stack_in_an_existing_network_makes_nothing_of_a_network_but_security_groups() -> None:
    assert {each["Type"] for each in deployed(**EXISTING_VPC).values()} & OF_A_NETWORK == set()
    assert {each["Type"] for each in deployed().values()} >= OF_A_NETWORK - {"AWS::EC2::VPCEndpoint"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_are_in_the_subnets_that_were_named(function: str) -> None:
    assert made(function, **EXISTING_VPC)["VpcConfig"]["SubnetIds"] == SUBNETS


def test_the_database_is_in_the_subnets_that_were_named() -> None:
    assert made("DatabaseSubnets", **EXISTING_VPC)["SubnetIds"] == SUBNETS


def test_security_groups_are_made_in_the_existing_network() -> None:
    groups = [each for each in deployed(**EXISTING_VPC).values() if each["Type"] == "AWS::EC2::SecurityGroup"]
    assert [group["Properties"]["VpcId"] for group in groups] == [VPC] * 2


def test_functions_reach_the_database_by_its_security_group_whatever_the_networks_addresses() -> None:
    rule = made("FunctionsToDatabase", **EXISTING_VPC)
    assert rule["DestinationSecurityGroupId"] == {"Ref": "DatabaseSecurityGroup"}
    assert "CidrIp" not in rule


def test_endpoints_are_made_in_an_existing_network_only_if_asked_for() -> None:
    asked = deployed(**EXISTING_VPC, MakeEndpoints="true")
    endpoints = {name: each["Properties"] for name, each in asked.items() if each["Type"] == "AWS::EC2::VPCEndpoint"}
    assert endpoints.keys() == {"SecretsManagerEndpoint", "QueueEndpoint"}
    assert [(each["VpcId"], each["SubnetIds"]) for each in endpoints.values()] == [(VPC, SUBNETS)] * 2
    assert not [name for name in deployed(**EXISTING_VPC) if name.endswith("Endpoint")]


def admitted_by_the_endpoints(**given: str) -> list[str]:
    rules = made("EndpointSecurityGroup", **given)["SecurityGroupIngress"]
    assert {(each["IpProtocol"], each["FromPort"], each["ToPort"]) for each in rules} == {("tcp", 443, 443)}
    functions = {"Ref": "FunctionSecurityGroup"}
    return ["functions" if each.get("SourceSecurityGroupId") == functions else each["CidrIp"] for each in rules]


def test_endpoints_admit_whom_their_private_names_lead_there() -> None:
    """In an existing network that is everybody who is there, and not the functions alone."""
    given = {**EXISTING_VPC, "MakeEndpoints": "true"}
    assert made("SecretsManagerEndpoint", **given)["PrivateDnsEnabled"] is True
    assert made("QueueEndpoint", **given)["PrivateDnsEnabled"] is True
    functions, *networks = admitted_by_the_endpoints(**given)
    assert functions == "functions"
    assert not [each for each in networks if ip_network(each).is_global]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} == set(networks)


def test_endpoints_of_a_network_that_the_stack_makes_admit_the_functions_alone() -> None:
    assert admitted_by_the_endpoints(**VARIANTS["no NAT"]) == ["functions"]


@pytest.mark.parametrize("parameter_name", ["ExistingVpcId", "MakeEndpoints"])
def test_what_changes_in_an_existing_network_is_said(parameter_name: str) -> None:
    said = parameter(parameter_name)["Description"]
    assert "Nothing in it is changed" not in said
    assert "endpoints" in said


def test_that_endpoints_want_one_subnet_of_a_zone_is_said_before_they_are_refused() -> None:
    """CloudFormation cannot tell the zones of subnets: EC2 refuses with DuplicateSubnetsInSameZone."""
    assert "no two may be in one zone" in parameter("MakeEndpoints")["Description"]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "no two of `ExistingSubnetIds` may be in one zone" in readme


def test_the_way_to_the_internet_of_an_existing_network_is_its_own() -> None:
    assert deployed(**EXISTING_VPC, NatGateway="true") == deployed(**EXISTING_VPC, NatGateway="false")


@pytest.mark.parametrize("role", ["IngestRole", "AskRole", "MigrateRole"])
def test_roles_are_the_same_in_an_existing_network(role: str) -> None:
    assert statements(role, **EXISTING_VPC) == statements(role)
    assert resources_for(role, "ec2:CreateNetworkInterface", **EXISTING_VPC) == ["*"]


def test_the_functions_security_group_is_told_for_rules_of_the_networks_owner() -> None:
    told = decided("Outputs", **EXISTING_VPC)["FunctionSecurityGroupId"]["Value"]
    assert told == {"Fn::GetAtt": ["FunctionSecurityGroup", "GroupId"]}
