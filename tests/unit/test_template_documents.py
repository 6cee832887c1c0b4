"""The template's bucket, queues and the way between them, rule by rule, on what SAM makes of it."""

import pytest

from tests.unit.template_model import as_list, needs_sam, properties, resource, statements

pytestmark = needs_sam


def test_the_bucket_keeps_versions_and_survives_the_stack() -> None:
    assert properties("DocumentsBucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    assert (
        resource("DocumentsBucket")["DeletionPolicy"] == resource("DocumentsBucket")["UpdateReplacePolicy"] == "Retain"
    )


def test_the_bucket_is_closed_to_the_public_and_owned_by_its_account() -> None:
    bucket = properties("DocumentsBucket")
    blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(blocks, True)
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


@pytest.mark.parametrize("name", ["DocumentsBucketPolicy", "IngestQueuePolicy", "DeadLetterQueuePolicy"])
def test_nothing_is_reached_without_tls(name: str) -> None:
    denied = [
        statement
        for statement in statements(properties(name))
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert [statement["Principal"] for statement in denied] == ["*"]


def test_old_versions_delete_markers_and_broken_uploads_go_away() -> None:
    rules = properties("DocumentsBucket")["LifecycleConfiguration"]["Rules"]
    merged = {key: value for rule in rules for key, value in rule.items()}
    assert merged["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0
    assert merged["ExpiredObjectDeleteMarker"] is True
    assert merged["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_creations_removals_and_expirations_reach_the_queue_once_its_policy_is_there() -> None:
    told = properties("DocumentsBucket")["NotificationConfiguration"]["QueueConfigurations"]
    assert {each["Event"] for each in told} == {"s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"}
    assert all(each["Queue"] == {"Fn::GetAtt": ["IngestQueue", "Arn"]} for each in told)
    assert "IngestQueuePolicy" in as_list(resource("DocumentsBucket")["DependsOn"])


def test_only_this_bucket_of_this_account_may_send() -> None:
    [allowed] = [each for each in statements(properties("IngestQueuePolicy")) if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = allowed["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":s3:::" + properties("DocumentsBucket")["BucketName"]["Fn::Sub"])


def test_the_queue_waits_six_times_as_long_as_the_function_may_take() -> None:
    assert properties("IngestQueue")["VisibilityTimeout"] >= 6 * properties("IngestFunction")["Timeout"]


def test_a_message_outlives_outages_and_the_dead_letter_queue_outlives_the_queue() -> None:
    queue, dead = properties("IngestQueue"), properties("DeadLetterQueue")
    assert queue["MessageRetentionPeriod"] == 4 * 24 * 3600
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True


def test_messages_are_not_limited_below_the_size_of_an_event() -> None:
    assert properties("IngestQueue").get("MaximumMessageSize", 262_144) >= 65_536


def test_messages_that_fail_again_and_again_go_to_the_dead_letter_queue_and_from_no_other() -> None:
    redrive = properties("IngestQueue")["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert 10 <= redrive["maxReceiveCount"] <= 20
    allowed = properties("DeadLetterQueue")["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    [source] = allowed["sourceQueueArns"]
    assert source["Fn::Sub"].endswith(":" + properties("IngestQueue")["QueueName"]["Fn::Sub"])


def test_the_mapping_reports_single_failures_is_bounded_and_filters_nothing() -> None:
    mapping = properties("IngestFunctionQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "IngestMaximumConcurrency"}}
    assert mapping["BatchSize"] <= 10
    assert "FilterCriteria" not in mapping
