"""What keywords find a chunk by, as the index takes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from bucketwise.analysis import Terms, analyse
from bucketwise.keyword_terms import packed
from bucketwise.models import Chunk
from ingest.context import context_of

# A term of a document's title, key or headings says of each of its chunks what it is about, in the same measure: else
# the few chunks that repeat it, such as a cover page, would be found before those that say something of it.
CONTEXT_COUNT = 6


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
        terms = in_context(context, analyse(f"{context}\n{chunk.text}", self.language), self.language)
        return ChunkTerms(context, terms.length, f"{{{','.join(map(str, packed(terms, self.language)))}}}")


def in_context(context: str, whole: Terms, language: str) -> Terms:
    """The terms ``whole`` of a context and the text below it; those above count CONTEXT_COUNT times at least."""
    above = _terms_of_context(context, language).counts
    counts = whole.counts | {term: max(whole.counts[term], CONTEXT_COUNT) for term in above}
    return Terms(counts, sum(counts.values()))


@lru_cache(maxsize=64)  # chunks that follow each other stand below the same headings
def _terms_of_context(context: str, language: str) -> Terms:
    return analyse(context, language)


class Chunks(Protocol):
    """Chunks that can be read again from the first one, and their terms likewise: a commit may be run twice."""

    @property
    def count(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    def __iter__(self) -> Iterator[Chunk]: ...
    def terms(self, analysis: Analysis) -> Iterator[ChunkTerms]: ...
