"""Where scenarios play: an object of a bucket, an index on PostgreSQL, and looks that are taken a step at a time."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import md5
from typing import Any
from uuid import uuid4

from psycopg import Connection

from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from ingest.bucket import ObjectFacts
from ingest.index import DocumentIndex
from ingest.protocol import Decisions, Standing
from ingest.receipts import EmbeddingReceipt
from ingest.sidecar import Sidecar
from ingest.swap import Committed
from ingest.vectors import VectorTable, text_digest
from tests.integration.index_database import DIMENSIONS, IndexDatabase, connected, settings_for
from tests.protocol.design_index import index_for_look
from tests.protocol.mutants import Design
from tests.unit.ingest_fakes import MODIFIED, SOON, Listed, chunks_of, document_of

IMPATIENT = "SELECT set_config('lock_timeout', '500ms', false)"


@dataclass(frozen=True, slots=True)
class Upload:
    facts: ObjectFacts
    texts: tuple[str, ...]


@dataclass(slots=True)
class BucketObject:
    """One key and its versions, the newest last; None is a delete marker. ``changes`` is the last event's sequencer."""

    key: str = "a.txt"
    versioned: bool = True
    versions: list[Upload | None] = field(default_factory=list)
    changes: int = 0
    sidecar: Sidecar | None = None

    @property
    def current(self) -> Upload | None:
        return self.versions[-1] if self.versions else None

    def put(self, *texts: str) -> None:
        self.changes += 1
        content = "".join(texts).encode()
        facts = ObjectFacts(
            key=self.key,
            version=f"v{self.changes}" if self.versioned else None,
            etag=md5(content, usedforsecurity=False).hexdigest(),
            size=len(content),
            content_type="text/plain",
            last_modified=MODIFIED + timedelta(minutes=self.changes),
            metadata={"upload": str(self.changes)},
        )
        self._add(Upload(facts, texts))

    def delete(self) -> None:
        self.changes += 1
        self._add(None)

    def describe(self, **metadata: str) -> None:
        """Beside the object; with nothing, the sidecar is removed."""
        self.changes += 1
        content = json.dumps(metadata).encode()
        self.sidecar = Sidecar(md5(content, usedforsecurity=False).hexdigest(), content) if metadata else None

    def remove_newest(self) -> None:
        """Brings back what is below."""
        self.changes += 1
        self.versions.pop()

    def _add(self, version: Upload | None) -> None:
        if not self.versioned:
            self.versions.clear()
        self.versions.append(version)


Shown = tuple[str, str | None, dict[str, str], list[str]]
"""Of a document: state, version, metadata and the texts of its chunks."""


def shown_of(bucket: BucketObject) -> Shown:
    upload, sidecar = bucket.current, bucket.sidecar
    if upload is None:
        return "deleted", None, {}, []
    facts = upload.facts.described_by(sidecar) if sidecar is not None else upload.facts
    return "indexed", facts.version, facts.metadata, list(upload.texts)


def _nothing() -> None:
    return


@dataclass(slots=True)
class Look:
    """One look at an object, as the pipeline takes it: its claim is taken when it begins."""

    index: DocumentIndex
    bucket: BucketObject
    claim: int
    seen: Upload | None = None
    sidecar: Sidecar | None = None

    def read(self) -> None:
        self.read_sidecar()
        self.read_object()

    def read_sidecar(self) -> None:
        self.sidecar = self.bucket.sidecar

    def read_object(self) -> None:
        self.seen = self.bucket.current

    @property
    def facts(self) -> ObjectFacts:
        assert self.seen is not None
        if self.sidecar is None:
            return self.seen.facts
        return replace(self.seen.facts, sidecar=self.sidecar.etag).described_by(self.sidecar)

    def confirm(self) -> bool:
        if self.seen is None:
            return False
        standing = self.index.compare(self.facts, self.claim, deadline=SOON)
        return standing is Standing.SAME or (
            standing is Standing.OTHER_METADATA and self.index.describe(self.facts, self.claim, deadline=SOON)
        )

    def commit(
        self, *, after_each_step: Callable[[], None] = _nothing, at_the_end: Callable[[], None] = _nothing
    ) -> Committed | None:
        """Both are called within the swap's transactions: after each of its steps, and before the last commit."""
        index = replace(self.index, decisions=_watched(self.index.decisions, after_each_step, at_the_end))
        if self.seen is None:
            return index.bury(self.bucket.key, self.claim, deadline=SOON)
        texts = self.seen.texts
        vectors = {text_digest(text): [1.0, *[0.0] * (DIMENSIONS - 1)] for text in texts}
        VectorTable(index.database, index.tenant).add_embeddings(vectors, deadline=SOON)
        receipt = EmbeddingReceipt(embedded=len(texts))
        given = self.facts, document_of(*texts), Listed(chunks_of(*texts)), receipt, self.claim
        return index.replace(*given, deadline=SOON)

    def finish(self) -> None:
        if not self.confirm():
            self.commit()

    def run(self) -> None:
        self.read()
        self.finish()

    def wait_for_no_lock(self) -> None:
        """From now on DeadlineExceeded is raised where another transaction would have to be waited for."""
        self.index.database.run(lambda connection: connection.execute(IMPATIENT), deadline=SOON)


def _watched(decisions: Decisions, after_each_step: Callable[[], None], at_the_end: Callable[[], None]) -> Decisions:
    def watched(step: Callable[[Connection], bool]) -> Callable[[Connection], bool]:
        def take(connection: Connection) -> bool:
            going_on = step(connection)
            after_each_step()
            return going_on

        return take

    def end(_connection: Connection) -> bool:
        at_the_end()
        return True

    def transactions(steps: Sequence[Any]) -> list[Sequence[Any]]:
        *others, last = decisions.transactions([watched(step) for step in steps])
        return [*others, [*last, end]]

    return replace(decisions, transactions=transactions)


@dataclass(frozen=True, slots=True)
class Stage:
    """A tenant of its own in a database, under one design. Every look has a connection of its own."""

    design: Design
    database: IndexDatabase
    viewer: Connection
    _open: ExitStack
    tenant: str = field(default_factory=lambda: uuid4().hex)

    def look(self, bucket: BucketObject) -> Look:
        """Because of the last change's event."""
        return self._begin(bucket, sequencer=bucket.changes)

    def repair(self, bucket: BucketObject) -> Look:
        """Because a reconciliation found a difference."""
        return self._begin(bucket, sequencer=0)

    def shown(self, key: str) -> Shown | None:
        """What a reader finds in one statement; None if the key was never heard of."""
        return self.viewer.execute(
            """SELECT state, version, metadata, ARRAY(
                   SELECT text FROM bucketwise.chunks c WHERE (c.tenant, c.key) = (d.tenant, d.key) ORDER BY ordinal)
               FROM bucketwise.documents d WHERE tenant = %s AND key = %s""",
            (self.tenant, key),
        ).fetchone()

    def check(self, bucket: BucketObject) -> None:
        """That the index holds what the bucket does."""
        held, wanted = self.shown(bucket.key), shown_of(bucket)
        assert held == wanted, f"the index holds of {bucket.key} what the bucket does not: {held}, not {wanted}"

    def claim_of(self, key: str) -> int:
        return self.database.count(
            "SELECT claim FROM bucketwise.documents WHERE tenant = %s AND key = %s", self.tenant, key
        )

    @property
    def somebody_waits(self) -> bool:
        """Whether a connection to this database waits for a lock."""
        found = self.viewer.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return found.fetchone() is not None

    def _begin(self, bucket: BucketObject, *, sequencer: int) -> Look:
        database = Database(self._connect)
        self._open.callback(database.close)
        index = DocumentIndex(database, self.tenant, "code 1")
        index = index_for_look(self.design, index, bucket.key, sequencer=sequencer, deadline=SOON)
        return Look(index, bucket, index.claim(deadline=SOON))

    def _connect(self, deadline: Deadline) -> BoundedConnection:
        return connect(settings_for(self.database.ingest), deadline)


@contextmanager
def staged(design: Design, database: IndexDatabase) -> Iterator[Stage]:
    if design.needs:
        with connected(database.owner) as owner:
            owner.execute(design.needs)
    with connected(database.superuser) as viewer, ExitStack() as opened:
        yield Stage(design, database, viewer, opened)
