"""Clears away what the cache of answers holds in vain.

A batch is one statement, which passes over what others have locked: it never waits, so it is in no deadlock.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import LiteralString

from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline

BATCH = 1000
BATCH_SECONDS = 5.0
"""With less time left, no batch is begun."""
QUESTIONS_KEPT = timedelta(days=30)

OUTDATED_ANSWERS = """
    WITH page AS MATERIALIZED (
        SELECT fingerprint FROM bucketwise.cached_answers
        WHERE tenant = %(tenant)s AND fingerprint > %(after)s ORDER BY fingerprint LIMIT %(most)s),
    outdated AS MATERIALIZED (
        SELECT a.fingerprint FROM bucketwise.cached_answers a JOIN page USING (fingerprint)
        WHERE a.tenant = %(tenant)s AND (
            a.created_at <= clock_timestamp() - %(kept)s
            OR a.corpus_version <> (SELECT bucketwise.corpus_version(%(tenant)s)))
        FOR UPDATE OF a SKIP LOCKED),
    gone AS (
        DELETE FROM bucketwise.cached_answers a USING outdated o
        WHERE a.tenant = %(tenant)s AND a.fingerprint = o.fingerprint RETURNING a.fingerprint)
    SELECT (SELECT fingerprint FROM page ORDER BY fingerprint DESC LIMIT 1), (SELECT count(*) FROM gone)"""

OUTDATED_QUESTIONS = """
    WITH page AS MATERIALIZED (
        SELECT text_sha256 FROM bucketwise.cached_questions
        WHERE tenant = %(tenant)s AND text_sha256 > %(after)s ORDER BY text_sha256 LIMIT %(most)s),
    outdated AS MATERIALIZED (
        SELECT q.text_sha256 FROM bucketwise.cached_questions q JOIN page USING (text_sha256)
        WHERE q.tenant = %(tenant)s AND (
            q.created_at <= clock_timestamp() - %(kept)s
            OR NOT EXISTS (
                SELECT FROM bucketwise.index_kind() i
                WHERE i.embedding_model = q.embedding_model AND i.dimensions = q.dimensions))
        FOR UPDATE OF q SKIP LOCKED),
    gone AS (
        DELETE FROM bucketwise.cached_questions q USING outdated o
        WHERE q.tenant = %(tenant)s AND q.text_sha256 = o.text_sha256 RETURNING q.text_sha256)
    SELECT (SELECT text_sha256 FROM page ORDER BY text_sha256 DESC LIMIT 1), (SELECT count(*) FROM gone)"""


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """One tenant's. Ask keeps an answer for ``seconds``; with 0 it keeps nothing, and what it kept before goes."""

    database: Database
    tenant: str
    seconds: int

    def collect(self, *, deadline: Deadline) -> int:
        """Deletes the answers that are too old or of an earlier corpus version, and the vectors of questions that are
        older than QUESTIONS_KEPT or not of the live kind; how many, as far as time allows.

        Raises what Database.run raises.
        """
        questions = QUESTIONS_KEPT if self.seconds else timedelta(0)
        collected = self._collect(OUTDATED_ANSWERS, timedelta(seconds=self.seconds), deadline)
        return collected + self._collect(OUTDATED_QUESTIONS, questions, deadline)

    def _collect(self, statement: LiteralString, kept: timedelta, deadline: Deadline) -> int:
        collected, after = 0, b""
        while deadline.remaining() > BATCH_SECONDS:
            last, deleted = self.database.run(partial(self._batch, statement, kept, after), deadline=deadline)
            collected += deleted
            if last is None:
                break
            after = last
        return collected

    def _batch(
        self, statement: LiteralString, kept: timedelta, after: bytes, connection: Connection
    ) -> tuple[bytes | None, int]:
        names = {"tenant": self.tenant, "after": after, "most": BATCH, "kept": kept}
        row = connection.execute(statement, names).fetchone()
        return row if row is not None else (None, 0)
