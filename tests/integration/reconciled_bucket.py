"""A bucket of the twin's S3 that nothing tells of, an index, and the queue between them, of one test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.ingest_queue import IngestQueue
from bucketwise.models import FailureReason
from ingest.bucket import S3Bucket
from ingest.cached_answers import CachedAnswers
from ingest.collection import Collection
from ingest.events import changes_in_message
from ingest.index import DocumentIndex
from ingest.inventory import Inventory
from ingest.listing import BucketListing
from ingest.postings import Postings
from ingest.protocol import Standing
from ingest.receipts import EmbeddingReceipt
from ingest.reconcile import Reconciliation, Report
from ingest.tenants import Tenancy
from ingest.upkeep import Upkeep
from local.storage.client import Storage
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON, Listed, chunks_of, document_of

PAGE = 3  # entries of a listing, so that every test has several pages


@dataclass
class Settings:
    """What a deployment can change: reconcile and ingest both go by it."""

    prefix: str = ""
    fingerprint: str = "code 1"
    folders: bool = False


@dataclass(frozen=True, slots=True)
class World:
    storage: Storage
    s3: Any
    bucket: str
    queue: IngestQueue
    database: Database
    tenant: Tenant
    settings: Settings = field(default_factory=Settings)

    @property
    def tenancy(self) -> Tenancy:
        return Tenancy(self.tenant.index.tenant, self.settings.prefix, self.settings.folders)

    def put(self, key: str, text: str) -> str:
        version: str = self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode()).get("VersionId", "")
        return version

    def delete(self, key: str, version: str | None = None) -> str:
        which = {"VersionId": version} if version else {}
        marker: str = self.s3.delete_object(Bucket=self.bucket, Key=key, **which).get("VersionId", "")
        return marker

    def reconcile(self, *, deadline: Deadline = SOON, **changes: Any) -> Report:
        reconciliation = Reconciliation(
            listing=BucketListing(self.s3, self.bucket, self.settings.prefix),
            inventory=Inventory(self.database, self.tenancy),
            upkeep_of=lambda tenant: Upkeep(
                Postings(self.database, tenant),
                Collection(self.database, tenant),
                CachedAnswers(self.database, tenant, seconds=3600),
            ),
            queue=self.queue,
            tenancy=self.tenancy,
            fingerprint=self.settings.fingerprint,
        )
        return replace(reconciliation, **changes).run(deadline=deadline)

    def work(self) -> list[str]:
        """What ingest does with all that is in the queue: a line is a chunk, and "?" cannot be read. Which keys."""
        keys = []
        for body in self._messages():
            [change] = changes_in_message(body)
            keys.append(change.key)
            self._look_at(change.key)
        return sorted(keys)

    def lose_messages(self) -> None:
        assert self._messages()

    def follow(self) -> list[str]:
        """Reconciles and works; which keys were worked on."""
        assert self.reconcile().finished
        return self.work()

    def index(self) -> dict[str, list[str]]:
        """The texts of every document that is indexed."""
        with connected(self.tenant.database.superuser) as connection:
            rows = connection.execute(
                "SELECT key FROM bucketwise.documents WHERE tenant = %s AND state = 'indexed' ORDER BY key",
                (self.tenant.index.tenant,),
            ).fetchall()
        return {key: self.tenant.texts(key) for (key,) in rows}

    def execute(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """As a superuser; the tenant is the last parameter."""
        with connected(self.tenant.database.superuser) as connection:
            cursor = connection.execute(query.encode(), (*parameters, self.tenant.index.tenant))
            return cursor.fetchall() if cursor.description else []

    def _messages(self) -> list[str]:
        bodies = []
        client, url = self.queue.client, self.queue.url
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def _look_at(self, key: str) -> None:
        index = replace(self.tenant.index, fingerprint=self.settings.fingerprint)
        claim = index.claim(deadline=SOON)
        bucket = S3Bucket(self.s3, self.bucket, self.settings.prefix)
        sidecar = bucket.sidecar(key)
        etag = sidecar.etag if sidecar is not None else None
        with bucket.open(key) as found:
            if found is None:
                index.bury(key, claim, sidecar=etag, deadline=SOON)
                return
            facts = replace(found.facts, sidecar=etag)
            if sidecar is not None:
                facts = facts.described_by(sidecar)
            if index.compare(facts, claim, deadline=SOON) is Standing.SAME or index.describe(
                facts, claim, deadline=SOON
            ):
                return
            texts = found.stream.read(100_000).decode().splitlines()
        if texts == ["?"]:
            index.fail(facts, UnreadableDocument(FailureReason.CORRUPT, "Damaged."), claim, deadline=SOON)
            return
        self.tenant.embed(*texts)
        document, chunks = document_of(*texts), Listed(chunks_of(*texts))
        index.replace(facts, document, chunks, EmbeddingReceipt(), claim, deadline=SOON)


@contextmanager
def reconciled_bucket(storage: Storage, index_database: IndexDatabase, *, versioned: bool = True) -> Iterator[World]:
    name = uuid4().hex
    storage.create_bucket(name, versioned=versioned)
    url, _ = storage.create_queue(name, visibility_seconds=30, max_receives=3)
    s3 = storage.client("s3")
    s3.meta.events.register("before-parameter-build.s3.ListObjectVersions", _with_small_pages)
    with opened(index_database.ingest) as database:
        tenant = Tenant(DocumentIndex(database, name, "code 1"), index_database)
        yield World(storage, s3, name, IngestQueue(storage.sqs, url, name), database, tenant)
    s3.close()


def _with_small_pages(params: dict[str, Any], **_: Any) -> None:
    params.setdefault("MaxKeys", PAGE)
