"""What happens to the bucket: puts, texts that come back, sidecars, markers, and removals of either."""

from collections import defaultdict, deque
from collections.abc import Callable
from random import Random

from bench.chaos_bucket import ChaosBucket
from bench.chaos_queue import ChaosQueue
from bench.chaos_texts import MOST_PARTS, make_text
from ingest.sidecar import SUFFIX

KEYS = 180
LOST_EVENTS = 0.01
EMPTY = 0.02
"""Share of the new texts that hold nothing, and so cannot be indexed."""
BROKEN = 0.05
"""Share of the new sidecars that are not JSON, and so keep their document from being indexed."""
AT_STALLED = 0.2
"""Share of the changes that fall on a key which a slow worker is looking at."""
AT_RECENT = 0.3
"""Share of the changes that fall on a key that was changed a moment ago."""


class Changes:
    """One change after the other, each told to the queue unless its event is lost.

    ``untold`` are the keys of whose latest change nobody was told.
    """

    def __init__(self, bucket: ChaosBucket, queue: ChaosQueue, random: Random) -> None:
        self._bucket = bucket
        self._queue = queue
        self._random = random
        self._recent: deque[str] = deque(maxlen=8)
        self._texts: defaultdict[str, list[str]] = defaultdict(list)
        self._numbers = 0
        self.keys = [f"folder-{number % 7}/{number:03}.txt" for number in range(KEYS)]
        self.untold: set[str] = set()
        self.lost_events = 0

    def make_one(self) -> None:
        key = self._next_key()
        self._recent.append(key)
        kinds: list[Callable[[str], None]] = [
            self._put_new, self._put_again, self._delete, self._put_sidecar, self._delete_sidecar,
        ]  # fmt: skip
        weights = [45, 25, 15, 10, 4]
        newest = self._bucket.newest(key)
        if newest is not None:
            version, is_marker = newest
            # Both bring back what was there before, and S3 tells of both only that something was removed.
            kinds.append(lambda key: self._bucket.delete_version(key, version))
            weights.append(40 if is_marker else 12)
        self._random.choices(kinds, weights)[0](key)
        if self._random.random() < LOST_EVENTS:
            self.lost_events += 1
            self.untold.add(key)
        else:
            self.untold.discard(key)
            self._queue.tell(key)

    def _next_key(self) -> str:
        """Most often one of those for which changes come one on the other's heels."""
        chance = self._random.random()
        if chance < AT_STALLED and (stalled := self._queue.stalled_keys()):
            return self._random.choice(stalled)
        if chance < AT_STALLED + AT_RECENT and self._recent:
            return self._random.choice(self._recent)
        return self._random.choice(self.keys)

    def _put_new(self, key: str) -> None:
        self._numbers += 1
        parts = self._random.randint(1, MOST_PARTS)
        text = "" if self._random.random() < EMPTY else make_text(key, self._numbers, parts)
        self._texts[key].append(text)
        self._bucket.put(key, text)

    def _put_again(self, key: str) -> None:
        """One of the key's own earlier texts, or a copy of another document's."""
        source = key if self._random.random() < 0.7 else self._random.choice(self.keys)
        if not self._texts[source]:
            return self._put_new(key)
        return self._bucket.put(key, self._random.choice(self._texts[source][-20:]))

    def _delete(self, key: str) -> None:
        self._bucket.delete(key)

    def _put_sidecar(self, key: str) -> None:
        self._numbers += 1
        is_broken = self._random.random() < BROKEN
        self._bucket.put(f"{key}{SUFFIX}", "{" if is_broken else f'{{"number": {self._numbers}}}')

    def _delete_sidecar(self, key: str) -> None:
        self._bucket.delete(f"{key}{SUFFIX}")
