"""A document's chunks between being cut and being stored: in memory while they are few, else in a file."""

import json
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from bucketwise.errors import UnreadableDocument
from bucketwise.models import Chunk, FailureReason
from bucketwise.search import marks_from_json, marks_to_json

IN_MEMORY = 4_000_000  # characters


class ChunkSpool:
    """Takes chunks in order, and gives them back from the first one as often as asked.

    ``most_tokens`` bounds what the chunks of one document may have together.
    """

    def __init__(self, *, most_tokens: int) -> None:
        self._most_tokens = most_tokens
        self._file = SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8")  # noqa: SIM115
        self.count = 0
        self.tokens = 0

    def add(self, chunk: Chunk) -> None:
        """Raises UnreadableDocument (too_large) for the chunk that is one too many."""
        self.count += 1
        self.tokens += chunk.tokens
        if self.tokens > self._most_tokens:
            raise UnreadableDocument(
                FailureReason.TOO_LARGE,
                f"The text has more than {self._most_tokens:,} tokens (MAX_DOCUMENT_TOKENS). Split the file.",
            )
        row = (chunk.ordinal, chunk.text, chunk.tokens, chunk.start, chunk.end, marks_to_json(chunk.marks))
        self._file.write(json.dumps(row))
        self._file.write("\n")

    def __iter__(self) -> Iterator[Chunk]:
        self._file.seek(0)
        for line in self._file:
            ordinal, text, tokens, start, end, marks = json.loads(line)
            yield Chunk(ordinal, text, tokens, start, end, marks_from_json(marks))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
