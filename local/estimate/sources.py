"""Where the files come from: a folder, or a bucket."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bucketwise.errors import BucketUnavailable
from ingest.bucket import ObjectFacts, S3Bucket, StoredObject
from ingest.sidecar import is_sidecar
from local.watched_folder import content_type


class Source(Protocol):
    def keys(self) -> Iterator[str]:
        """Of documents, and not of what describes them. Raises BucketUnavailable."""

    def open(self, key: str) -> AbstractContextManager[StoredObject | None]:
        """None for what is no document, as a folder's mark. Raises BucketUnavailable."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The files of a folder, under the keys that a copy of it in a bucket would have; hidden ones are left out."""

    folder: Path

    def keys(self) -> Iterator[str]:
        for parent, folders, names in os.walk(self.folder, onerror=_cannot_list):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(parent) / name
                key = path.relative_to(self.folder).as_posix()
                if not name.startswith(".") and path.is_file() and not is_sidecar(key):
                    yield key

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        try:
            key.encode()
            file = (self.folder / key).open("rb")
        except UnicodeEncodeError:
            raise BucketUnavailable("its name is not UTF-8") from None
        except OSError as error:
            raise BucketUnavailable(error.strerror or type(error).__name__) from None
        with file:
            found = os.fstat(file.fileno())
            modified = datetime.fromtimestamp(found.st_mtime, UTC)
            yield StoredObject(ObjectFacts(key, None, "", found.st_size, content_type(key), modified, {}), file)


@dataclass(frozen=True, slots=True)
class BucketSource:
    """The current versions of a bucket's objects. ``client`` is boto3's S3 client."""

    client: Any
    name: str
    prefix: str

    def keys(self) -> Iterator[str]:
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix):
                yield from (item["Key"] for item in page.get("Contents", []) if not is_sidecar(item["Key"]))
        except (BotoCoreError, ClientError) as error:
            raise BucketUnavailable(str(error)) from None

    def open(self, key: str) -> AbstractContextManager[StoredObject | None]:
        return S3Bucket(self.client, self.name, self.prefix).open(key)


def _cannot_list(error: OSError) -> None:
    raise BucketUnavailable(f"{error.filename}: {error.strerror}") from None
