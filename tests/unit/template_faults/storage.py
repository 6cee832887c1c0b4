"""Bucket, notifications and queue."""

from tests.unit import test_template_existing_bucket as existing
from tests.unit import test_template_roles as roles
from tests.unit import test_template_storage as storage
from tests.unit.template_faults.fault import Fault

BUCKET = [
    Fault(
        "bucket: versioning on",
        "VersioningConfiguration: {Status: Enabled}",
        "VersioningConfiguration: {Status: Suspended}",
        storage.test_the_bucket_keeps_versions,
    ),
    Fault(
        "bucket: all four public-access blocks",
        "        RestrictPublicBuckets: true\n",
        "",
        storage.test_the_bucket_blocks_public_access_in_all_four_ways,
    ),
    Fault(
        "bucket: BucketOwnerEnforced",
        "ObjectOwnership: BucketOwnerEnforced",
        "ObjectOwnership: ObjectWriter",
        storage.test_the_bucket_owner_owns_every_object,
    ),
    Fault(
        "bucket: encryption",
        "      BucketEncryption:\n        ServerSideEncryptionConfiguration:\n"
        "          - ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}\n",
        "",
        storage.test_the_bucket_is_encrypted,
    ),
    Fault(
        "bucket: denies aws:SecureTransport=false",
        '            Resource: [!GetAtt DocumentsBucket.Arn, !Sub "${DocumentsBucket.Arn}/*"]\n'
        '            Condition: {Bool: {"aws:SecureTransport": "false"}}',
        '            Resource: [!GetAtt DocumentsBucket.Arn]\n            Condition: {Bool: {"aws:SecureTransport": "false"}}',
        storage.test_the_bucket_and_its_objects_refuse_plain_http,
    ),
    Fault(
        "bucket: Retain, except when its creation is rolled back",
        "    DeletionPolicy: RetainExceptOnCreate  # what a creation",
        "    DeletionPolicy: Retain  # what a creation",
        storage.test_the_bucket_outlives_the_stack_and_a_replacement_and_goes_on_refusing_plain_http,
    ),
    Fault(
        "bucket: its policy stays with it",
        "    Condition: MakesBucket\n    DeletionPolicy: RetainExceptOnCreate\n",
        "    Condition: MakesBucket\n",
        storage.test_the_bucket_outlives_the_stack_and_a_replacement_and_goes_on_refusing_plain_http,
    ),
    Fault(
        "bucket: non-current versions expire",
        "            NoncurrentVersionExpiration: {NoncurrentDays: 30}\n",
        "",
        storage.test_the_bucket_cleans_up_what_nobody_sees,
    ),
    Fault(
        "bucket: expired delete markers go",
        "            ExpiredObjectDeleteMarker: true\n",
        "            ExpirationInDays: 3650\n",
        storage.test_the_bucket_cleans_up_what_nobody_sees,
    ),
    Fault(
        "bucket: multipart uploads abort",
        "            AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}\n",
        "",
        storage.test_the_bucket_cleans_up_what_nobody_sees,
    ),
]

NOTIFICATIONS = [
    Fault(
        "notifications: all three kinds of change",
        '          - {Event: "s3:LifecycleExpiration:*", Queue: !GetAtt IngestQueue.Arn, Filter: *below-prefix}\n',
        "",
        storage.test_every_kind_of_change_in_the_bucket_is_told_to_the_queue,
    ),
    Fault(
        "notifications: depend on the queue policy",
        "    DependsOn: IngestQueuePolicy  # S3 tries the queue when the notification is set up\n",
        "",
        storage.test_the_queues_policy_is_there_before_the_bucket_tries_the_queue,
    ),
    Fault(
        "notifications: no Lambda writes to this bucket",
        "                Action: [s3:ListBucket, s3:ListBucketVersions]\n",
        "                Action: [s3:ListBucket, s3:ListBucketVersions, s3:PutObject]\n",
        storage.test_no_role_of_the_stack_writes_objects_into_the_bucket,
    ),
    Fault(
        "notifications: an existing bucket's deletions are told too",
        "detail-type: [Object Created, Object Deleted]",
        "detail-type: [Object Created]",
        existing.test_creations_and_deletions_in_the_existing_bucket_are_told,
    ),
]

QUEUE = [
    Fault(
        "queue: VisibilityTimeout at least six times the function's timeout",
        "VisibilityTimeout: 1800",
        "VisibilityTimeout: 1799",
        storage.test_a_message_stays_hidden_for_six_times_the_functions_time_limit,
    ),
    Fault(
        "queue: retention 4 days",
        "MessageRetentionPeriod: 345600",
        "MessageRetentionPeriod: 86400",
        storage.test_the_queue_keeps_messages_for_four_days_and_the_dead_letter_queue_for_fourteen,
    ),
    Fault(
        "queue: DLQ 14 days",
        "MessageRetentionPeriod: 1209600",
        "MessageRetentionPeriod: 345600",
        storage.test_the_queue_keeps_messages_for_four_days_and_the_dead_letter_queue_for_fourteen,
    ),
    Fault(
        "queue: message size not below 64 KB",
        "      MessageRetentionPeriod: 345600  # 4 days\n",
        "      MessageRetentionPeriod: 345600\n      MaximumMessageSize: 65535\n",
        storage.test_a_queue_takes_messages_as_large_as_s3_sends,
    ),
    Fault(
        "queue: SSE",
        "      SqsManagedSseEnabled: true\n      RedrivePolicy:",
        "      SqsManagedSseEnabled: false\n      RedrivePolicy:",
        storage.test_a_queue_is_encrypted,
    ),
    Fault(
        "queue: TLS only",
        '            Resource: !GetAtt DeadLetterQueue.Arn\n            Condition: {Bool: {"aws:SecureTransport": "false"}}',
        '            Resource: !GetAtt DeadLetterQueue.Arn\n            Condition: {Bool: {"aws:SecureTransport": "true"}}',
        storage.test_a_queue_refuses_plain_http,
    ),
    Fault(
        "queue: S3 may send only with aws:SourceArn",
        '                ArnEquals:\n                  "aws:SourceArn": !Sub',
        '                ArnEquals:\n                  "aws:PrincipalArn": !Sub',
        storage.test_only_this_accounts_documents_bucket_may_send_to_the_queue,
    ),
    Fault(
        "queue: S3 may send only with aws:SourceAccount",
        '                StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}\n            - Sid: OnlyThisRuleSends',
        '                StringEquals: {"aws:SourceAccount": "*"}\n            - Sid: OnlyThisRuleSends',
        storage.test_only_this_accounts_documents_bucket_may_send_to_the_queue,
    ),
    Fault(
        "queue: maxReceiveCount 10-20",
        "maxReceiveCount: 10",
        "maxReceiveCount: 3",
        storage.test_a_message_is_tried_ten_to_twenty_times,
    ),
    Fault(
        "queue: DLQ RedriveAllowPolicy by queue",
        "redrivePermission: byQueue",
        "redrivePermission: allowAll",
        storage.test_the_dead_letter_queue_takes_messages_of_the_queue_alone,
    ),
    Fault(
        "queue: ingest may change a message's visibility",
        ", sqs:ChangeMessageVisibility]",
        "]",
        roles.test_a_role_may_do_these_things_and_no_others,
    ),
]

FAULTS = [*BUCKET, *NOTIFICATIONS, *QUEUE]
