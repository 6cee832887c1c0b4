"""Versioned buckets that can be changed at will: one in memory, and the twin's S3 over HTTP."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from threading import Lock
from typing import Protocol

from ingest.bucket import ObjectFacts, S3Bucket, StoredObject
from ingest.differences import ListedObject
from ingest.listing import BucketListing
from ingest.reconcile import Listing
from ingest.sidecar import SUFFIX, Sidecar
from local.storage.client import Storage

NAME = "chaos-documents"


@dataclass(frozen=True, slots=True)
class Version:
    """``text`` is None for a delete marker."""

    id: str
    text: str | None
    stored_at: datetime

    @property
    def content(self) -> bytes:
        return (self.text or "").encode()

    @property
    def etag(self) -> str:
        return _etag(self.content)


class ChaosBucket(Protocol):
    """A versioned bucket, as the one who changes it and the one who checks it see it."""

    def put(self, key: str, text: str) -> None: ...
    def delete(self, key: str) -> None:
        """Puts a delete marker on top, also of nothing and of another marker."""

    def delete_version(self, key: str, version: str) -> None:
        """Removes a version or a marker for good; what is below it becomes current."""

    def newest(self, key: str) -> tuple[str, bool] | None:
        """Id of the version on top, and whether it is a delete marker."""

    def contents(self) -> dict[str, tuple[str, str]]:
        """Version id and text of every object that has a current version."""

    def reader(self) -> "BucketPort":
        """What one worker reads through."""

    def listing(self) -> Listing:
        """What a reconciliation reads through."""


class BucketPort(Protocol):
    def open(self, key: str) -> AbstractContextManager[StoredObject | None]: ...
    def sidecar(self, key: str) -> Sidecar | None: ...


class VersionedMemoryBucket:
    """Every operation takes the same time, however many versions there are."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, Version]] = {}
        self._numbers = count(1)
        self._lock = Lock()

    def put(self, key: str, text: str) -> None:
        self._add(key, text)

    def delete(self, key: str) -> None:
        self._add(key, None)

    def delete_version(self, key: str, version: str) -> None:
        with self._lock:
            self._versions.get(key, {}).pop(version, None)

    def newest(self, key: str) -> tuple[str, bool] | None:
        top = self._top(key)
        return (top.id, top.text is None) if top is not None else None

    def contents(self) -> dict[str, tuple[str, str]]:
        tops = {key: self._top(key) for key in list(self._versions)}
        return {key: (top.id, top.text) for key, top in tops.items() if top is not None and top.text is not None}

    def reader(self) -> BucketPort:
        return self

    def listing(self) -> Listing:
        return self

    def after(self, key: str) -> Iterator[ListedObject]:
        for name in sorted(name for name in list(self._versions) if name > key):
            top = self._top(name)
            if top is not None:
                size, etag = len(top.content), top.etag
                yield ListedObject(name, top.id, etag, size, top.stored_at, present=top.text is not None)

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        top = self._top(key)
        if top is None or top.text is None:
            yield None
            return
        facts = ObjectFacts(key, top.id, top.etag, len(top.content), None, top.stored_at, {})
        yield StoredObject(facts, BytesIO(top.content))

    def sidecar(self, key: str) -> Sidecar | None:
        top = self._top(f"{key}{SUFFIX}")
        return Sidecar(top.etag, top.content) if top is not None and top.text is not None else None

    def _add(self, key: str, text: str | None) -> None:
        with self._lock:
            version = Version(f"v{next(self._numbers)}", text, datetime.now(UTC))
            self._versions.setdefault(key, {})[version.id] = version

    def _top(self, key: str) -> Version | None:
        with self._lock:
            return next(reversed(self._versions.get(key, {}).values()), None)


class HttpBucket:
    """The twin's S3, read by the product's own S3Bucket. What was put is kept here too: to ask for it takes long."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._s3 = storage.s3
        self._versions: dict[str, list[tuple[str, str | None]]] = {}
        storage.create_bucket(NAME)

    def put(self, key: str, text: str) -> None:
        self._add(key, self._s3.put_object(Bucket=NAME, Key=key, Body=text.encode()), text)

    def delete(self, key: str) -> None:
        self._add(key, self._s3.delete_object(Bucket=NAME, Key=key), None)

    def delete_version(self, key: str, version: str) -> None:
        self._s3.delete_object(Bucket=NAME, Key=key, VersionId=version)
        self._versions[key] = [entry for entry in self._versions[key] if entry[0] != version]

    def newest(self, key: str) -> tuple[str, bool] | None:
        top = self._top(key)
        return (top[0], top[1] is None) if top is not None else None

    def contents(self) -> dict[str, tuple[str, str]]:
        """Raises AssertionError if S3 does not list what was put."""
        tops = {key: self._top(key) for key in self._versions}
        current = {key: (top[0], top[1]) for key, top in tops.items() if top is not None and top[1] is not None}
        listed = {
            entry["Key"]: entry["ETag"].strip('"')
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=NAME)
            for entry in page.get("Contents", [])
        }
        if listed != {key: _etag(text.encode()) for key, (_, text) in current.items()}:
            raise AssertionError("S3 lists other objects than were put")
        return current

    def _add(self, key: str, reply: dict[str, str], text: str | None) -> None:
        if "VersionId" in reply:  # moto makes no marker where nothing was
            self._versions.setdefault(key, []).append((reply["VersionId"], text))

    def _top(self, key: str) -> tuple[str, str | None] | None:
        return next(reversed(self._versions.get(key, [])), None)

    def reader(self) -> BucketPort:
        return S3Bucket(self._storage.client("s3"), NAME)

    def listing(self) -> Listing:
        return BucketListing(self._s3, NAME)


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
