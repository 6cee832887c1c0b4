"""The one moment by which a request or an invocation must have ended."""

import time
from dataclasses import dataclass
from typing import Self

from bucketwise.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, negative once it has passed."""
        return self.at - time.monotonic()

    def allow(self, most: float) -> float:
        """Seconds that the next step may take: what is left, and at most ``most``.

        Raises DeadlineExceeded when nothing is left.
        """
        left = self.remaining()
        if left <= 0:
            raise DeadlineExceeded("no time was left for the next step")
        return min(left, most)
