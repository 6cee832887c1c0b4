"""Bucket, notifications, queue and dead-letter queue."""

import re
from datetime import timedelta
from typing import Any

import pytest

from ingest.inventory import MESSAGE_LIVES
from tests.unit.template_model import (
    EVERYTHING,
    ROLES,
    actions,
    attribute,
    dependencies,
    deployed,
    parameter,
    properties,
    resource,
    with_defaults,
)

BUCKET_NAME_LIMIT = 63  # S3's "General purpose bucket naming rules"
LONGEST_REGION = "ap-southeast-1"
SMALLEST_MESSAGE_LIMIT = 65_536  # S3's notifications do not fit a smaller one
DAY = 86_400

QUEUE_POLICIES = {"IngestQueue": "IngestQueuePolicy", "DeadLetterQueue": "DeadLetterQueuePolicy"}


def policy(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = deployed()[name]["Properties"]["PolicyDocument"]["Statement"]
    return found


def refuses_plain_http(statements: list[dict[str, Any]], action: str) -> bool:
    return any(
        (each["Effect"], each["Principal"], each["Action"], each.get("Condition"))
        == ("Deny", "*", action, {"Bool": {"aws:SecureTransport": "false"}})
        for each in statements
    )


def test_the_bucket_keeps_versions() -> None:
    assert properties("DocumentsBucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_bucket_blocks_public_access_in_all_four_ways() -> None:
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert properties("DocumentsBucket")["PublicAccessBlockConfiguration"] == dict.fromkeys(names, True)


def test_the_bucket_owner_owns_every_object() -> None:
    rules = properties("DocumentsBucket")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_is_encrypted() -> None:
    [rule] = properties("DocumentsBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}


def test_the_bucket_and_its_objects_refuse_plain_http() -> None:
    [statement] = [each for each in policy("DocumentsBucketPolicy") if each["Effect"] == "Deny"]
    assert refuses_plain_http([statement], "s3:*")
    assert statement["Resource"] == [attribute("DocumentsBucket"), {"Fn::Sub": "${DocumentsBucket.Arn}/*"}]
    assert properties("DocumentsBucketPolicy")["Bucket"] == {"Ref": "DocumentsBucket"}


@pytest.mark.parametrize("name", ["DocumentsBucket", "DocumentsBucketPolicy"])
def test_the_bucket_outlives_the_stack_and_a_replacement_and_goes_on_refusing_plain_http(name: str) -> None:
    """But not a creation that failed: it has a name, which the next one needs."""
    kept = resource(name)
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize(
    "clean_up",
    [
        pytest.param(lambda rule: rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"), id="old versions"),
        pytest.param(lambda rule: rule.get("ExpiredObjectDeleteMarker"), id="delete markers of nothing"),
        pytest.param(
            lambda rule: rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
            id="unfinished uploads",
        ),
    ],
)
def test_the_bucket_cleans_up_what_nobody_sees(clean_up: Any) -> None:
    rules = properties("DocumentsBucket")["LifecycleConfiguration"]["Rules"]
    assert any(clean_up(rule) for rule in rules if rule["Status"] == "Enabled")


def notifications(**given: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, Any] = deployed(**given)["DocumentsBucket"]["Properties"]["NotificationConfiguration"]
    return found


def told_of() -> list[dict[str, Any]]:
    changes = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"]
    return [{"Event": change, "Queue": attribute("IngestQueue")} for change in changes]


def test_every_kind_of_change_in_the_bucket_is_told_to_the_queue() -> None:
    assert notifications() == {"QueueConfigurations": told_of()}


def test_only_changes_below_the_prefix_are_told_if_there_is_one() -> None:
    below = {"S3Key": {"Rules": [{"Name": "prefix", "Value": {"Ref": "DocumentsPrefix"}}]}}
    filtered = [each | {"Filter": below} for each in told_of()]
    assert notifications(DocumentsPrefix="reports/") == {"QueueConfigurations": filtered}


@pytest.mark.parametrize("prefix", ["", "reports/", "2025/Q1_final-v2.1/"])
def test_a_prefix_is_of_characters_that_mean_themselves_in_s3_iam_and_eventbridge(prefix: str) -> None:
    pattern = parameter("DocumentsPrefix")["AllowedPattern"]
    assert re.fullmatch(pattern, prefix)
    assert not [special for special in "*?${}% +&" if re.fullmatch(pattern, prefix + special)]


def test_the_queues_policy_is_there_before_the_bucket_tries_the_queue() -> None:
    assert "IngestQueuePolicy" in dependencies("DocumentsBucket")


def test_no_role_of_the_stack_writes_objects_into_the_bucket() -> None:
    """Tags are another matter: no event of those that are told comes of them."""
    possible = {action for role in ROLES.values() for action in actions(role, **EVERYTHING) if action.startswith("s3:")}
    tags = {f"s3:{verb}Object{which}Tagging" for verb in ("Get", "Put") for which in ("", "Version")}
    assert possible - tags == {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"}


def test_the_buckets_name_fits_s3_in_the_region_with_the_longest_name() -> None:
    _, given, made = properties("DocumentsBucket")["BucketName"]["Fn::If"]
    assert given == {"Ref": "BucketName"}
    values = {"AWS::AccountId": "1" * 12, "AWS::Region": LONGEST_REGION, "AWS::StackName": "x" * 24}
    name = re.sub(r"\$\{([\w:]+)\}", lambda match: values[match[1]], made["Fn::Sub"])
    assert len(name) <= BUCKET_NAME_LIMIT
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert "at most 24" in parameter("BucketName")["Description"]


def test_a_message_stays_hidden_for_six_times_the_functions_time_limit() -> None:
    assert properties("IngestQueue")["VisibilityTimeout"] >= 6 * properties("IngestFunction")["Timeout"]


def test_the_queue_keeps_messages_for_four_days_and_the_dead_letter_queue_for_fourteen() -> None:
    assert properties("IngestQueue")["MessageRetentionPeriod"] == 4 * DAY
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == 14 * DAY


def test_reconcile_knows_how_long_a_message_can_be_in_the_queue() -> None:
    in_use = properties("IngestFunction")["Timeout"]
    assert timedelta(seconds=properties("IngestQueue")["MessageRetentionPeriod"] + in_use) <= MESSAGE_LIVES


@pytest.mark.parametrize("queue", QUEUE_POLICIES)
def test_a_queue_is_encrypted(queue: str) -> None:
    assert properties(queue).get("SqsManagedSseEnabled") is True


@pytest.mark.parametrize("queue", QUEUE_POLICIES)
def test_a_queue_refuses_plain_http(queue: str) -> None:
    name = QUEUE_POLICIES[queue]
    assert properties(name)["Queues"] == [{"Ref": queue}]
    assert refuses_plain_http(policy(name), "sqs:*")


@pytest.mark.parametrize("queue", QUEUE_POLICIES)
def test_a_queue_takes_messages_as_large_as_s3_sends(queue: str) -> None:
    assert properties(queue).get("MaximumMessageSize", SMALLEST_MESSAGE_LIMIT) >= SMALLEST_MESSAGE_LIMIT


def test_only_this_accounts_documents_bucket_may_send_to_the_queue() -> None:
    [allowed] = [each for each in policy("IngestQueuePolicy") if each["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    bucket = allowed["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    name = deployed()["DocumentsBucket"]["Properties"]["BucketName"]
    assert bucket == ["arn:${AWS::Partition}:s3:::${Name}", {"Name": name}]
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_nobody_is_allowed_to_send_to_the_dead_letter_queue_but_by_redrive() -> None:
    assert {each["Effect"] for each in policy("DeadLetterQueuePolicy")} == {"Deny"}


def test_a_message_is_tried_ten_to_twenty_times() -> None:
    redrive = properties("IngestQueue")["RedrivePolicy"]
    assert 10 <= with_defaults(redrive["maxReceiveCount"]) <= 20
    assert redrive["deadLetterTargetArn"] == attribute("DeadLetterQueue")


def test_the_dead_letter_queue_takes_messages_of_the_queue_alone() -> None:
    allowed = properties("DeadLetterQueue")["RedriveAllowPolicy"]
    [source] = allowed["sourceQueueArns"]
    name = properties("IngestQueue")["QueueName"]["Fn::Sub"]
    assert allowed["redrivePermission"] == "byQueue"
    assert source["Fn::Sub"].endswith(f":sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}")
