"""Cut a document's text into chunks of a bounded number of tokens, at the most natural boundaries."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from bucketwise.errors import InvalidSettings
from bucketwise.models import Chunk, PlaceMark
from ingest.parsing.document import ParsedDocument
from ingest.tokens import MODEL, count_tokens

CHUNKER_VERSION = "1"
"""Part of the stored fingerprint: to be raised when the same document would be cut otherwise."""

MIN_TOKENS = 16
"""The least size of a chunk: a single character can have several tokens and is never split."""

_WINDOW_CHARACTERS_PER_TOKEN = 32  # eight chunks of English; of larger windows the splitter slows down

_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Chunker:
    """Chunks have at most ``max_tokens`` tokens of ``cl100k_base`` and share up to ``overlap_tokens``.

    Raises ``InvalidSettings`` unless 16 <= max_tokens and 0 <= overlap_tokens < max_tokens.
    """

    max_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        if self.max_tokens < MIN_TOKENS:
            raise InvalidSettings(f"a chunk must be allowed at least {MIN_TOKENS} tokens")
        if not 0 <= self.overlap_tokens < self.max_tokens:
            raise InvalidSettings("the overlap of chunks must be at least 0 and less than a chunk's tokens")

    def split(self, document: ParsedDocument) -> list[Chunk]:
        """The chunks in order; between them nothing but white space is left out."""
        return [
            Chunk(
                ordinal=ordinal,
                text=text,
                tokens=count_tokens(text),
                start=start,
                end=start + len(text),
                marks=_marks_between(document.marks, start, start + len(text)),
            )
            for ordinal, (start, text) in enumerate(self._pieces(document))
        ]

    def _pieces(self, document: ParsedDocument) -> Iterator[tuple[int, str]]:
        """(start, text) of each chunk, from windows of the text.

        A window ends before a heading where it can. Where it cannot, its last piece may be cut short, so
        the next window begins with that piece again.
        """
        text, position = document.text, 0
        splitter = self._splitter(document)
        window = self.max_tokens * _WINDOW_CHARACTERS_PER_TOKEN
        while position < len(text):
            end = _window_end(document, position, window)
            # Markdown's splitter is quadratic in blank lines that end a text.
            pieces = _distinct(splitter.chunk_indices(text[position:end].rstrip()))
            following = end
            if len(pieces) > 1 and end < len(text) and not _is_cut(document, end):
                following = position + pieces.pop()[0]
            yield from ((position + start, piece) for start, piece in pieces)
            position = following

    def _splitter(self, document: ParsedDocument) -> MarkdownSplitter | TextSplitter:
        kind = MarkdownSplitter if document.markdown else TextSplitter
        return kind.from_tiktoken_model(MODEL, self.max_tokens, overlap=self.overlap_tokens)


def _distinct(pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The pieces that do not stand within a neighbour: with an overlap Markdown's splitter gives such ones too."""
    distinct: list[tuple[int, str]] = []
    for start, piece in pieces:
        if distinct and start + len(piece) <= distinct[-1][0] + len(distinct[-1][1]):
            continue
        if distinct and start <= distinct[-1][0]:
            distinct.pop()
        distinct.append((start, piece))
    return distinct


def _window_end(document: ParsedDocument, position: int, window: int) -> int:
    """Where the window that begins at ``position`` ends: before a heading of Markdown, if one is in reach.

    A window that begins within a section ends with it: the splitter may take the rest of a code block for
    headings, and that must not reach into the next section.
    """
    limit = min(position + window, len(document.text))
    from_heading = _is_cut(document, position)
    if not document.markdown or (from_heading and limit == len(document.text)):
        return limit
    marks = document.marks
    first = bisect_right(marks, position, key=_start)
    last = bisect_right(marks, limit, key=_start) - 1
    if last < first:
        return limit
    return marks[last if from_heading else first].start


def _is_cut(document: ParsedDocument, position: int) -> bool:
    """Whether a heading's section begins at ``position``, so that no chunk need go across it."""
    marks = document.marks
    found = bisect_left(marks, position, key=_start)
    return document.markdown and found < len(marks) and marks[found].start == position


def _marks_between(marks: tuple[PlaceMark, ...], start: int, end: int) -> tuple[PlaceMark, ...]:
    first = bisect_right(marks, start, key=_start)
    last = bisect_left(marks, end, lo=first, key=_start)
    return (PlaceMark(start, marks[first - 1].place), *marks[first:last])
