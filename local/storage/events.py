"""S3 event messages as AWS documents them ("Event message structure", "Lifecycle event notifications")."""

import base64
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

_EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"  # what S3 gives as eTag of a delete marker
_CONFIGURATION = "bucketwise-twin"
_LIFECYCLE = "s3.amazonaws.com"  # who acts, and from where, when S3 itself expires an object


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one key. ``name``: an event type without its "s3:"."""

    name: str
    key: str
    size: int | None = None  # bytes; None when nothing was stored
    etag: str | None = None
    version_id: str | None = None  # None in a bucket without versions

    @classmethod
    def marker(cls, name: str, key: str, version_id: str) -> "Change":
        return cls(name, key, etag=_EMPTY_MD5, version_id=version_id)


class Sequencer:
    """16 hexadecimal digits, greater at every call and after a restart."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:016X}"


def event_message(change: Change, *, bucket: str, region: str, source_ip: str, sequencer: str) -> dict[str, Any]:
    """The body of one message: one record, key form-encoded, fields without a value left out."""
    lifecycle = change.name.startswith("LifecycleExpiration:")
    stored = {
        "key": quote_plus(change.key, safe="/"),
        "size": change.size,
        "eTag": change.etag,
        "versionId": change.version_id,
        "sequencer": sequencer,
    }
    record = {
        "eventVersion": "2.3" if lifecycle else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": _now(),
        "eventName": change.name,
        "userIdentity": {"principalId": _LIFECYCLE if lifecycle else "AWS:AIDALOCALTWIN"},
        "requestParameters": {"sourceIPAddress": _LIFECYCLE if lifecycle else source_ip},
        "responseElements": {"x-amz-request-id": _request_id(), "x-amz-id-2": _host_id()},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": _CONFIGURATION,
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "ALOCALTWIN"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {name: value for name, value in stored.items() if value is not None},
        },
    }
    return {"Records": [record]}


def set_up_message(bucket: str) -> dict[str, Any]:
    """What S3 sends when a notification is set up: no Records."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _now(),
        "Bucket": bucket,
        "RequestId": _request_id(),
        "HostId": _host_id(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request_id() -> str:
    return secrets.token_hex(8).upper()


def _host_id() -> str:
    return base64.b64encode(secrets.token_bytes(48)).decode()
