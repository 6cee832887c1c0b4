"""The stack with a bucket that was there before."""

from typing import Any

import pytest

from tests.unit.template_model import EVERYTHING, actions, attribute, deployed, resources_for, stack

EXISTING = {"ExistingBucketName": "papers"}
NAME = {"Ref": "ExistingBucketName"}
KEY = {"Ref": "ExistingBucketKmsKeyArn"}


def rule(**given: str) -> dict[str, Any]:
    found: dict[str, Any] = deployed(**EXISTING, **given)["DocumentsRule"]["Properties"]
    return found


def senders(**given: str) -> list[dict[str, Any]]:
    policy = deployed(**given)["IngestQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return [statement for statement in policy if statement["Effect"] == "Allow"]


def test_a_stack_with_an_existing_bucket_makes_none_and_changes_nothing_about_it() -> None:
    made = deployed(**EXISTING).values()
    assert [each["Type"] for each in made if each["Type"].startswith("AWS::S3::")] == []


def test_a_stack_with_its_own_bucket_hears_of_changes_once() -> None:
    assert [each["Type"] for each in deployed().values() if each["Type"] == "AWS::Events::Rule"] == []


def test_creations_and_deletions_in_the_existing_bucket_are_told() -> None:
    assert rule()["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [NAME]}},
    }
    assert rule().get("State", "ENABLED") == "ENABLED"


def test_only_changes_below_the_prefix_are_told_if_there_is_one() -> None:
    below = {"object": {"key": [{"prefix": {"Ref": "DocumentsPrefix"}}]}}
    everywhere = rule()["EventPattern"]
    pattern = rule(DocumentsPrefix="reports/")["EventPattern"]
    assert pattern == everywhere | {"detail": everywhere["detail"] | below}


def test_changes_go_to_the_queue_of_ingest_as_they_come() -> None:
    [target] = rule()["Targets"]
    assert target["Arn"] == attribute("IngestQueue")
    assert target.keys() == {"Id", "Arn"}


def test_only_this_rule_may_send_to_the_queue() -> None:
    assert [statement | {"Sid": ""} for statement in senders(**EXISTING)] == [
        {
            "Sid": "",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": attribute("IngestQueue"),
            "Condition": {"ArnEquals": {"aws:SourceArn": attribute("DocumentsRule")}},
        }
    ]


def test_eventbridge_may_not_send_to_the_queue_without_the_rule() -> None:
    assert [statement["Principal"] for statement in senders()] == [{"Service": "s3.amazonaws.com"}]


@pytest.mark.parametrize(("given", "bucket"), [({}, {"Ref": "DocumentsBucket"}), (EXISTING, NAME)])
def test_functions_and_outputs_name_the_bucket_that_holds_the_documents(given: dict[str, str], bucket: Any) -> None:
    functions = [each for each in deployed(**given).values() if each["Type"] == "AWS::Lambda::Function"]
    assert {str(each["Properties"]["Environment"]["Variables"]["BUCKET"]) for each in functions} == {str(bucket)}
    assert stack()["Outputs"]["BucketName"]["Value"] == {
        "Fn::If": ["MakesBucket", {"Ref": "DocumentsBucket"}, {"Ref": "ExistingBucketName"}]
    }


@pytest.mark.parametrize(
    ("role", "action", "of"),
    [
        ("IngestRole", "s3:GetObjectVersion", "/${DocumentsPrefix}*"),
        ("IngestRole", "s3:ListBucket", ""),
        ("IngestRole", "s3:ListBucketVersions", ""),
        ("IngestRole", "s3:PutObjectTagging", "/${DocumentsPrefix}*"),
        ("AskRole", "s3:GetObjectVersion", "/${DocumentsPrefix}*"),
        ("ReconcileRole", "s3:ListBucketVersions", ""),
    ],
)
def test_roles_are_for_the_existing_bucket_and_in_it_for_what_is_below_the_prefix(
    role: str, action: str, of: str
) -> None:
    [allowed] = resources_for(role, action, **EVERYTHING)
    assert allowed == {"Fn::Sub": [f"arn:${{AWS::Partition}}:s3:::${{Name}}{of}", {"Name": NAME}]}


@pytest.mark.parametrize("role", ["IngestRole", "AskRole"])
def test_who_reads_documents_may_decrypt_them_and_only_by_way_of_s3(role: str) -> None:
    policies = deployed(**EVERYTHING)[role]["Properties"]["Policies"]
    every = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    [decrypts] = [statement for statement in every if statement["Action"] == "kms:Decrypt"]
    assert decrypts["Resource"] == KEY
    by_s3 = {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}
    assert decrypts["Condition"] == {"StringEquals": {"kms:ViaService": by_s3}}


@pytest.mark.parametrize("role", ["IngestRole", "AskRole", "ReconcileRole"])
def test_no_key_of_kms_may_be_used_if_none_is_named(role: str) -> None:
    assert not [action for action in actions(role, **EXISTING) if action.startswith("kms:")]
