"""The index on PostgreSQL as a look under a design has it."""

from dataclasses import dataclass

from psycopg import Connection

from bucketwise.deadline import Deadline
from ingest.index import DocumentIndex
from ingest.protocol import Held
from tests.protocol.mutants import NEVER_HEARD_OF, REAL, Design


@dataclass(frozen=True, slots=True)
class _IndexForLook(DocumentIndex):
    design: Design = REAL
    sequencer: int = 0

    def claim(self, *, deadline: Deadline) -> int:
        return self.design.claim(self.sequencer, lambda: DocumentIndex.claim(self, deadline=deadline))


def index_for_look(
    design: Design, index: DocumentIndex, key: str, *, sequencer: int, deadline: Deadline
) -> DocumentIndex:
    """``index`` as one look at ``key`` has it. Call it first: a design may want the row as it is before the look."""
    database, tenant = index.database, index.tenant
    earlier = NEVER_HEARD_OF
    if design.compares_earlier_row:
        earlier = database.run(lambda connection: _held(connection, tenant, key), deadline=deadline)
    decisions = design.decisions_given(earlier)
    return _IndexForLook(
        database, tenant, index.fingerprint, decisions, index.detect, design=design, sequencer=sequencer
    )


def _held(connection: Connection, tenant: str, key: str) -> Held:
    row = connection.execute(
        """SELECT claim, state, version, etag, fingerprint, sidecar FROM bucketwise.documents
           WHERE tenant = %s AND key = %s""",
        (tenant, key),
    ).fetchone()
    return Held.of(row) if row is not None else NEVER_HEARD_OF
