"""Workers in threads that stop before each call of a port, so that a test decides who goes on."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Semaphore

from psycopg import Connection

from bench.chaos_bucket import BucketPort
from bench.chaos_embeddings import EmbeddingLedger
from bench.chaos_mortal import MortalDatabase, WorkerLost, drop, mortal_pipeline
from bench.machine import QuietTelemetry
from bucketwise.deadline import Deadline
from bucketwise.settings import Settings
from ingest.events import ObjectChange
from ingest.postponement import next_errand
from ingest.protocol import Decisions
from ingest.receipts import Outcome, Receipt

PATIENCE = 60.0  # seconds


class SteppedLife:
    """Stops at each point, but not within a transaction: whoever waits for a lock there could not be told to go on."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.lost = False
        self.stopped = Semaphore(0)
        self.go = Semaphore(0)

    def reach(self, _point: str, *, in_transaction: bool = False) -> None:
        if not in_transaction and not self.lost:
            self.stopped.release()
            self.go.acquire()
        if self.lost:
            raise WorkerLost


class SteppedWorker:
    """One worker; after it was lost, another one in its place."""

    def __init__(self, pool: ThreadPoolExecutor, settings: Settings, bucket: BucketPort, decisions: Decisions) -> None:
        self._pool = pool
        self._settings = settings
        self._bucket = bucket
        self._decisions = decisions
        self._telemetry = QuietTelemetry("stepped")
        self._look: Future[Receipt] | None = None
        self._begin_life()

    @property
    def busy(self) -> bool:
        return self._look is not None

    def serve(self, tenant: str, ledger: EmbeddingLedger) -> None:
        """From now on works for this tenant, on the connection that it has. A look under way is given up."""
        if self.busy:
            self._give_up()
        settings = self._settings.model_copy(update={"tenant": tenant})
        self._given = settings, ledger
        self._pipeline = mortal_pipeline(
            self._life, self._database, self._bucket, ledger, settings, self._telemetry, self._decisions
        )

    def take(self, change: ObjectChange) -> None:
        """Begins to look, and stops before the first call."""
        self.change = change
        errand = change.errand
        self._look = self._pool.submit(
            self._pipeline.bring_up_to_date,
            change.key,
            deadline=Deadline.after(PATIENCE),
            ended=errand.ended,
            again=errand.again,
        )
        self._look.add_done_callback(lambda _: self._life.stopped.release())
        self._wait()

    def advance(self) -> Receipt | None:
        """Lets it make one call; the receipt if that was the last one."""
        self._life.go.release()
        self._wait()
        look = self._look
        assert look is not None
        if not look.done():
            return None
        self._look = None
        return look.result()

    def lose(self) -> None:
        """Its process ends here and now."""
        self._give_up()
        self.serve(self._given[0].tenant, self._given[1])

    def close(self) -> None:
        if self.busy:
            self._give_up()
        self._database.close()

    def _give_up(self) -> None:
        look = self._look
        assert look is not None
        self._life.lost = True
        if self._life.connection is not None:
            drop(self._life.connection)
        self._life.go.release()
        assert isinstance(look.exception(PATIENCE), WorkerLost)
        self._look = None
        self._begin_life()

    def _begin_life(self) -> None:
        self._life = SteppedLife()
        self._database = MortalDatabase(self._life, self._settings)

    def _wait(self) -> None:
        assert self._life.stopped.acquire(timeout=PATIENCE)


def put_off(change: ObjectChange, receipt: Receipt) -> list[ObjectChange]:
    """What is to be looked at later because of this receipt."""
    if receipt.outcome is not Outcome.POSTPONED:
        return []
    return [replace(change, errand=next_errand(change.errand, receipt))]
