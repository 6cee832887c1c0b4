"""The product's reconciliation, and its messages on a queue in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.chaos_embeddings import EmbeddingLedger
from bench.chaos_mortal import FINGERPRINT
from bench.chaos_queue import ChaosQueue
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.ingest_queue import Errand
from bucketwise.settings import Settings
from ingest.cached_answers import CachedAnswers
from ingest.collection import Collection
from ingest.inventory import Inventory
from ingest.postings import Postings
from ingest.reconcile import Listing, Queue, Reconciliation
from ingest.tenants import Tenancy
from ingest.upkeep import Upkeep

PASS_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Messages:
    """The queue, as a reconciliation sees it."""

    queue: ChaosQueue

    def backlog(self) -> int:
        return 0  # never too many: the bucket waits for the workers

    def send(self, keys: Sequence[str]) -> int:
        for key in keys:
            self.queue.send(key, Errand())
        return len(keys)


class Repair:
    """Passes over a bucket and an index, on a connection of their own. ``listing`` lists the bucket."""

    def __init__(self, settings: Settings, listing: Listing, queue: Queue, ledger: EmbeddingLedger) -> None:
        self._ledger = ledger
        self._database = Database(lambda deadline: connect(settings, deadline))
        self._reconciliation = Reconciliation(
            listing=listing,
            inventory=Inventory(self._database, Tenancy(settings.tenant)),
            upkeep_of=lambda tenant: Upkeep(
                Postings(self._database, tenant),
                Collection(self._database, tenant),
                CachedAnswers(self._database, tenant, settings.answer_cache_seconds),
            ),
            queue=queue,
            tenancy=Tenancy(settings.tenant),
            fingerprint=FINGERPRINT,
        )
        self.passes = 0
        self.sent = 0
        self.collected = 0

    def run(self) -> None:
        self._ledger.collection_begins()
        try:
            report = self._reconciliation.run(deadline=Deadline.after(PASS_SECONDS))
        finally:
            self._ledger.collection_ended()
        self.passes += report.finished
        self.sent += report.sent
        self.collected += report.collected

    def close(self) -> None:
        self._database.close()
