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
from ingest.tenants import Tenancy
from ingest.upkeep import Upkeep

telemetry = Telemetry("reconcile")


@kept
def reconciliation() -> Reconciliation:
    """Raises InvalidSettings. Nothing is connected yet."""
    return build_reconciliation(Settings.from_environment(os.environ))


def build_reconciliation(given: Settings) -> Reconciliation:
    if not given.queue_url:
        raise InvalidSettings("QUEUE_URL: needed to have documents looked at")
    database = Database(lambda deadline: connect(given, deadline))
    tenancy = Tenancy.of(given)

    def upkeep_of(tenant: str) -> Upkeep:
        return Upkeep(
            Postings(database, tenant),
            Collection(database, tenant),
            CachedAnswers(database, tenant, given.answer_cache_seconds),
        )

    return Reconciliation(
        listing=BucketListing(aws_client("s3", PATIENT), given.bucket, given.prefix),
        inventory=Inventory(database, tenancy),
        upkeep_of=upkeep_of,
        queue=IngestQueue(aws_client("sqs", PATIENT), given.queue_url, given.bucket),
        tenancy=tenancy,
        fingerprint=fingerprint(given),
    )
