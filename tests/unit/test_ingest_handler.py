"""Batches and bare events in; partial batch responses and receipts out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketUnavailable, MalformedEvent, ModelUnavailable
from bucketwise.settings import Settings
from ingest import handler
from ingest.receipts import Outcome, Receipt
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


@pytest.mark.usefixtures("world")
def test_a_batch_that_fails_whole_is_reported_and_not_raised() -> None:
    assert failed_messages(handle(batch("not JSON", "nor is this"))) == ["message-1", "message-2"]


def test_an_error_that_nobody_foresaw_fails_its_message_alone(world: World) -> None:
    world.bucket.error = ForeignFailure()
    assert failed_messages(handle(batch(json.dumps(notification("a.txt")), '{"Event": "s3:TestEvent"}'))) == [
        "message-1"
    ]


def test_an_unreadable_document_is_acknowledged(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"")
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == []
    assert world.index.rows["a.txt"].reason == "empty"


def test_a_bare_event_answers_with_its_receipts(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    reply = handle(notification("a.txt", "gone.txt"))
    assert [receipt["outcome"] for receipt in reply["receipts"]] == ["indexed", "deleted"]
    assert reply["receipts"][0]["embedding"]["embedded"] == 1


def test_a_bare_event_that_fails_raises_so_that_lambda_tries_again(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    with pytest.raises(BucketUnavailable):
        handle(eventbridge("a.txt"))
    assert world.sqs.sent == []


def test_a_bare_event_of_which_one_object_fails_has_the_others_done_before_it_raises(world: World) -> None:
    world.bucket.objects |= {"a.txt": ("v1", TEXT), "c.txt": ("v1", b"Trams leave at one.")}
    world.embedder.refused = "Trains"
    with pytest.raises(ModelUnavailable):
        handle(notification("a.txt", "c.txt"))
    assert world.index.rows.keys() == {"c.txt"}


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


def test_a_message_of_ours_may_ask_for_a_version_that_is_known_already(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"")
    handle(batch(json.dumps(notification("a.txt"))))
    again = notification("a.txt")
    handle(batch(json.dumps(again)))
    again["Records"][0]["bucketwise"] = {"again": True}
    handle(batch(json.dumps(again)))
    assert [line["outcome"] for line in world.lines()] == ["failed", "unchanged", "failed"]


def test_objects_are_tagged_if_that_is_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tagged: list[tuple[str, Outcome]] = []

    class Notebook:
        def tag(self, key: str, receipt: Receipt) -> None:
            tagged.append((key, receipt.outcome))

    variables = {"DATABASE_URL": "postgresql://nowhere", "BUCKET": "documents"}
    monkeypatch.setattr(handler, "tagger", Notebook)
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    handle(notification("a.txt"))
    assert tagged == []
    given = Settings.from_environment(variables | {"TAG_OBJECTS": "true"})
    monkeypatch.setattr(handler, "settings", lambda: given)
    handle(notification("a.txt"))
    assert tagged == [("a.txt", Outcome.UNCHANGED)]


def test_a_deadline_keeps_a_reserve_to_answer_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    class Clockwatcher:
        def bring_up_to_date(self, _key: str, *, deadline: Deadline, ended: int | None, again: bool) -> Receipt:
            left.append(deadline.remaining())
            return Receipt(Outcome.POSTPONED, ended, error=BucketUnavailable(str(again)))

    monkeypatch.setattr(handler, "ingest_pipeline", lambda _: Clockwatcher())
    handle(batch(json.dumps(notification("a.txt"))), Context(seconds=10))
    assert world.sqs.keys() == ["a.txt"]
    assert left[0] == pytest.approx(3, abs=1)


def test_folding_is_thought_of_after_each_commit_and_only_then(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"Trains leave at noon.")
    event = batch(json.dumps(notification("a.txt")))
    for asked in (1, 1):  # the second time it is unchanged
        assert failed_messages(handle(event)) == []
        assert world.folds.asked == asked
    del world.bucket.objects["a.txt"]
    assert failed_messages(handle(event)) == []
    assert world.folds.asked == 2
