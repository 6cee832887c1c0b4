"""A document's chunks between being cut and being stored: in memory while they are few, else in files."""

import json
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from bucketwise.deadline import Deadline
from bucketwise.errors import UnreadableDocument
from bucketwise.marks import marks_from_json, marks_to_json
from bucketwise.models import Chunk, FailureReason
from ingest.scratch import disk
from ingest.terms import Analysis, ChunkTerms

IN_MEMORY = 4_000_000  # bytes, of the chunks and of their terms each


class ChunkSpool:
    """Takes chunks in order, and gives them, and their terms, back from the first one as often as asked.

    ``most_tokens`` bounds what the chunks of one document may have together. Writing and reading may raise
    DiskUnavailable.
    """

    def __init__(self, *, most_tokens: int) -> None:
        self._most_tokens = most_tokens
        self._file = SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8")  # noqa: SIM115
        self._terms = SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8")  # noqa: SIM115
        self._analysis: Analysis | None = None  # that made what is in _terms
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
        with disk():
            self._file.write(json.dumps(row))
            self._file.write("\n")

    def __iter__(self) -> Iterator[Chunk]:
        for line in _lines(self._file):
            ordinal, text, tokens, start, end, marks = json.loads(line)
            yield Chunk(ordinal, text, tokens, start, end, marks_from_json(marks))

    def make_terms(self, analysis: Analysis, *, deadline: Deadline) -> None:
        """To be called when all chunks are there. Raises DeadlineExceeded."""
        self._analysis = None
        with disk():
            self._terms.seek(0)
            self._terms.truncate()
        for chunk in self:
            deadline.allow(1)
            terms = analysis.of(chunk)
            with disk():
                self._terms.write(json.dumps((terms.context, terms.length, terms.terms)))
                self._terms.write("\n")
        self._analysis = analysis

    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]:
        """Those that ``make_terms`` made by the same analysis."""
        if self._analysis != analysis:
            raise AssertionError("no terms were made, or by another analysis")
        for line in _lines(self._terms):
            yield ChunkTerms(*json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._file, self._terms):
            with suppress(OSError):  # of what could not be written before
                file.close()


def _lines(file: SpooledTemporaryFile[str]) -> Iterator[str]:
    with disk():
        file.seek(0)
        # "yield from" would close the file of a reading that is broken off.
        for line in file:  # noqa: UP028
            yield line
