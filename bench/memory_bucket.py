"""A bucket in memory, for benchmarks that measure what comes after S3."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from ingest.bucket import ObjectFacts, StoredObject
from ingest.sidecar import Sidecar

STORED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MemoryBucket:
    """``objects``: key to text. The version of an object is its content's digest."""

    objects: Mapping[str, str]

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        text = self.objects.get(key)
        yield StoredObject(_facts(key, text.encode()), BytesIO(text.encode())) if text is not None else None

    def sidecar(self, _key: str) -> Sidecar | None:
        return None


def _facts(key: str, content: bytes) -> ObjectFacts:
    digest = hashlib.sha256(content).hexdigest()
    return ObjectFacts(key, digest, digest, len(content), None, STORED_AT, {})
