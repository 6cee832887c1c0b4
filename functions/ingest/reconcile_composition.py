"""Reconcile's parts, put together once for each execution environment. Neither parsers nor models are among them."""

import os

from bucketwise.aws_clients import PATIENT, aws_client
from bucketwise.database import Database, connect
from bucketwise.errors import InvalidSettings
from bucketwise.ingest_queue import IngestQueue
from bucketwise.settings import Settings
from bucketwise.snapstart import kept
from bucketwise.telemetry import Telemetry
from ingest.cached_answers import CachedAnswers
from ingest.collection import Collection
from ingest.fingerprint import fingerprint
from ingest.inventory import Inventory
from ingest.listing import BucketListing
from ingest.postings import Postings
from ingest.reconcile import Reconciliation

telemetry = Telemetry("reconcile")


@kept
def reconciliation() -> Reconciliation:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_reconciliation(Settings.from_environment(os.environ))


def build_reconciliation(given: Settings) -> Reconciliation:
    if not given.queue_url:
        raise InvalidSettings("QUEUE_URL: needed to have documents looked at")
    database = Database(lambda deadline: connect(given, deadline))
    return Reconciliation(
        listing=BucketListing(aws_client("s3", PATIENT), given.bucket, given.prefix),
        inventory=Inventory(database, given.tenant),
        collection=Collection(database, given.tenant),
        cached_answers=CachedAnswers(database, given.tenant, given.answer_cache_seconds),
        postings=Postings(database, given.tenant),
        queue=IngestQueue(aws_client("sqs", PATIENT), given.queue_url, given.bucket),
        prefix=given.prefix,
        fingerprint=fingerprint(given),
    )
