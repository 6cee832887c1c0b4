"""Collects vectors that no chunk refers to.

A batch is a transaction, which locks what it looks at and passes over what others have locked: it never waits, so it
is in no deadlock. Whoever commits a chunk meanwhile was either first, and then the vector is passed over; or waits,
and then finds that it is gone, fails on the foreign key, and is run again.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from psycopg import Connection, sql

from bucketwise.database import Database
from bucketwise.deadline import Deadline

BATCH = 1000
BATCH_SECONDS = 5.0
"""With less time left, no batch is begun."""
UNDER_WAY = timedelta(days=1)
"""For so long a vector that no chunk refers to may belong to a document that is being worked on."""

RELEASED = """
    SELECT key, text_sha256 FROM bucketwise.released_texts
    WHERE tenant = %(tenant)s AND (key, text_sha256) > (%(key)s, %(digest)s)
    ORDER BY key, text_sha256 LIMIT %(most)s FOR UPDATE SKIP LOCKED"""

# By the indexes alone: a row of the table holds a whole vector.
UNREFERENCED = """
    WITH page AS MATERIALIZED (
        SELECT text_sha256 FROM bucketwise.embeddings WHERE tenant = %(tenant)s AND text_sha256 > %(digest)s
        ORDER BY text_sha256 LIMIT %(most)s)
    SELECT p.text_sha256, NOT EXISTS (
        SELECT FROM bucketwise.chunks c WHERE c.tenant = %(tenant)s AND c.text_sha256 = p.text_sha256)
    FROM page p ORDER BY p.text_sha256"""

LOCK = """
    SELECT text_sha256 FROM bucketwise.embeddings
    WHERE tenant = %(tenant)s AND text_sha256 = ANY(%(digests)s) AND created_at <= clock_timestamp() - %(age)s
    FOR UPDATE SKIP LOCKED"""

# A statement of its own, so that it sees what was committed before the locks were had.
DELETE = """
    DELETE FROM bucketwise.embeddings e WHERE e.tenant = %(tenant)s AND e.text_sha256 = ANY(%(locked)s)
      AND NOT EXISTS (
          SELECT FROM bucketwise.chunks c WHERE c.tenant = e.tenant AND c.text_sha256 = e.text_sha256)"""

# A text whose vector was passed over stays on the list.
DONE = """
    DELETE FROM bucketwise.released_texts r
    USING unnest(%(keys)s::text[], %(digests)s::bytea[]) AS looked_at (key, text_sha256)
    WHERE r.tenant = %(tenant)s AND r.key = looked_at.key AND r.text_sha256 = looked_at.text_sha256
      AND NOT EXISTS (
          SELECT FROM bucketwise.embeddings e
          WHERE e.tenant = r.tenant AND e.text_sha256 = r.text_sha256 AND e.text_sha256 <> ALL(%(locked)s))"""

# Of the kinds of vectors that are not live. Nothing refers to them, so nobody has to wait.
OTHERS = """
    SELECT s.id FROM bucketwise.embedding_sets s, bucketwise.index_kind() i
    WHERE (s.embedding_model, s.dimensions) <> (i.embedding_model, i.dimensions)"""
DELETE_OTHERS = """
    WITH page AS MATERIALIZED (
        SELECT text_sha256 FROM {table} WHERE tenant = %(tenant)s AND text_sha256 > %(digest)s
        ORDER BY text_sha256 LIMIT %(most)s),
    gone AS (
        DELETE FROM {table} e USING page p WHERE e.tenant = %(tenant)s AND e.text_sha256 = p.text_sha256
          AND NOT EXISTS (
              SELECT FROM bucketwise.chunks c WHERE c.tenant = e.tenant AND c.text_sha256 = e.text_sha256)
        RETURNING e.text_sha256)
    SELECT (SELECT text_sha256 FROM page ORDER BY text_sha256 DESC LIMIT 1), (SELECT count(*) FROM gone)"""


@dataclass(frozen=True, slots=True)
class Collection:
    """One tenant's. Every method may raise what Database.run raises."""

    database: Database
    tenant: str

    def collect_released(self, *, deadline: Deadline) -> int:
        """Deletes the vectors of texts that a document had once and none has now; how many, as far as time allows."""
        collected, after = 0, ("", b"")
        while deadline.remaining() > BATCH_SECONDS:
            batch, deleted = self.database.run(partial(self._released_batch, *after), deadline=deadline)
            collected += deleted
            if not batch:
                break
            after = batch[-1]
        return collected

    def sweep(self, *, deadline: Deadline) -> int:
        """Deletes the vectors that no document ever had, because the work on it was given up; how many.

        Among the kinds that are not live, also those of texts that no document has any more.
        It begins anywhere, so that one that runs out of time leaves out other vectors each time.
        """
        start = os.urandom(32)
        collected = self._sweep_others(deadline)
        collected += self._sweep(after=start, until=None, deadline=deadline)
        return collected + self._sweep(after=b"", until=start, deadline=deadline)

    def _released_batch(self, key: str, digest: bytes, connection: Connection) -> tuple[list[tuple[str, bytes]], int]:
        names = {"tenant": self.tenant, "key": key, "digest": digest, "most": BATCH}
        batch = [(key, digest) for key, digest in connection.execute(RELEASED, names)]
        keys, digests = [key for key, _ in batch], [digest for _, digest in batch]
        locked, deleted = self._delete(connection, digests, timedelta(0))
        connection.execute(DONE, {"tenant": self.tenant, "keys": keys, "digests": digests, "locked": locked})
        return batch, deleted

    def _sweep(self, *, after: bytes, until: bytes | None, deadline: Deadline) -> int:
        collected = 0
        while deadline.remaining() > BATCH_SECONDS and (until is None or after < until):
            last, deleted = self.database.run(partial(self._sweep_batch, after), deadline=deadline)
            collected += deleted
            if last is None:
                break
            after = last
        return collected

    def _sweep_others(self, deadline: Deadline) -> int:
        collected = 0
        for (number,) in self.database.run(lambda connection: connection.execute(OTHERS).fetchall(), deadline=deadline):
            table = sql.Identifier("bucketwise", f"embeddings_{number}")
            last: bytes | None = b""
            while last is not None and deadline.remaining() > BATCH_SECONDS:
                last, deleted = self.database.run(partial(self._other_batch, table, last), deadline=deadline)
                collected += deleted
        return collected

    def _sweep_batch(self, after: bytes, connection: Connection) -> tuple[bytes | None, int]:
        names = {"tenant": self.tenant, "digest": after, "most": BATCH}
        page = connection.execute(UNREFERENCED, names).fetchall()
        unreferenced = [digest for digest, is_unreferenced in page if is_unreferenced]
        _, deleted = self._delete(connection, unreferenced, UNDER_WAY)
        return page[-1][0] if page else None, deleted

    def _other_batch(self, table: sql.Identifier, after: bytes, connection: Connection) -> tuple[bytes | None, int]:
        names = {"tenant": self.tenant, "digest": after, "most": BATCH}
        row = connection.execute(sql.SQL(DELETE_OTHERS).format(table=table), names).fetchone()
        return row if row is not None else (None, 0)

    def _delete(self, connection: Connection, digests: Sequence[bytes], age: timedelta) -> tuple[list[bytes], int]:
        """Those of the vectors that could be locked, and how many of them were deleted."""
        names = {"tenant": self.tenant, "digests": list(digests), "age": age}
        locked = [row[0] for row in connection.execute(LOCK, names)]
        return locked, connection.execute(DELETE, {"tenant": self.tenant, "locked": locked}).rowcount
