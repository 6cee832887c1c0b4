"""The index's side of a reconciliation: its documents, what is queued already, and how far a pass has got."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from ingest.differences import HeldDocument, HeldSidecar
from ingest.reconcile import Pass
from ingest.sidecar import is_sidecar

PAGE = 1000
LONG_PAST = timedelta(hours=1)
"""A try that is this long overdue was lost: longer than a message's longest delay and a lost worker's time together."""
OUTLIVED = timedelta(weeks=1)
"""Longer than any message lives, whose lost workers are counted."""

# A document is described by what stands under another key, and has a place in the order under that key too: also
# one that is not there (any more), so that what describes nothing is looked at once.
HELD = """
    (SELECT key, version, etag, size, last_modified, fingerprint FROM bucketwise.documents
     WHERE tenant = %(tenant)s AND key > %(after)s AND state <> 'deleted' ORDER BY key LIMIT %(most)s)
    UNION ALL
    (SELECT key || '.metadata.json', NULL, sidecar, NULL, NULL, NULL FROM bucketwise.documents
     WHERE tenant = %(tenant)s AND sidecar IS NOT NULL AND key || '.metadata.json' > %(after)s
     ORDER BY key || '.metadata.json' LIMIT %(most)s)
    ORDER BY key LIMIT %(most)s"""

# Of a pass that was cut short between a note and the message, the note is from after the pass's beginning.
NOTE = """
    INSERT INTO bucketwise.waiting AS w (tenant, key, tries, reason, next_try)
    SELECT %(tenant)s, key, 0, 'reconcile', clock_timestamp() FROM unnest(%(keys)s::text[]) AS key
    ON CONFLICT (tenant, key) DO UPDATE
        SET tries = EXCLUDED.tries, reason = EXCLUDED.reason, next_try = EXCLUDED.next_try
        WHERE w.next_try < clock_timestamp() - %(long_past)s
           OR (w.reason = 'reconcile' AND w.next_try >= %(started_at)s)
    RETURNING key"""

# A first pass fills the index: nothing that it finds was missed.
BEGIN = """
    INSERT INTO bucketwise.reconciliations (tenant, drift)
    SELECT %(tenant)s, CASE WHEN EXISTS (SELECT FROM bucketwise.documents WHERE tenant = %(tenant)s) THEN 0 END
    ON CONFLICT (tenant) DO UPDATE SET tenant = EXCLUDED.tenant
    RETURNING started_at, after_key, looked_at, differences, drift"""

SAVE = """
    UPDATE bucketwise.reconciliations
    SET after_key = %(after_key)s, looked_at = %(looked_at)s, differences = %(differences)s, drift = %(drift)s
    WHERE tenant = %(tenant)s"""

# The pass came by every key. What differed and had waited for long was noted anew; the other notes are of keys that
# are as they should be, or of which there is neither an object nor a document.
SETTLE = """
    DELETE FROM bucketwise.waiting
    WHERE tenant = %(tenant)s AND next_try < %(started_at)s::timestamptz - %(long_past)s"""

FORGET = "DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND over_by < clock_timestamp() - %(outlived)s"

END = "DELETE FROM bucketwise.reconciliations WHERE tenant = %(tenant)s AND started_at = %(started_at)s"


@dataclass(frozen=True, slots=True)
class Inventory:
    """One tenant's. Every method may raise what Database.run raises."""

    database: Database
    tenant: str

    def held(self, *, after: str, deadline: Deadline) -> Iterator[HeldDocument | HeldSidecar]:
        """Documents that are indexed or noted as unreadable, and sidecars, by key, after the one that is named."""
        while page := self._page(after, deadline):
            yield from page
            after = page[-1].key

    def begin(self, *, deadline: Deadline) -> Pass:
        """The pass that is under way, or a new one."""

        def begin(connection: Connection) -> Pass:
            with connection.cursor(row_factory=class_row(Pass)) as cursor:
                found = cursor.execute(BEGIN, {"tenant": self.tenant}).fetchone()
            if found is None:
                raise AssertionError("a statement that always gives a row gave none")
            return found

        return self.database.run(begin, deadline=deadline)

    def note(self, keys: Sequence[str], started_at: datetime, *, deadline: Deadline) -> list[str]:
        """Notes that the keys wait to be looked at; gives those that were not waiting already, in order."""
        names = {"tenant": self.tenant, "keys": list(keys), "long_past": LONG_PAST, "started_at": started_at}
        return sorted(
            self.database.run(lambda connection: [row[0] for row in connection.execute(NOTE, names)], deadline=deadline)
        )

    def save(self, under_way: Pass, *, deadline: Deadline) -> None:
        """Keeps the place from which the next invocation goes on."""
        names = {field.name: getattr(under_way, field.name) for field in fields(under_way)}
        self.database.run(
            lambda connection: connection.execute(SAVE, names | {"tenant": self.tenant}), deadline=deadline
        )

    def finish(self, under_way: Pass, *, deadline: Deadline) -> bool:
        """Ends the pass; whether it had not been ended already."""
        names = {
            "tenant": self.tenant,
            "started_at": under_way.started_at,
            "long_past": LONG_PAST,
            "outlived": OUTLIVED,
        }

        def finish(connection: Connection) -> bool:
            connection.execute(SETTLE, names)
            connection.execute(FORGET, names)
            ended = connection.execute(END, names)
            return ended.rowcount == 1

        return self.database.run(finish, deadline=deadline)

    def _page(self, after: str, deadline: Deadline) -> list[HeldDocument | HeldSidecar]:
        names = {"tenant": self.tenant, "after": after, "most": PAGE}
        return self.database.run(
            lambda connection: [_held(*row) for row in connection.execute(HELD, names)], deadline=deadline
        )


def _held(key: str, *of_object: Any) -> HeldDocument | HeldSidecar:
    if is_sidecar(key):
        _, etag, *_ = of_object
        return HeldSidecar(key, etag)
    return HeldDocument(key, *of_object)
