"""Every form in which AWS tells of a change of the bucket gives bucket, key and time, or MalformedEvent."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.errors import MalformedEvent
from bucketwise.ingest_queue import Errand
from ingest.events import ObjectChange, changes_in_event, changes_in_message

EVENTS = Path(__file__).parents[2] / "events"
TIME = datetime(2026, 3, 12, 8, 15, 2, tzinfo=UTC)

# What each sample event tells ingest; None stands for a message that is refused.
SAMPLES: dict[str, list[str | None]] = {
    "s3-put": ["handbook/employee-handbook.md"],
    "sqs-put": ["reports/annual-report-2025.pdf"],
    "sqs-put-spaces-and-plus": ["notices/Summer timetable 2+1.txt"],
    "sqs-delete": ["notices/Winter timetable 2025.txt"],
    "sqs-delete-marker": ["notices/Winter timetable 2025.txt"],
    "sqs-lifecycle-expiration": ["minutes/2024-11-19 operations meeting.txt"],
    "sqs-test-event": [],
    "sqs-eventbridge-put": ["notices/Summer timetable 2+1.txt"],
    "eventbridge-put": ["notices/Reisegepäck und Fahrräder.md"],
    "eventbridge-delete": ["notices/Winter timetable 2025.txt"],
}
BATCHES = {"sqs-batch": [True, True, True], "sqs-batch-one-bad": [True, False, True]}


def notification(*keys: str, bucket: str = "documents") -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventTime": "2026-03-12T08:15:02.000Z",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
            }
            for key in keys
        ]
    }


def eventbridge(key: str) -> dict[str, Any]:
    return {
        "source": "aws.s3",
        "time": "2026-03-12T08:15:02Z",
        "detail": {"bucket": {"name": "documents"}, "object": {"key": key}},
    }


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def is_understood(body: str) -> bool:
    try:
        return bool(changes_in_message(body))
    except MalformedEvent:
        return False


def test_a_notification_tells_of_bucket_key_and_time() -> None:
    assert changes_in_event(notification("a.md")) == [ObjectChange("documents", "a.md", TIME)]


def test_a_notification_of_several_records_tells_of_each_in_order() -> None:
    keys = [change.key for change in changes_in_event(notification("b.md", "a.md", "b.md"))]
    assert keys == ["b.md", "a.md", "b.md"]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("red+flower.jpg", "red flower.jpg"),
        ("2%2B1.txt", "2+1.txt"),
        ("100%25.txt", "100%.txt"),
        ("100%2525.txt", "100%25.txt"),
        ("a%2Fb/c.md", "a/b/c.md"),
        ("Fahrr%C3%A4der.md", "Fahrräder.md"),
        ("%E6%97%A5%E6%9C%AC.md", "日本.md"),
        ("%F0%9F%9A%82.txt", "🚂.txt"),
    ],
)
def test_a_key_of_a_notification_is_decoded_once(encoded: str, key: str) -> None:
    assert changes_in_event(notification(encoded))[0].key == key


@given(st.text(min_size=1).filter(lambda key: key.isprintable()))
def test_any_key_that_s3_encodes_comes_back(key: str) -> None:
    assert changes_in_event(notification(quote_plus(key, safe="/")))[0].key == key


@pytest.mark.parametrize("event", [notification("a%00b.txt"), eventbridge("a\0b.txt")])
def test_a_key_that_postgresql_cannot_keep_is_malformed(event: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent, match="NUL"):
        changes_in_event(event)


def test_a_key_that_is_no_unicode_is_malformed() -> None:
    with pytest.raises(MalformedEvent):
        changes_in_message(json.dumps(eventbridge("\ud800.txt")))


def test_a_message_of_ours_has_an_errand_and_one_of_s3_has_none() -> None:
    event = notification("a.md")
    assert changes_in_event(event)[0].errand == Errand()
    event["Records"][0]["bucketwise"] = {"tries": 3, "ended": 7, "again": True}
    assert changes_in_event(event)[0].errand == Errand(tries=3, ended=7, again=True)


@pytest.mark.parametrize("errand", [None, [], "SECRET", {"tries": "SECRET"}, {"ended": {}}])
def test_an_errand_of_another_form_is_malformed(errand: object) -> None:
    event = notification("a.md")
    event["Records"][0]["bucketwise"] = errand
    with pytest.raises(MalformedEvent) as raised:
        changes_in_event(event)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("key", ["2+1.txt", "a b.txt", "100%25.txt", "Fahrräder.md"])
def test_a_key_of_an_eventbridge_event_is_taken_as_it_is(key: str) -> None:
    assert changes_in_event(eventbridge(key)) == [ObjectChange("documents", key, TIME)]
    assert changes_in_message(json.dumps(eventbridge(key))) == [ObjectChange("documents", key, TIME)]


@pytest.mark.parametrize("event", [notification("a+b.pdf.metadata.json"), eventbridge("a b.pdf.metadata.json")])
def test_a_sidecar_tells_of_the_document_that_it_describes(event: dict[str, Any]) -> None:
    assert [change.key for change in changes_in_event(event)] == ["a b.pdf"]


def test_the_test_event_of_s3_tells_of_no_change() -> None:
    assert changes_in_message('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "documents"}') == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON: SECRET",
        '"SECRET"',
        '["SECRET"]',
        "null",
        "{}",
        '{"Records": "SECRET"}',
        '{"Records": [{"SECRET": 1}]}',
        '{"Records": [{"eventTime": "SECRET", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}',
        '{"Records": [{"eventTime": "2026-03-12T08:15:02Z", "s3": {"bucket": {"name": "b"}, "object": {"key": ""}}}]}',
        '{"Records": [{"eventTime": "2026-03-12T08:15:02Z", "s3": {"object": {"key": "SECRET"}}}]}',
        '{"source": "aws.s3", "detail": {"object": {"key": "SECRET"}}}',
        '{"source": "aws.SECRET", "time": "2026-03-12T08:15:02Z"}',
        '{"a":' * 100_000,
        "[" * 100_000,
    ],
    ids=lambda body: body[:40],
)
def test_anything_else_is_malformed_and_none_of_it_is_repeated(body: str) -> None:
    with pytest.raises(MalformedEvent) as raised:
        changes_in_message(body)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    assert raised.value.__cause__ is None


def test_one_malformed_record_spoils_its_whole_message() -> None:
    event = notification("a.md", "b.md")
    del event["Records"][1]["s3"]
    with pytest.raises(MalformedEvent):
        changes_in_event(event)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_event_tells_of_its_object(name: str) -> None:
    event = sample(name)
    if name.startswith("sqs-"):
        changes = [change for record in event["Records"] for change in changes_in_message(record["body"])]
    else:
        changes = changes_in_event(event)
    assert [change.key for change in changes] == SAMPLES[name]
    assert {change.bucket for change in changes} <= {"bucketwise-documents"}


@pytest.mark.parametrize("name", BATCHES)
def test_a_sample_batch_is_malformed_just_where_it_should_be(name: str) -> None:
    assert [is_understood(record["body"]) for record in sample(name)["Records"]] == BATCHES[name]


def test_every_sample_event_for_ingest_is_tried_here() -> None:
    rows = (EVENTS / "README.md").read_text(encoding="utf-8").splitlines()
    for_ingest = {row.split("`")[1].removesuffix(".json") for row in rows if "| ingest |" in row}
    assert for_ingest == SAMPLES.keys() | BATCHES.keys()
