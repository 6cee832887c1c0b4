"""What the handler cannot do now it sends again, and is done with the message that told of it."""

import json
from collections.abc import Iterator
from typing import NoReturn

import pytest
from botocore.exceptions import EndpointConnectionError

from bucketwise.errors import (
    BucketUnavailable,
    BucketwiseError,
    DatabaseUnavailable,
    InvalidSettings,
    ModelUnavailable,
    SecretUnavailable,
)
from bucketwise.models import DocumentState
from ingest import composition, handler
from ingest.events import changes_in_message
from tests.unit.ingest_world import Context, World, batch, failed_messages, handle, ingest_world
from tests.unit.test_events import TIME, notification

TEXT = b"Trains leave at noon."


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ingest_world(monkeypatch) as given:
        yield given


def test_what_cannot_be_done_now_is_put_off_and_its_message_is_done_with(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    event = batch(*(json.dumps(notification(key)) for key in ("a.txt", "b+c.txt")))
    assert failed_messages(handle(event)) == []
    assert world.sqs.keys() == ["a.txt", "b c.txt"]
    assert all(0 < delay <= 5 for _, delay in world.sqs.sent)
    assert {key: note[:2] for key, note in world.notes.waiting.items()} == {
        "a.txt": (1, "bucket_unavailable"),
        "b c.txt": (1, "bucket_unavailable"),
    }


def test_what_was_put_off_comes_back_as_the_same_change(world: World) -> None:
    world.bucket.objects["a b.txt"] = ("v1", TEXT)
    world.bucket.error = BucketUnavailable("S3 answered 503")
    handle(batch(json.dumps(notification("a+b.txt"))))
    handle(batch(*world.put_off()))
    world.bucket.error = None
    handle(batch(world.put_off()[-1]))
    first, second = (changes_in_message(body)[0] for body in world.put_off())
    assert (first.bucket, first.key, first.time) == ("documents", "a b.txt", TIME)
    assert (first.errand.tries, second.errand.tries) == (1, 2)
    assert (second.bucket, second.key, second.time) == (first.bucket, first.key, first.time)
    assert world.index.rows["a b.txt"].texts == [TEXT.decode()]


def test_a_look_that_was_put_off_does_not_count_as_a_lost_worker(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    world.embedder.refused = "Trains"
    message = json.dumps(notification("a.txt"))
    for _ in range(5):
        handle(batch(message))
        message = world.put_off()[-1]
        world.index.let_attempts_lapse()
    world.embedder.refused = None
    handle(batch(message))
    assert world.index.rows["a.txt"].state is DocumentState.INDEXED


def test_nor_does_a_bare_event_that_lambda_tries_again(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    world.embedder.refused = "Trains"
    for _ in range(5):
        with pytest.raises(ModelUnavailable):
            handle(notification("a.txt"))
        world.index.let_attempts_lapse()
    world.embedder.refused = None
    handle(notification("a.txt"))
    assert world.index.rows["a.txt"].state is DocumentState.INDEXED


def test_a_message_that_the_queue_does_not_take_back_is_not_done_with(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    world.sqs.failure = EndpointConnectionError(endpoint_url="https://queue.test")
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == ["message-1"]


def test_a_note_that_cannot_be_made_keeps_no_message(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 503")
    world.notes.failure = DatabaseUnavailable("the database did not answer, twice")
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == []
    assert world.sqs.keys() == ["a.txt"]


@pytest.mark.parametrize("part", ["settings", "ingest_pipeline"])
@pytest.mark.parametrize("error", [InvalidSettings("TOP_K: wrong"), SecretUnavailable("a secret could not be read")])
def test_while_the_function_cannot_be_set_up_everything_is_put_off(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str, error: BucketwiseError
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(handler, part, fail)
    assert failed_messages(handle(batch(json.dumps(notification("a.txt"))))) == []
    assert [changes_in_message(body)[0].bucket for body in world.put_off()] == ["documents"]
    assert world.lines()[0]["text"] == str(error)
    with pytest.raises(type(error)):
        handle(notification("a.txt"))


def test_a_look_that_would_begin_late_in_a_batch_is_put_off(world: World) -> None:
    world.bucket.objects |= dict.fromkeys(("a.txt", "b.txt", "c.txt"), ("v1", TEXT))
    context = Context(seconds=handler.RESERVE_SECONDS + 2)
    world.bucket.slow = {"a.txt": 1.2}  # seconds, more than half of what there is
    event = batch(*(json.dumps(notification(key)) for key in ("a.txt", "b.txt", "c.txt")))
    assert failed_messages(handle(event, context)) == []
    assert world.index.rows.keys() == {"a.txt"}
    assert world.sqs.keys() == ["b.txt", "c.txt"]
    assert world.index.last_claim == 1


def test_messages_are_put_off_when_no_time_is_left(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    reply = handle(batch(json.dumps(notification("a.txt"))), Context(seconds=handler.RESERVE_SECONDS))
    assert failed_messages(reply) == []
    assert world.sqs.keys() == ["a.txt"]
    assert world.index.rows == {}


@pytest.fixture
def uncached() -> Iterator[None]:
    yield
    composition.postponement.cache_clear()


@pytest.mark.usefixtures("uncached")
def test_the_queue_is_known_also_while_other_settings_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"QUEUE_URL": "https://queue.test", "TOP_K": "many", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings):
        composition.settings()
    queue = composition.postponement().queue_of("documents")
    assert (queue.url, queue.bucket) == ("https://queue.test", "documents")


@pytest.mark.usefixtures("uncached")
def test_without_a_queue_nothing_can_be_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_URL", "")
    with pytest.raises(InvalidSettings, match="QUEUE_URL"):
        composition.postponement()
