"""Looks at a version that have begun: which of them cost a worker, and what the others came to."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from psycopg import Connection

from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.bucket import ObjectFacts
from ingest.protocol import MOST_CRASHES, MOST_STALLS, STALLED_FOR
from ingest.receipts import EmbeddingReceipt, Receipt

BEYOND_SECONDS = 10.0
"""After a look's deadline its worker is gone for sure: what it keeps to answer in is less."""
END_SECONDS = 3.0
"""For the note that a look ended, when the database may be what is slow. With less than 2, no connection is begun."""

# Of the look that a message tells of, the index may know all the same: then its row is kept.
BEGIN = """
    WITH ended AS (
        DELETE FROM bucketwise.attempts
        WHERE tenant = %(tenant)s AND key = %(key)s AND claim = %(ended)s AND ended_at IS NULL),
    begun AS (
        INSERT INTO bucketwise.attempts (tenant, key, claim, object, over_by)
        VALUES (%(tenant)s, %(key)s, %(claim)s, %(object)s, clock_timestamp() + %(time)s) ON CONFLICT DO NOTHING)
    SELECT count(*) FILTER (WHERE over_by < clock_timestamp() AND claim <> %(ended)s),
           count(*) FILTER (WHERE stalled),
           coalesce(clock_timestamp() - min(ended_at) FILTER (WHERE stalled), '0'),
           coalesce(sum(embedded), 0)::bigint,
           coalesce(sum(embedding_tokens), 0)::bigint,
           CASE WHEN count(*) = count(cost_usd) THEN coalesce(sum(cost_usd), 0) END
    FROM bucketwise.attempts
    WHERE tenant = %(tenant)s AND key = %(key)s AND object = %(object)s AND claim <> %(claim)s"""

# Of a look that came to nothing no row is kept: in a long outage there are many.
FORGET = "DELETE FROM bucketwise.attempts WHERE tenant = %(tenant)s AND key = %(key)s AND claim = %(claim)s"

KEEP = """
    UPDATE bucketwise.attempts SET over_by = 'infinity', ended_at = clock_timestamp(), stalled = %(stalled)s,
        embedded = %(embedded)s, embedding_tokens = %(tokens)s, cost_usd = %(cost_usd)s
    WHERE tenant = %(tenant)s AND key = %(key)s AND claim = %(claim)s"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Looks at the same version that committed nothing.

    ``lost`` counts workers, ``stalls`` looks that had no time to store the document, over ``stalled_for`` until
    now. ``embedding`` is what those that ended in order paid for.
    """

    lost: int = 0
    stalls: int = 0
    stalled_for: timedelta = timedelta()
    embedding: EmbeddingReceipt = field(default_factory=EmbeddingReceipt)

    def refuse_poison(self) -> None:
        """Raises UnreadableDocument for a version that is not to be tried again."""
        if self.lost >= MOST_CRASHES:
            hint = f"{MOST_CRASHES} workers crashed or ran out of time over this version."
        elif self.stalls >= MOST_STALLS and self.stalled_for >= STALLED_FOR:
            hint = f"For {STALLED_FOR // timedelta(hours=1)} hours no worker had the time to store this version."
        else:
            return
        raise UnreadableDocument(FailureReason.POISON, f"{hint} Upload it in another form, or smaller.")


def begin(
    connection: Connection, names: dict[str, Any], facts: ObjectFacts, *, ended: int | None, deadline: Deadline
) -> Earlier:
    """``names`` are of the tenant, the key and the claim; ``ended`` is the claim of a look that ended in order."""
    row = connection.execute(
        BEGIN,
        names
        | {
            "ended": ended or 0,
            "object": facts.version or f"{facts.etag} {facts.last_modified.isoformat()}",
            "time": timedelta(seconds=max(0.0, deadline.remaining()) + BEYOND_SECONDS),
        },
    ).fetchone()
    if row is None:
        raise AssertionError("a statement that always gives a row gave none")
    lost, stalls, stalled_for, embedded, tokens, cost_usd = row
    return Earlier(lost, stalls, stalled_for, EmbeddingReceipt(embedded, 0, tokens, cost_usd))


def end(connection: Connection, names: dict[str, Any], receipt: Receipt) -> None:
    """The look ended in order; ``names`` as for ``begin``."""
    embedding = receipt.embedding
    came_to = {
        "stalled": receipt.stalled,
        "embedded": embedding.embedded,
        "tokens": embedding.tokens,
        "cost_usd": embedding.cost_usd,
    }
    kept = receipt.stalled or embedding.embedded or embedding.tokens
    connection.execute(KEEP if kept else FORGET, names | came_to)
