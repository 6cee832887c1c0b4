"""Mirrors a folder to a bucket, one way: a file saved, changed or removed becomes a put or a delete."""

import json
import mimetypes
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

POLL_SECONDS = 0.5
_LONGEST_KEY = 1024  # bytes of UTF-8
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", "~")
_OWNER_FILE = "~$"  # what office programs keep beside an open document
_TYPES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".rst": "text/x-rst",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Signature(NamedTuple):
    """What tells one content of a file from another without reading it."""

    mtime_ns: int
    size: int


@dataclass
class Synced:
    """The keys that one look at the folder sent and removed."""

    sent: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class WatchedFolder:
    """Keys are paths below ``folder`` with "/". Objects that did not come from it are left alone.

    ``state``: JSON file that remembers what was sent, so that a deletion while nobody watched is noticed
    and nothing is sent twice; None forgets.
    """

    def __init__(self, folder: Path, bucket: str, s3_client: Any, state: Path | None) -> None:
        self._folder = folder.resolve()
        self._bucket = bucket
        self._s3 = s3_client
        self._state = state
        self._sent: dict[str, Signature] | None = None  # unknown until the bucket was listed
        self._seen: dict[str, Signature] = {}
        self._warned: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Looks again and again until ``stop`` is set. A bucket out of reach is tried again."""
        while not stop.is_set():
            try:
                self.sync_once()
            except (BotoCoreError, ClientError) as error:
                self._warn(f"cannot reach the bucket {self._bucket}: {error}")
            stop.wait(POLL_SECONDS)

    def sync_once(self) -> Synced:
        """One look. A file is sent when two looks in a row found it the same: it is not half written."""
        synced = Synced()
        found, complete = self._scan()
        if self._sent is None:
            self._sent = self._recall()
        for key, signature in found.items():
            settled = self._seen.get(key) == signature
            if settled and self._sent.get(key) != signature and self._send(key, signature):
                self._sent[key] = signature
                synced.sent.append(key)
        if complete:  # a folder that could not be read has not lost its files
            synced.removed = [key for key in sorted(self._sent) if key not in found]
            for key in synced.removed:
                self._s3.delete_object(Bucket=self._bucket, Key=key)
                del self._sent[key]
        self._seen = found
        if synced.sent or synced.removed:
            self._remember()
        return synced

    def _scan(self) -> tuple[dict[str, Signature], bool]:
        unreadable: list[OSError] = []
        found: dict[str, Signature] = {}
        if not self._folder.is_dir():
            return found, False
        for parent, folders, names in os.walk(self._folder, onerror=unreadable.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for path in self._documents(Path(parent), sorted(names)):
                try:
                    facts = path.stat()
                except OSError:
                    continue  # gone since the folder was read, or a link to nothing
                found[path.relative_to(self._folder).as_posix()] = Signature(facts.st_mtime_ns, facts.st_size)
        for error in unreadable:
            self._warn(f"cannot read the folder {error.filename}: {error.strerror}")
        return found, not unreadable

    def _documents(self, parent: Path, names: list[str]) -> Iterator[Path]:
        for name in names:
            path = parent / name
            if name.startswith((".", _OWNER_FILE)) or name.lower().endswith(_UNFINISHED):
                continue
            key = os.fsencode(path.relative_to(self._folder))
            if len(key) > _LONGEST_KEY:
                self._warn(f"skipped, S3 takes no key longer than {_LONGEST_KEY} bytes: {path}")
            elif not _is_text(key):
                self._warn(f"skipped, its name is not UTF-8: {key!r}")
            elif path.is_file() and path.resolve().is_relative_to(self._folder):
                yield path

    def _send(self, key: str, signature: Signature) -> bool:
        try:
            with (self._folder / key).open("rb") as file:
                content = file.read()
                facts = os.fstat(file.fileno())
        except FileNotFoundError:
            return False
        except OSError as error:
            self._warn(f"cannot read {key}: {error.strerror}")
            return False
        if Signature(facts.st_mtime_ns, len(content)) != signature:
            return False  # it is being written: look again
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type(key))
        return True

    def _recall(self) -> dict[str, Signature]:
        """What was sent before and is still in the bucket: the bucket may have been emptied since."""
        try:
            remembered = json.loads(self._state.read_bytes()) if self._state is not None else {}
            sent = {key: Signature(*facts) for key, facts in remembered.get(self._bucket, {}).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            self._warn(f"{self._state} cannot be read: every file is sent again")
            return {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        stored = {item["Key"] for page in pages for item in page.get("Contents", [])}
        return {key: signature for key, signature in sent.items() if key in stored}

    def _remember(self) -> None:
        if self._state is None:
            return
        self._state.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._state.with_name(f"{self._state.name}.{os.getpid()}.tmp")
        unfinished.write_text(json.dumps({self._bucket: self._sent}), encoding="utf-8")
        unfinished.replace(self._state)

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            print(f"watched folder: {text}", file=sys.stderr)


def content_type(key: str) -> str:
    """The media type that the name promises; does not depend on the machine's own tables."""
    suffix = Path(key).suffix.lower()
    guessed, _ = mimetypes.MimeTypes().guess_type(f"name{suffix}")
    return _TYPES.get(suffix) or guessed or "application/octet-stream"


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
