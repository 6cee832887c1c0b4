"""What happened to the bucket, from the three forms in which AWS may tell it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from pydantic import BaseModel, Field, ValidationError

from bucketwise.errors import MalformedEvent
from bucketwise.ingest_queue import Errand
from ingest.sidecar import document_key


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """A hint that the document ``key`` changed at ``time``, or its sidecar. What it is now, only the bucket knows."""

    bucket: str
    key: str
    time: datetime
    errand: Errand = field(default_factory=Errand)


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str = Field(min_length=1)


class _S3(BaseModel):
    bucket: _Bucket
    object: _Object


class _NotificationRecord(BaseModel):
    eventTime: datetime  # noqa: N815  # AWS's name
    s3: _S3
    bucketwise: Errand = Errand()


class _Notification(BaseModel):
    Records: list[_NotificationRecord]


class _EventBridgeEvent(BaseModel):
    time: datetime
    detail: _S3


def changes_in_message(body: str) -> list[ObjectChange]:
    """The changes that one SQS message tells of. Raises MalformedEvent."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedEvent("a message's body is not JSON") from None
    if not isinstance(event, dict):
        raise MalformedEvent("a message's body is not an object")
    return changes_in_event(event)


def changes_in_event(event: Mapping[str, Any]) -> list[ObjectChange]:
    """The changes that an S3 notification or an EventBridge event of S3 tells of; none for S3's test event.

    Keys are form-encoded in S3 notifications (a space is a plus sign), and plain in EventBridge events.
    Raises MalformedEvent for anything else.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        changes = _changes(event)
    except ValidationError:
        raise MalformedEvent("an event is neither an S3 notification nor an EventBridge event of S3") from None
    if any("\0" in change.key for change in changes):
        raise MalformedEvent("a key holds the character NUL, which PostgreSQL cannot keep")
    return changes


def _changes(event: Mapping[str, Any]) -> list[ObjectChange]:
    if event.get("source") == "aws.s3":
        told = _EventBridgeEvent.model_validate(event)
        return [ObjectChange(told.detail.bucket.name, document_key(told.detail.object.key), told.time)]
    return [
        ObjectChange(
            record.s3.bucket.name,
            document_key(unquote_plus(record.s3.object.key)),
            record.eventTime,
            record.bucketwise,
        )
        for record in _Notification.model_validate(event).Records
    ]
