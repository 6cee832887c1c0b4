"""What is put off: sent to the queue again, with a delay that grows, and noted in the index for the API."""

import math
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DatabaseUnavailable, ModelUnavailable
from bucketwise.ingest_queue import LONGEST_DELAY_SECONDS, Errand, IngestQueue
from ingest.events import ObjectChange
from ingest.receipts import Receipt

FIRST_DELAY_SECONDS = 5.0
MOST_DOUBLINGS = 10  # beyond, it is the longest delay in any case
NOTE_SECONDS = 2.0  # for the note in the index, which may be what is out of reach


class WaitingList(Protocol):
    def postpone(self, key: str, *, tries: int, reason: str, seconds: float, deadline: Deadline) -> None: ...


@dataclass(frozen=True, slots=True)
class Postponement:
    """``queue_of`` gives the queue for a bucket's changes, ``waiting`` the list for a key's tenant.

    ``waiting`` may raise: then there is no note.
    """

    queue_of: Callable[[str], IngestQueue]
    waiting: Callable[[str], WaitingList]
    first_delay_seconds: float = FIRST_DELAY_SECONDS

    def put_off(self, change: ObjectChange, receipt: Receipt) -> None:
        """Raises QueueUnavailable: the message that told of the change is then not done with."""
        errand = next_errand(change.errand, receipt)
        seconds = delay_seconds(errand.tries, receipt, first=self.first_delay_seconds)
        # First the note: made later, it might come after the look that the message leads to, and stay for good.
        self._note(change.key, errand.tries, seconds, receipt)
        self.queue_of(change.bucket).put_off(change.key, change.time, errand, seconds=seconds)

    def _note(self, key: str, tries: int, seconds: int, receipt: Receipt) -> None:
        untold = receipt.begun and receipt.in_order and not receipt.told
        if isinstance(receipt.error, DatabaseUnavailable) or untold:
            return  # to find out again that the database is out or slow takes time
        deadline = Deadline.after(NOTE_SECONDS)
        with suppress(BucketwiseError):  # the message is what counts
            self.waiting(key).postpone(
                key, tries=tries, reason=receipt.error_name or "", seconds=seconds, deadline=deadline
            )


def next_errand(errand: Errand, receipt: Receipt) -> Errand:
    """What the message says that is sent in the place of one that told of ``errand``.

    A look that came to no attempt of its own, or of whose end the index knows, leaves the one before to be told of.
    """
    tries = 0 if receipt.got_further else errand.tries + 1
    if receipt.told or not receipt.begun:
        return replace(errand, tries=tries)
    return replace(errand, tries=tries, ended=receipt.claim if receipt.in_order else None)


def delay_seconds(tries: int, receipt: Receipt, *, first: float = FIRST_DELAY_SECONDS) -> int:
    """0 after a look that got further; else twice as long with each try, jittered, or what the model's server asks."""
    if receipt.got_further:
        return 0
    doubled = first * 2.0 ** min(tries - 1, MOST_DOUBLINGS)
    delay = min(LONGEST_DELAY_SECONDS, doubled) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
    asked = receipt.error.retry_after if isinstance(receipt.error, ModelUnavailable) else None
    return math.ceil(min(LONGEST_DELAY_SECONDS, max(delay, asked or 0)))
