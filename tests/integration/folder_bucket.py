"""A bucket whose folders may be tenants, an index, and the queue between them, with ingest and reconcile at work."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bench.machine import QuietTelemetry
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.ingest_queue import IngestQueue
from ingest.bucket import S3Bucket
from ingest.cached_answers import CachedAnswers
from ingest.chunking import Chunker
from ingest.collection import Collection
from ingest.embedding_stage import EmbeddingStage
from ingest.events import changes_in_message
from ingest.index import DocumentIndex
from ingest.inventory import Inventory
from ingest.listing import BucketListing
from ingest.parsing import parsed_here
from ingest.pipeline import IngestPipeline, Limits
from ingest.postings import Postings
from ingest.receipts import Receipt
from ingest.reconcile import Reconciliation, Report
from ingest.strays import Strays
from ingest.tenants import Owner, Tenancy
from ingest.upkeep import Upkeep
from ingest.vectors import VectorTable
from local.storage.client import Storage
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.unit.ingest_fakes import SOON

CODE = "code 1"
SAME = "The gate closes at nine."
SIDECAR = b'{"year": 2024}'
HELD = """
    SELECT tenant, key, coalesce(reason, (
        SELECT string_agg(text, '' ORDER BY ordinal) FROM bucketwise.chunks c
        WHERE (c.tenant, c.key) = (d.tenant, d.key)))
    FROM bucketwise.documents d WHERE coalesce(home, tenant) = %s AND state <> 'deleted'"""

Whole = dict[tuple[str, str], str]
"""By tenant and key, the text of an indexed document, or why it failed."""


class LengthEmbedder:
    """A vector says how long its text is; counts what was sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        self.texts += texts
        return Embeddings([[1.0, float(len(text)), 0, 0, 0, 0, 0, 0] for text in texts], len(texts))


@dataclass
class FolderBucket:
    """``tenancy`` is what a deployment sets; it may be changed in the middle of everything."""

    s3: Any
    bucket: str
    queue: IngestQueue
    database: Database
    viewed: IndexDatabase
    tenancy: Tenancy
    embedder: LengthEmbedder = field(default_factory=LengthEmbedder)

    def put(self, key: str, text: str, *, told: bool = True) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ContentType="text/plain")
        self.queue.send([key] if told else [])

    def delete(self, key: str, *, told: bool = True) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.queue.send([key] if told else [])

    def look(self, key: str, tenancy: Tenancy | None = None, *, again: bool = False) -> Receipt:
        owner = (tenancy or self.tenancy).owner(key)
        return self.pipeline(owner, tenancy or self.tenancy).bring_up_to_date(key, deadline=SOON, again=again)

    def pipeline(self, owner: Owner, tenancy: Tenancy) -> IngestPipeline:
        index = DocumentIndex(self.database, owner.tenant, owner.fingerprint(CODE), home=tenancy.default)
        return IngestPipeline(
            bucket=S3Bucket(self.s3, self.bucket, tenancy.prefix),
            index=index,
            strays=Strays(index, tenancy),
            chunker=Chunker(max_tokens=16, overlap_tokens=0),
            embedding=EmbeddingStage(VectorTable(self.database, owner.tenant), self.embedder, "m", 50_000, 1),
            parse=parsed_here,
            telemetry=QuietTelemetry("folders"),
            limits=Limits(bytes=10_000, tokens=10_000),
            refuses=owner.refused,
        )

    def reconcile(self, *, deadline: Deadline = SOON, step: int = 1000) -> Report:
        tenancy = self.tenancy
        return Reconciliation(
            listing=BucketListing(self.s3, self.bucket, tenancy.prefix),
            inventory=Inventory(self.database, tenancy),
            upkeep_of=lambda tenant: Upkeep(
                Postings(self.database, tenant),
                Collection(self.database, tenant),
                CachedAnswers(self.database, tenant, seconds=3600),
            ),
            queue=self.queue,
            tenancy=tenancy,
            fingerprint=CODE,
            step=step,
        ).run(deadline=deadline)

    def work(self) -> list[Receipt]:
        """Handles what is in the queue, in the order in which it comes."""
        return [self.look(change.key) for body in self.messages() for change in changes_in_message(body)]

    def messages(self) -> list[str]:
        bodies: list[str] = []
        client, url = self.queue.client, self.queue.url
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def follow(self) -> Report:
        """Compares, and does what that asks for."""
        report = self.reconcile()
        assert report.finished
        self.work()
        return report

    def held(self) -> Whole:
        return {(tenant, key): text for tenant, key, text in self.rows(HELD, self.tenancy.default)}

    def wanted(self) -> Whole:
        """What the index should hold of what the bucket holds now."""
        whole: Whole = {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", []):
                key = item["Key"]
                if not key.startswith(self.tenancy.prefix) or key.endswith(".metadata.json"):
                    continue
                owner = self.tenancy.owner(key)
                text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()
                whole[owner.tenant, key] = "bad_folder" if owner.refused else text
        return whole

    def vectors(self, tenant: str) -> int:
        [[count]] = self.rows("SELECT count(*) FROM bucketwise.embeddings WHERE tenant = %s", tenant)
        return int(count)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """As a superuser."""
        with connected(self.viewed.superuser) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def folder_bucket(
    storage: Storage, index_database: IndexDatabase, *, folders: bool = True, versioned: bool = True
) -> Iterator[FolderBucket]:
    """TENANT is of this world alone. In an index that is shared, folders need names of their own, too."""
    name = uuid4().hex
    storage.create_bucket(name, versioned=versioned)
    url, _ = storage.create_queue(name, visibility_seconds=30, max_receives=3)
    with opened(index_database.ingest) as database:
        tenancy = Tenancy(f"default-{name}", folders=folders)
        yield FolderBucket(storage.s3, name, IngestQueue(storage.sqs, url, name), database, index_database, tenancy)


def filled(world: FolderBucket) -> FolderBucket:
    for key in ("acme/a.txt", "acme/deep/b.txt", "bolt/a.txt", "loose.txt", "//x.txt", "acme /x.txt", "\u00fc/x.txt"):
        world.put(key, SAME if key.endswith("a.txt") else f"This is {key.strip('/')}.")
    world.s3.put_object(Bucket=world.bucket, Key="acme/a.txt.metadata.json", Body=SIDECAR)
    world.work()
    return world


def in_its_place(world: FolderBucket) -> None:
    """Everything is, and nothing is left anywhere else, not even a vector."""
    assert world.held() == world.wanted()
    world.reconcile()
    for (tenant,) in world.rows("SELECT DISTINCT tenant FROM bucketwise.documents"):
        texts = {text for (whose, _), text in world.held().items() if whose == tenant and text != "bad_folder"}
        assert world.vectors(tenant) == len(texts), tenant
    assert world.reconcile().differences == 0
