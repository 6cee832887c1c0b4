"""Ingest counts what it did and logs what it decided, and nothing private in either."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from bucketwise.errors import BucketUnavailable, DatabaseUnavailable, MalformedEvent
from tests.unit.ingest_world import World, batch, handle, ingest_world
from tests.unit.test_events import notification

TEXT = b"Confidential: the gate code is 4711."
FOREIGN = "foreign text about private.txt"


class ForeignFailure(RuntimeError):
    """Raised by no code of this project."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ingest_world(monkeypatch) as given:
        yield given


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        directive = document["_aws"]["CloudWatchMetrics"][0]
        assert directive["Namespace"] == "Bucketwise"
        metrics |= {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
    return metrics


def test_an_indexed_document_is_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    handle(batch(json.dumps(notification("a.txt"))))
    metrics = emitted(capsys)
    assert metrics.pop("IngestLag")[0] > 0
    assert metrics == {
        "DocumentsIndexed": [1.0],
        "ChunksEmbedded": [1.0],
        "ChunksReused": [0.0],
        "EmbeddingTokens": [6.0],
        "CostUSD": [pytest.approx(6 * 0.02 / 1_000_000)],
    }


def test_a_failed_document_is_counted_and_an_unchanged_or_deleted_one_is_not(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"")
    handle(notification("a.txt", "gone.txt"))
    assert emitted(capsys) == {"DocumentsFailed": [1.0]}


def test_what_was_paid_for_is_counted_also_if_the_document_is_put_off(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"Confidential words come first. " * 3 + b"Refused words come last. " * 3)
    world.embedder.refused = "Refused"
    handle(batch(json.dumps(notification("a.txt"))))
    metrics = emitted(capsys)
    assert metrics.keys() == {"DocumentsPostponed", "ChunksEmbedded", "EmbeddingTokens", "CostUSD"}
    assert metrics["DocumentsPostponed"] == [1.0]
    assert metrics["EmbeddingTokens"][0] > 0


def test_what_an_earlier_look_embedded_is_not_counted_as_reused(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.bucket.objects["a.txt"] = ("v1", b"Confidential words come first. " * 3 + b"Refused words come last. " * 3)
    world.embedder.refused = "Refused"
    handle(batch(json.dumps(notification("a.txt"))))
    first = emitted(capsys)
    world.embedder.refused = None
    handle(batch(*world.put_off()))
    second = emitted(capsys)
    assert first["ChunksEmbedded"][0] > 0
    assert second["ChunksEmbedded"][0] > 0
    assert second["ChunksReused"] == [0.0]


def test_tokens_are_counted_also_if_what_they_paid_for_could_not_be_kept(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_vectors: object, **_: object) -> NoReturn:
        raise DatabaseUnavailable("the database did not answer, twice")

    monkeypatch.setattr(world.index, "add_embeddings", fail)
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    handle(batch(json.dumps(notification("a.txt"))))
    metrics = emitted(capsys)
    assert (metrics["ChunksEmbedded"], metrics["EmbeddingTokens"]) == ([0.0], [6.0])


def test_metrics_are_emitted_also_when_a_bare_event_raises(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    event = notification("a.txt", "b.txt")
    event["Records"][1]["s3"]["bucket"]["name"] = "others-bucket"
    with pytest.raises(MalformedEvent):
        handle(event)
    assert emitted(capsys)["DocumentsIndexed"] == [1.0]


def test_an_event_from_the_future_lags_by_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    event = notification("a.txt")
    event["Records"][0]["eventTime"] = "2999-01-01T00:00:00Z"
    handle(event)
    assert emitted(capsys)["IngestLag"] == [0.0]


def test_logs_tell_the_outcome_and_the_message_but_neither_key_nor_text(world: World) -> None:
    world.bucket.objects["private.txt"] = ("v1", TEXT)
    handle(batch(json.dumps(notification("private.txt")), json.dumps(notification("private-gone.txt"))))
    assert [line["outcome"] for line in world.lines()] == ["indexed", "deleted"]
    assert [line["correlation_id"] for line in world.lines()] == ["message-1", "message-2"]
    assert "private" not in world.log.getvalue()
    assert "Confidential" not in world.log.getvalue()


def test_a_foreign_error_is_logged_by_kind_and_place_without_its_text(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.bucket.error = ForeignFailure(FOREIGN)
    handle(batch(json.dumps(notification("private.txt"))))
    (line,) = world.lines()
    assert (line["error"], line.get("text"), line["receives"]) == ("ForeignFailure", None, "1")
    assert any(frame.startswith("pipeline.py:") for frame in line["frames"])
    assert "private" not in world.log.getvalue() + "".join(capsys.readouterr())


def test_an_error_of_ours_is_logged_with_its_text(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 403")
    handle(batch(json.dumps(notification("private.txt"))))
    assert [line.get("text") for line in world.lines()] == ["S3 answered 403", None]
    assert [line.get("outcome") for line in world.lines()] == [None, "postponed"]
    assert "private" not in world.log.getvalue()


def test_an_error_of_a_bare_event_is_logged_once(world: World) -> None:
    world.bucket.error = BucketUnavailable("S3 answered 403")
    with pytest.raises(BucketUnavailable):
        handle(notification("a.txt"))
    assert [line.get("text") for line in world.lines()] == ["S3 answered 403", None]


def test_a_malformed_message_is_logged_without_a_word_of_it(world: World) -> None:
    handle(batch('{"private": "Confidential"}'))
    assert [line["error"] for line in world.lines()] == ["MalformedEvent"]
    assert "private" not in world.log.getvalue()


def test_one_message_does_not_lend_its_correlation_to_the_next_invocation(world: World) -> None:
    world.bucket.objects["a.txt"] = ("v1", TEXT)
    handle(batch(json.dumps(notification("a.txt"))))
    handle(notification("a.txt"))
    assert [line.get("correlation_id") for line in world.lines()] == ["message-1", None]
