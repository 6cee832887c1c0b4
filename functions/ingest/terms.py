"""What keywords find a chunk by, as the index takes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bucketwise.analysis import analyse
from bucketwise.keyword_terms import packed
from bucketwise.models import Chunk
from ingest.context import context_of


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """Columns of a chunk's row; ``terms`` is an array as PostgreSQL writes one."""

    context: str
    length: int
    terms: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that decides about a chunk's terms beside the chunk; ``language`` is an ISO 639-1 code, or ""."""

    title: str | None
    key: str
    language: str

    def of(self, chunk: Chunk) -> ChunkTerms:
        context = context_of(chunk, title=self.title, key=self.key)
        terms = analyse(f"{context}\n{chunk.text}", self.language)
        return ChunkTerms(context, terms.length, f"{{{','.join(map(str, packed(terms, self.language)))}}}")


class Chunks(Protocol):
    """Chunks that can be read again from the first one, and their terms likewise: a commit may be run twice."""

    @property
    def count(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    def __iter__(self) -> Iterator[Chunk]: ...
    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]: ...
