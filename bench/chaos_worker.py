"""A worker that may be slow, and may be lost at any call it makes, with its connection and its message."""

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import psycopg
from psycopg import Connection

from bench.chaos_bucket import BucketPort
from bench.chaos_embeddings import EmbeddingLedger
from bench.chaos_mortal import MortalDatabase, WorkerLost, drop, mortal_pipeline
from bench.chaos_queue import ChaosQueue, Message, QueueClosed
from bucketwise.deadline import Deadline
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from ingest.pipeline import IngestPipeline
from ingest.postponement import next_errand
from ingest.protocol import Decisions
from ingest.receipts import Outcome

CRASHES = 0.05
MOST_CALLS = 16
"""A look reaches about as many points, the steps of its transaction included."""
STALLS = 0.02
LONGEST_STALL = 80
"""Messages that others take meanwhile."""
LONGEST_HOLD = 0.02  # seconds, in a transaction: others may wait for its locks
LOOK_SECONDS = 60.0


class RandomLife:
    """Waits now and then; in some looks, is lost at one of the points, or after the last one."""

    def __init__(self, queue: ChaosQueue, random: Random) -> None:
        self._queue = queue
        self._random = random
        self._points_left: int | None = None
        self._lost = False
        self._key = ""
        self.connection: Connection | None = None

    def begin_look(self, key: str) -> None:
        self._key = key
        doomed = self._random.random() < CRASHES
        self._points_left = self._random.randrange(MOST_CALLS) if doomed else None

    def end_look(self) -> None:
        """What was doomed and is still alive is lost now: after its work, and before its message is deleted."""
        if self._points_left is not None:
            self._die()

    def reach(self, _point: str, *, in_transaction: bool = False) -> None:
        if self._lost:
            raise WorkerLost
        if self._points_left is not None:
            if self._points_left == 0:
                self._die()
            self._points_left -= 1
        if self._random.random() < STALLS:
            if in_transaction:
                time.sleep(self._random.uniform(0, LONGEST_HOLD))
            else:
                self._queue.stall(self._key, self._random.randrange(LONGEST_STALL))

    def _die(self) -> None:
        self._lost = True
        if self.connection is not None:
            drop(self.connection)
        raise WorkerLost


@dataclass(slots=True)
class Worker:
    """Works off the queue until it is closed; whenever it is lost, another one takes its place."""

    settings: Settings
    bucket: BucketPort
    queue: ChaosQueue
    ledger: EmbeddingLedger
    telemetry: Telemetry
    decisions: Decisions
    random: Random
    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    retries: int = 0
    errors: int = 0

    def work(self) -> None:
        try:
            while True:
                self._work_until_lost()
        except QueueClosed:
            return
        finally:
            self.queue.close()  # or the others, and whoever waits for them, would wait for ever

    def _work_until_lost(self) -> None:
        life = RandomLife(self.queue, self.random)
        database = MortalDatabase(life, self.settings)
        pipeline = mortal_pipeline(
            life, database, self.bucket, self.ledger, self.settings, self.telemetry, self.decisions
        )
        try:
            while True:
                message = self.queue.take()
                life.begin_look(message.key)
                try:
                    self._look(pipeline, message)
                    life.end_look()
                except WorkerLost:
                    self.crashes += 1
                    self.queue.give_back(message)
                    return
                except psycopg.Error:  # the product lets none out
                    self.errors += 1
                    self.queue.give_back(message)
                    return
                self.queue.delete()
        finally:
            database.close()

    def _look(self, pipeline: IngestPipeline, message: Message) -> None:
        errand = message.errand
        deadline = Deadline.after(LOOK_SECONDS)
        receipt = pipeline.bring_up_to_date(message.key, deadline=deadline, ended=errand.ended, again=errand.again)
        self.outcomes[receipt.error_name or receipt.outcome.value] += 1
        if receipt.outcome is Outcome.POSTPONED:
            self.retries += 1
            self.queue.send(message.key, next_errand(errand, receipt))
