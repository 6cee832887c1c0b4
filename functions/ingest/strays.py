"""What the index holds of a key under another tenant than the key's: it was indexed under other settings."""

from dataclasses import dataclass, replace

from bucketwise.deadline import Deadline
from ingest.index import DocumentIndex
from ingest.tenants import Tenancy

# A tombstone that has taken in a sidecar counts too: a comparison finds it.
ELSEWHERE = """
    SELECT tenant FROM bucketwise.documents
    WHERE key = %(key)s AND tenant <> %(tenant)s AND (state <> 'deleted' OR sidecar IS NOT NULL)
      AND coalesce(home, tenant) = %(default)s
    ORDER BY tenant"""


@dataclass(frozen=True, slots=True)
class Strays:
    """``index`` is that of the key's own tenant."""

    index: DocumentIndex
    tenancy: Tenancy

    def remove(self, key: str, claim: int, *, deadline: Deadline) -> None:
        """Removes the document from all other tenants, whatever the bucket holds: it is none of theirs.

        Each commit is fenced by ``claim``, as any other. Raises what Database.run raises.
        """
        names = {"key": key, "tenant": self.index.tenant, "default": self.tenancy.default}
        found = self.index.database.run(
            lambda connection: [row[0] for row in connection.execute(ELSEWHERE, names)], deadline=deadline
        )
        for tenant in found:
            replace(self.index, tenant=tenant).bury(key, claim, deadline=deadline)
