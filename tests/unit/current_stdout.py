"""Today's stdout for a logger."""

import sys


class CurrentStdout:
    """A logger keeps the stdout that it first saw, and pytest closes that."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()
