"""Buckets, objects with their version ids, queues and notifications in one file, for the next start.

First line: JSON with the format, moto's version and the SHA-256 of the rest. Rest: a pickle of moto's own
objects, which is why another version of moto starts empty instead of half reading it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pickle  # of this program's own file, checked against its hash first
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import moto
from moto.s3.models import s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.sqs.models import sqs_backends

from local.storage.notifications import Target
from local.storage.queues import ACCOUNT, REGION, STATE_LOCK

_FORMAT = 1
_QUIET = 0.5  # seconds between a change and its saving, so that a burst is saved once
_ENDING_PATIENCE = 10.0  # seconds for the server of a twin that has just been killed to finish
_SHARE = 10  # at most a tenth of the time is spent saving, however large the buckets are

Targets = dict[str, Target]


class StateInUse(RuntimeError):
    """Another server works on the same state file."""


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, threading.Condition):
            return threading.Condition, ()
        if isinstance(value, _VersionedKeyStore):  # its items() gives the latest versions only
            return _key_store, ([(key, value.getlist(key)) for key in value],)
        return NotImplemented


def _key_store(lists: list[tuple[str, list[Any]]]) -> _VersionedKeyStore:
    store = _VersionedKeyStore()
    for key, versions in lists:
        store.setlist(key, versions)
    return store


def save(path: Path, targets: Targets) -> None:
    """Writes the whole state and swaps it in at once."""
    buffer = BytesIO()
    with STATE_LOCK:
        state = {
            "s3": vars(s3_backends[ACCOUNT]["aws"]),
            "owners": s3_backends.bucket_accounts,
            "queues": sqs_backends[ACCOUNT][REGION].queues,
            "targets": targets,
        }
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(state)
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    header = {"format": _FORMAT, "moto": moto.__version__, "sha256": digest}
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(buffer.getbuffer())
    unfinished.replace(path)


def load(path: Path) -> Targets:
    """Restores the state; a file that cannot be read is put aside with a warning, and nothing is restored."""
    try:
        header, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return {}
    reason = _unreadable(header, body)
    if reason is not None:
        aside = path.with_name(f"{path.name}.unreadable-{time.time_ns()}")
        path.replace(aside)
        print(f"warning: {path}: {reason}; kept as {aside.name}, starting empty", file=sys.stderr)
        return {}
    state = pickle.loads(body)  # noqa: S301
    vars(s3_backends[ACCOUNT]["aws"]).update(state["s3"])
    s3_backends.bucket_accounts.update(state["owners"])
    sqs_backends[ACCOUNT][REGION].queues.update(state["queues"])
    targets: Targets = state["targets"]
    return targets


def _unreadable(header: bytes, body: bytes) -> str | None:
    try:
        facts = json.loads(header)
        written_by = (facts["format"], facts["moto"])
        digest = facts["sha256"]
    except (ValueError, KeyError, TypeError):
        return "is no state file"
    if written_by != (_FORMAT, moto.__version__):
        return f"was written by moto {written_by[1]}, this is {moto.__version__}"
    if hashlib.sha256(body).hexdigest() != digest:
        return "is damaged"
    return None


@contextlib.contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Keeps a second server off the file; waits for one that is ending. Raises StateInUse."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _ENDING_PATIENCE
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StateInUse(f"another server uses {path}") from None
                time.sleep(0.05)
        yield


class Saver:
    """Saves in the background soon after each change, and once more when closed."""

    def __init__(self, save_state: Callable[[], None]) -> None:
        self._save = save_state
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver")

    def start(self) -> None:
        self._thread.start()

    def changed(self) -> None:
        self._changed.set()

    def close(self) -> None:
        self._closing.set()
        self._changed.set()
        self._thread.join()
        self._save()

    def _run(self) -> None:
        pause = _QUIET
        while self._changed.wait() and not self._closing.wait(pause):
            self._changed.clear()
            began = time.monotonic()
            try:
                self._save()
            except OSError as error:  # a full disk: the next change, or the end, tries again
                print(f"warning: the state was not saved: {error}", file=sys.stderr)
            pause = max(_QUIET, (time.monotonic() - began) * _SHARE)
