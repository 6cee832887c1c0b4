"""A queue that repeats, delays and reorders what it is told, and gives back what a lost worker had taken."""

import heapq
import time
from dataclasses import dataclass, field
from random import Random
from threading import Condition, Lock

from bucketwise.ingest_queue import Errand

DUPLICATES = 0.2
LATE = 0.05
"""Share of the messages that arrive long after they were sent."""
SHORT_DELAY = 16
LONG_DELAY = 600
"""Delays are counted in messages that are taken meanwhile, so that they mean the same on any machine."""
MOST_STALLED = 8
LOOK_AGAIN = 0.01  # seconds


class QueueClosed(Exception):
    """There is nothing more to take."""


@dataclass(order=True, slots=True)
class Message:
    due: int
    tie: float
    key: str = field(compare=False)
    errand: Errand = field(compare=False)


class ChaosQueue:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[Message] = []
        self._taken = 0
        self._under_way = 0
        self._stalled: list[str] = []
        self._closed = False
        self._lock = Lock()
        self._arrived = Condition(self._lock)
        self._worked_off = Condition(self._lock)
        self.events = 0
        self.duplicates = 0

    def tell(self, key: str) -> None:
        """An event of the bucket, sent at least once."""
        with self._lock:
            copies = 2 if self._random.random() < DUPLICATES else 1
            self.events += 1
            self.duplicates += copies - 1
            for _ in range(copies):
                self._put(key, Errand())

    def send(self, key: str, errand: Errand) -> None:
        """A message of the system's own."""
        with self._lock:
            self._put(key, errand)

    def take(self) -> Message:
        """Waits for a message. Raises QueueClosed."""
        with self._lock:
            while not self._waiting and not self._closed:
                self._arrived.wait()
            if self._closed:
                raise QueueClosed
            self._taken += 1
            self._under_way += 1
            return heapq.heappop(self._waiting)

    def delete(self) -> None:
        """One message that was taken is done with."""
        with self._lock:
            self._under_way -= 1
            self._worked_off.notify_all()

    def give_back(self, message: Message) -> None:
        """Its worker was lost: it will be delivered again."""
        with self._lock:
            self._put(message.key, message.errand)
            self._under_way -= 1

    def stall(self, key: str, messages: int) -> None:
        """Waits, with a message of that key under way, until others took so many, or nothing else moves."""
        with self._lock:
            if len(self._stalled) == MOST_STALLED:
                return
            self._stalled.append(key)
            until = self._taken + messages
        while not self._may_go_on(until):
            time.sleep(LOOK_AGAIN)
        with self._lock:
            self._stalled.remove(key)

    def stalled_keys(self) -> list[str]:
        with self._lock:
            return list(self._stalled)

    def _may_go_on(self, until: int) -> bool:
        with self._lock:
            nothing_moves = not self._waiting and len(self._stalled) == self._under_way
            return self._taken >= until or nothing_moves or self._closed

    def wait_until_at_most(self, messages: int) -> None:
        """Until no more than so many wait or are worked on. Raises QueueClosed."""
        with self._lock:
            while len(self._waiting) + self._under_way > messages and not self._closed:
                self._worked_off.wait()
            if self._closed:
                raise QueueClosed

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._arrived.notify_all()
            self._worked_off.notify_all()

    def _put(self, key: str, errand: Errand) -> None:
        most = LONG_DELAY if self._random.random() < LATE else SHORT_DELAY
        due = self._taken + self._random.randrange(most)
        heapq.heappush(self._waiting, Message(due, self._random.random(), key, errand))
        self._arrived.notify()
