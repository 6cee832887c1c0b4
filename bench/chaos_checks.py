"""Compares the index with the bucket, and reads documents while they change."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection

from bench.chaos_texts import chunks_of, is_whole
from ingest.sidecar import Metadata, document_key, is_sidecar

READERS = 2
PAUSE = 0.005  # seconds between a reader's reads

# One statement, so one snapshot: what it returns has been the index at some moment.
ONE = """
    SELECT d.state, d.version, d.chunks, d.metadata, ARRAY(
        SELECT c.text FROM bucketwise.chunks c WHERE (c.tenant, c.key) = (d.tenant, d.key) ORDER BY c.ordinal)
    FROM bucketwise.documents d WHERE d.tenant = %s AND d.key = %s"""

ALL = """
    SELECT d.key, d.state, d.version, d.chunks, d.metadata, ARRAY(
        SELECT c.text FROM bucketwise.chunks c WHERE (c.tenant, c.key) = (d.tenant, d.key) ORDER BY c.ordinal)
    FROM bucketwise.documents d WHERE d.tenant = %s"""

ORPHANS = "SELECT DISTINCT key FROM bucketwise.chunks WHERE tenant = %s EXCEPT SELECT key FROM bucketwise.documents"


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index holds of one document; ``counted`` is how many chunks its row speaks of."""

    state: str
    version: str | None
    counted: int
    metadata: Metadata
    chunks: tuple[str, ...]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        state, version, counted, metadata, chunks = row
        return cls(state, version, counted, metadata, tuple(chunks))

    @property
    def is_one_version(self) -> bool:
        if self.state != "indexed":
            return not self.chunks
        return len(self.chunks) == self.counted and is_whole(self.chunks)


def expected(version: str, text: str, sidecar: str | None = None) -> Indexed:
    """``sidecar`` is its text, if there is one."""
    try:
        metadata = json.loads(sidecar or "{}")
    except ValueError:
        return Indexed("failed", version, 0, {}, ())
    if not text:
        return Indexed("failed", version, 0, metadata, ())
    chunks = chunks_of(text)
    return Indexed("indexed", version, len(chunks), metadata, chunks)


def differing_keys(connection: Connection, tenant: str, contents: dict[str, tuple[str, str]]) -> set[str]:
    """Keys under which the index is not what the bucket holds, chunk for chunk."""
    gone = Indexed("deleted", None, 0, {}, ())
    sidecars = {document_key(key): text for key, (_, text) in contents.items() if is_sidecar(key)}
    wanted = {
        key: expected(version, text, sidecars.get(key))
        for key, (version, text) in contents.items()
        if not is_sidecar(key)
    }
    held = {row[0]: Indexed.of(row[1:]) for row in connection.execute(ALL, (tenant,))}
    orphans = {row[0] for row in connection.execute(ORPHANS, (tenant,))}
    return orphans | {key for key in wanted | held if held.get(key, gone) != wanted.get(key, gone)}


class Readers:
    """Read documents at random until they are left; ``mixed`` counts those that were not one whole version."""

    def __init__(self, dsn: str, tenant: str, keys: Sequence[str], random: Random) -> None:
        self._dsn = dsn
        self._tenant = tenant
        self._keys = keys
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(Random(random.random()),), name=f"reader {number}")
            for number in range(READERS)
        ]
        self._lock = threading.Lock()
        self.reads = 0
        self.mixed = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _read(self, random: Random) -> None:
        with psycopg.connect(self._dsn, autocommit=True, prepare_threshold=0) as connection:
            while not self._ended.is_set():
                row = connection.execute(ONE, (self._tenant, random.choice(self._keys))).fetchone()
                mixed = row is not None and not Indexed.of(row).is_one_version
                with self._lock:
                    self.reads += 1
                    self.mixed += mixed
                time.sleep(PAUSE)
