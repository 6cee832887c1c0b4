"""Batches and bare events in; partial batch responses and receipts out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketUnavailable, MalformedEvent
from bucketwise.settings import Settings
from ingest import handler
from tests.unit.ingest_world import Context, World, batch, failed_messages, handle, ingest_world
from tests.unit.test_events import eventbridge, notification, sample

TEXT = b"Trains leave at noon."


class ForeignFailure(RuntimeError):
    """Raised by no code of this project."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ingest_world(monkeypatch) as given:
        yield given


def test_a_batch_that_went_well_reports_no_message(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == []
    assert world.index.rows["a.txt"].texts == [TEXT.decode()]


def test_only_the_message_that_failed_is_reported_and_the_others_are_done(world: World) -> None:
    world.bucket.objects |= {"a.txt": ("v1", TEXT), "c.txt": ("v1", TEXT)}
    event = batch(json.dumps(notification("a.txt")), "not JSON", json.dumps(eventbridge("c.txt")))
    assert failed_messages(handle(event)) == ["message-2"]
    assert world.index.rows.keys() == {"a.txt", "c.txt"}


def test_a_batch_that_fails_whole_is_reported_and_not_raised(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    event = batch(*(json.dumps(notification(key)) for key in ("a.txt", "b.txt")))
    assert failed_messages(handle(event)) == ["message-1", "message-2"]


def test_an_error_that_nobody_foresaw_fails_its_message_alone(world: World) -> None:
    world.bucket.error = ForeignFailure()
    assert failed_messages(handle(batch(json.dumps(notification("a.txt")), '{"Event": "s3:TestEvent"}'))) == [
        "message-1"
    ]


def test_an_unreadable_document_is_acknowledged(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"")
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == []
    assert world.index.rows["a.txt"].reason == "empty"


def test_messages_are_handed_back_when_no_time_is_left(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    reply = handle(batch(json.dumps(notification("a.txt"))), Context(seconds=handler.RESERVE_SECONDS))
    assert failed_messages(reply) == ["message-1"]
    assert world.index.rows == {}


def test_a_bare_event_answers_with_its_receipts(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    reply = handle(notification("a.txt", "gone.txt"))
    assert [receipt["outcome"] for receipt in reply["receipts"]] == ["indexed", "deleted"]
    assert reply["receipts"][0]["embedding"]["embedded"] == 1


def test_a_bare_event_that_fails_raises_so_that_lambda_tries_again(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    with pytest.raises(BucketUnavailable):
        handle(eventbridge("a.txt"))


@pytest.mark.parametrize(
    "event",
    [{}, {"Records": [{}]}, {"Records": "text"}, {"Records": ["text"]}, {"Records": {"key": "value"}}],
)
def test_a_bare_event_of_no_known_kind_is_malformed(world: World, event: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent):
        handle(event)
    assert world.index.last_claim == 0


@pytest.mark.parametrize("event", [notification(bucket="documents"), {"Event": "s3:TestEvent"}])
def test_a_bare_event_that_tells_of_nothing_does_nothing(world: World, event: dict[str, Any]) -> None:
    assert handle(event) == {"receipts": []}
    assert world.index.last_claim == 0


def test_an_event_of_another_bucket_is_refused_before_anything_is_read(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    event = notification("a.txt", bucket="others-bucket")
    with pytest.raises(MalformedEvent) as raised:
        handle(event)
    assert "others-bucket" not in str(raised.value)
    assert failed_messages(handle(batch(json.dumps(event)))) == ["message-1"]
    assert (world.index.last_claim, world.index.rows) == (0, {})


def test_a_message_with_two_objects_is_tried_again_whole_when_the_second_fails(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    event = notification("a.txt", "b.txt")
    event["Records"][1]["s3"]["bucket"]["name"] = "others-bucket"
    assert failed_messages(handle(batch(json.dumps(event)))) == ["message-1"]
    assert world.index.rows.keys() == {"a.txt"}


def test_the_sample_batch_with_a_bad_message_reports_that_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere", "BUCKET": "bucketwise-documents"})
    monkeypatch.setattr(handler, "settings", lambda: given)
    event = sample("sqs-batch-one-bad")
    assert failed_messages(handle(event)) == [event["Records"][1]["messageId"]]
    assert len(world.index.rows) == 2


def test_a_deadline_keeps_a_reserve_to_answer_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    class Clockwatcher:
        def bring_up_to_date(self, key: str, *, deadline: Deadline) -> None:
            left.append(deadline.remaining())
            raise BucketUnavailable(key)

    monkeypatch.setattr(handler, "ingest_pipeline", Clockwatcher)
    handle(batch(json.dumps(notification("a.txt"))), Context(seconds=10))
    assert world.log.getvalue()
    assert left[0] == pytest.approx(7, abs=1)
