"""What became of a version stands in its object's tags, beside the user's own, on S3 over HTTP."""

from collections.abc import Iterator

import pytest

from bucketwise.errors import ModelUnavailable
from bucketwise.models import FailureReason
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from ingest.tags import Tagger
from local.storage.client import Storage
from tests.integration.event_inbox import PLAIN, VERSIONED, put

INDEXED = Receipt(
    Outcome.INDEXED, 7, chunks=12, embedding=EmbeddingReceipt(10, 2, 4000, 0.00008), seconds=3.14, begun=True
)
TAGS = {
    "bucketwise-state": "indexed",
    "bucketwise-chunks": "12",
    "bucketwise-embedded": "10",
    "bucketwise-reused": "2",
    "bucketwise-tokens": "4000",
    "bucketwise-usd": "0.000080",
    "bucketwise-seconds": "3.1",
}


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        running.create_bucket(VERSIONED)
        running.create_bucket(PLAIN, versioned=False)
        yield running


@pytest.fixture
def tagger(storage: Storage) -> Tagger:
    return Tagger(storage.s3, VERSIONED)


def of(version: str | None, receipt: Receipt = INDEXED) -> Receipt:
    return Receipt(
        receipt.outcome, 7, version, receipt.chunks, receipt.embedding, receipt.reason, receipt.seconds, receipt.begun
    )


def tags(storage: Storage, key: str, version: str | None = None, bucket: str = VERSIONED) -> dict[str, str]:
    named = {"VersionId": version} if version else {}
    found = storage.s3.get_object_tagging(Bucket=bucket, Key=key, **named)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def give_tags(storage: Storage, key: str, names: list[str]) -> None:
    given = [{"Key": name, "Value": "of the user"} for name in names]
    storage.s3.put_object_tagging(Bucket=VERSIONED, Key=key, Tagging={"TagSet": given})


def test_an_indexed_document_says_what_it_took(storage: Storage, tagger: Tagger) -> None:
    assert tagger.tag("a b.txt", of(put(storage, "a b.txt")))
    assert tags(storage, "a b.txt") == TAGS


def test_a_failed_document_says_why(storage: Storage, tagger: Tagger) -> None:
    failed = Receipt(Outcome.FAILED, 7, put(storage, "failed.txt"), reason=FailureReason.ENCRYPTED)
    assert tagger.tag("failed.txt", failed)
    told = tags(storage, "failed.txt")
    assert (told["bucketwise-state"], told["bucketwise-reason"]) == ("failed", "encrypted")
    assert "bucketwise-seconds" not in told


def test_the_version_that_was_looked_at_is_tagged_and_no_newer_one(storage: Storage, tagger: Tagger) -> None:
    old, new = put(storage, "twice.txt"), put(storage, "twice.txt")
    assert tagger.tag("twice.txt", of(old))
    assert tags(storage, "twice.txt", old) == TAGS
    assert tags(storage, "twice.txt", new) == {}


def test_a_bucket_without_versions_is_tagged_too(storage: Storage) -> None:
    put(storage, "plain.txt", bucket=PLAIN)
    assert Tagger(storage.s3, PLAIN).tag("plain.txt", of(None))
    assert tags(storage, "plain.txt", bucket=PLAIN) == TAGS


def test_the_users_tags_stay_and_ours_are_replaced(storage: Storage, tagger: Tagger) -> None:
    version = put(storage, "mixed.txt")
    give_tags(storage, "mixed.txt", ["team", "bucketwise-state", "bucketwise-reason"])
    tagger.tag("mixed.txt", of(version))
    tagger.tag("mixed.txt", of(version))
    assert tags(storage, "mixed.txt") == TAGS | {"team": "of the user"}


@pytest.mark.parametrize(("mine", "kept"), [(5, 5), (9, 1), (10, 0)])
def test_there_are_never_more_than_ten_and_the_users_come_first(
    storage: Storage, tagger: Tagger, mine: int, kept: int
) -> None:
    names = [f"user-{n}" for n in range(mine)]
    version = put(storage, "many.txt")
    give_tags(storage, "many.txt", names)
    assert tagger.tag("many.txt", of(version))
    told = tags(storage, "many.txt")
    assert told.keys() == set(names) | set(list(TAGS)[:kept])


@pytest.mark.parametrize(
    "receipt",
    [
        Receipt(Outcome.POSTPONED, 7, error=ModelUnavailable("503")),
        Receipt(Outcome.SUPERSEDED, 7),
        Receipt(Outcome.UNCHANGED, 7),
        Receipt(Outcome.DELETED, 7),
    ],
    ids=lambda receipt: receipt.outcome,
)
def test_nothing_else_is_tagged(storage: Storage, tagger: Tagger, receipt: Receipt) -> None:
    version = put(storage, "untouched.txt")
    assert not tagger.tag("untouched.txt", of(version, receipt))
    assert tags(storage, "untouched.txt") == {}


def test_a_bucket_that_refuses_a_tag_is_no_error(storage: Storage, tagger: Tagger) -> None:
    put(storage, "refused.txt")
    assert not tagger.tag("refused.txt", of("no-such-version"))
    assert not tagger.tag("never-there.txt", of(None))


def test_a_bucket_out_of_reach_is_no_error() -> None:
    with Storage.start(None) as gone:
        client = gone.client("s3")
    assert not Tagger(client, VERSIONED).tag("a.txt", of("v1"))
    client.close()
