"""The index's side of a reconciliation: its documents, what is queued already, and how far a pass has got."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from ingest.differences import Held, HeldDocument, HeldSidecar
from ingest.reconcile import Pass
from ingest.sidecar import is_sidecar
from ingest.tenants import Tenancy

PAGE = 1000
LONG_PAST = timedelta(hours=1)
"""A try that is this long overdue waits in a long queue, or was lost: longer than a message's longest delay and a lost
worker's time together."""
MESSAGE_LIVES = timedelta(days=4, hours=1)
"""The queue's retention, and the time of a worker that took the message last of all."""
OUTLIVED = timedelta(weeks=1)
"""Longer than any message lives, of whose looks is known what they came to."""

# Whosever the documents are: of one key, several tenants may have one, which stay on one page.
# A document is described by what stands under another key, and has a place in the order under that key too: also
# one that is not there (any more), so that what describes nothing is looked at once. `<folder>/.metadata.json`
# describes none, though earlier code took it for the sidecar of the folder's mark.
HELD = """
    (SELECT key, version, etag, size, last_modified, fingerprint, tenant FROM bucketwise.documents
     WHERE key > %(after)s AND state <> 'deleted'
       AND coalesce(home, tenant) = %(default)s
     ORDER BY key FETCH FIRST %(most)s ROWS WITH TIES)
    UNION ALL
    (SELECT key || '.metadata.json', NULL, sidecar, NULL, NULL, NULL, tenant FROM bucketwise.documents
     WHERE key || '.metadata.json' > %(after)s AND sidecar IS NOT NULL AND right(key, 1) <> '/'
       AND coalesce(home, tenant) = %(default)s
     ORDER BY key || '.metadata.json' FETCH FIRST %(most)s ROWS WITH TIES)
    ORDER BY key FETCH FIRST %(most)s ROWS WITH TIES"""

# For a page, as many rows are read from the indexes, in their order; also while the planner has no statistics and takes
# all that comes after for few enough to be sorted.
IN_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off"

# Each jumps along an index from one tenant to the next.
TENANTS = """
    WITH RECURSIVE
    has_documents (tenant) AS (
        SELECT min(tenant) FROM bucketwise.documents UNION ALL
        SELECT (SELECT min(d.tenant) FROM bucketwise.documents d WHERE d.tenant > h.tenant)
        FROM has_documents h WHERE h.tenant IS NOT NULL),
    has_vectors (tenant) AS (
        SELECT min(tenant) FROM bucketwise.embeddings UNION ALL
        SELECT (SELECT min(e.tenant) FROM bucketwise.embeddings e WHERE e.tenant > h.tenant)
        FROM has_vectors h WHERE h.tenant IS NOT NULL),
    has_answers (tenant) AS (
        SELECT min(tenant) FROM bucketwise.cached_answers UNION ALL
        SELECT (SELECT min(a.tenant) FROM bucketwise.cached_answers a WHERE a.tenant > h.tenant)
        FROM has_answers h WHERE h.tenant IS NOT NULL),
    has_questions (tenant) AS (
        SELECT min(tenant) FROM bucketwise.cached_questions UNION ALL
        SELECT (SELECT min(q.tenant) FROM bucketwise.cached_questions q WHERE q.tenant > h.tenant)
        FROM has_questions h WHERE h.tenant IS NOT NULL)
    SELECT tenant FROM (
        TABLE has_documents UNION TABLE has_vectors UNION TABLE has_answers UNION TABLE has_questions) AS found
    WHERE tenant IS NOT NULL"""

# Of a pass that was cut short between a note and the message, the note is from after the pass's beginning.
NOTE = """
    INSERT INTO bucketwise.waiting AS w (tenant, key, tries, reason, next_try)
    SELECT found.*, 0, 'reconcile', clock_timestamp() FROM unnest(%(tenants)s::text[], %(keys)s::text[]) AS found
    ON CONFLICT (tenant, key) DO UPDATE
        SET tries = EXCLUDED.tries, reason = EXCLUDED.reason, next_try = EXCLUDED.next_try
        WHERE w.next_try < clock_timestamp() - %(good_for)s
           OR (w.reason = 'reconcile' AND w.next_try >= %(started_at)s)
    RETURNING key"""

OVERDUE = "SELECT count(*) FROM bucketwise.waiting WHERE next_try < clock_timestamp() - %(long_past)s"

# A first pass fills the index: nothing that it finds was missed.
BEGIN = """
    INSERT INTO bucketwise.reconciliations (tenant, drift)
    SELECT %(default)s, CASE WHEN EXISTS (
        SELECT FROM bucketwise.documents WHERE coalesce(home, tenant) = %(default)s) THEN 0 END
    ON CONFLICT (tenant) DO UPDATE SET tenant = EXCLUDED.tenant
    RETURNING started_at, after_key, looked_at, differences, drift"""

SAVE = """
    UPDATE bucketwise.reconciliations
    SET after_key = %(after_key)s, looked_at = %(looked_at)s, differences = %(differences)s, drift = %(drift)s
    WHERE tenant = %(default)s"""

# The pass came by every key. What differed and had waited for long was noted anew; the other notes are of keys that
# are as they should be, or of which there is neither an object nor a document. Whosever they are: of a key that went to
# another tenant, a note may be left under the one before.
SETTLE = """
    DELETE FROM bucketwise.waiting
    WHERE next_try < %(started_at)s::timestamptz - %(good_for)s"""

FORGET = "DELETE FROM bucketwise.attempts WHERE coalesce(ended_at, over_by) < clock_timestamp() - %(outlived)s"

END = "DELETE FROM bucketwise.reconciliations WHERE tenant = %(default)s AND started_at = %(started_at)s"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Of the documents of all tenants. Every method may raise what Database.run raises."""

    database: Database
    tenancy: Tenancy

    def tenants(self, *, deadline: Deadline) -> list[str]:
        """All of whom the index holds anything that may have to be cleared away, in no order."""
        return self.database.run(lambda connection: [row[0] for row in connection.execute(TENANTS)], deadline=deadline)

    def held(self, *, after: str, deadline: Deadline) -> Iterator[Held]:
        """Documents that are indexed or noted as unreadable, and sidecars, by key, after the one that is named."""
        while page := self._page(after, deadline):
            yield from page
            after = page[-1].key

    def begin(self, *, deadline: Deadline) -> Pass:
        """The pass that is under way, or a new one."""

        def begin(connection: Connection) -> Pass:
            with connection.cursor(row_factory=class_row(Pass)) as cursor:
                found = cursor.execute(BEGIN, {"default": self.tenancy.default}).fetchone()
            if found is None:
                raise AssertionError("a statement that always gives a row gave none")
            return found

        return self.database.run(begin, deadline=deadline)

    def notes_are_good_for(self, messages: int, *, deadline: Deadline) -> timedelta:
        """How long after its time a note stands for a message, while the queue holds about so many.

        For as long as a message lives, unless the queue holds too few for the notes: then they were lost.
        """

        def overdue(connection: Connection) -> int:
            [[notes]] = connection.execute(OVERDUE, {"long_past": LONG_PAST})
            return int(notes)

        return LONG_PAST if 2 * messages < self.database.run(overdue, deadline=deadline) else MESSAGE_LIVES

    def note(self, keys: Sequence[str], started_at: datetime, *, good_for: timedelta, deadline: Deadline) -> list[str]:
        """Notes that the keys wait to be looked at; gives those that were not waiting already, in order."""
        names = {
            "tenants": [self.tenancy.owner(key).tenant for key in keys],
            "keys": list(keys),
            "good_for": good_for,
            "started_at": started_at,
        }
        return sorted(
            self.database.run(lambda connection: [row[0] for row in connection.execute(NOTE, names)], deadline=deadline)
        )

    def save(self, under_way: Pass, *, deadline: Deadline) -> None:
        """Keeps the place from which the next invocation goes on."""
        names = {field.name: getattr(under_way, field.name) for field in fields(under_way)}
        self.database.run(
            lambda connection: connection.execute(SAVE, names | {"default": self.tenancy.default}), deadline=deadline
        )

    def finish(self, under_way: Pass, *, good_for: timedelta, deadline: Deadline) -> bool:
        """Ends the pass; whether it had not been ended already."""
        names = {
            "default": self.tenancy.default,
            "started_at": under_way.started_at,
            "good_for": good_for,
            "outlived": OUTLIVED,
        }

        def finish(connection: Connection) -> bool:
            connection.execute(SETTLE, names)
            connection.execute(FORGET, names)
            ended = connection.execute(END, names)
            return ended.rowcount == 1

        return self.database.run(finish, deadline=deadline)

    def _page(self, after: str, deadline: Deadline) -> list[Held]:
        names = {"default": self.tenancy.default, "after": after, "most": PAGE}

        def read(connection: Connection) -> list[Held]:
            connection.execute(IN_ORDER)
            return [_held(*row) for row in connection.execute(HELD, names)]

        return self.database.run(read, deadline=deadline)


def _held(key: str, *of_object: Any) -> Held:
    if is_sidecar(key):
        _, etag, *_, tenant = of_object
        return HeldSidecar(key, etag, tenant)
    return HeldDocument(key, *of_object)
