"""Cut a document's text into chunks of a bounded number of tokens, at the most natural boundaries."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from operator import attrgetter

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from bucketwise.errors import InvalidSettings
from bucketwise.models import Chunk, Place, PlaceMark
from ingest.parsing.document import Block, ParsedDocument
from ingest.tokens import CountedText

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

    def split(self, document: ParsedDocument) -> Iterator[Chunk]:
        """The chunks in order; between them nothing but white space is left out.

        Reads the document's blocks as chunks are asked for, and holds one window of the text and one block.
        """
        window = _Window(document, self.max_tokens * _WINDOW_CHARACTERS_PER_TOKEN)
        ordinals = count()
        while window.text:
            # Markdown's splitter is quadratic in blank lines that end a text.
            text = CountedText(window.text[: window.end - window.start].rstrip())
            pieces = _distinct(self._splitter(document, text).chunk_indices(text.text))
            following = window.following(pieces)
            for offset, piece in pieces:
                start = window.start + offset
                end = start + len(piece)
                yield Chunk(next(ordinals), piece, text.count(piece), start, end, window.marks_between(start, end))
            window.move_to(following)

    def _splitter(self, document: ParsedDocument, text: CountedText) -> MarkdownSplitter | TextSplitter:
        kind = MarkdownSplitter if document.markdown else TextSplitter
        return kind.from_callback(text.count, self.max_tokens, overlap=self.overlap_tokens)


class _Window:
    """The text from ``start`` on: more than ``size`` characters unless the document ends, read from its blocks.

    Offsets are those of the whole text. ``marks`` are ordered, the first says where ``start`` stands, and no two
    neighbours have the same place.
    """

    def __init__(self, document: ParsedDocument, size: int) -> None:
        self._markdown = document.markdown
        self._size = size
        self._stretches = _stretches(document, size)
        self.start = 0
        self.text = ""
        self._marks: list[PlaceMark] = []
        self.move_to(0)

    def move_to(self, start: int) -> None:
        """Leave what stands before ``start``, and read on."""
        texts = [self.text[start - self.start :]]
        read = len(texts[0])
        while read <= self._size and (stretch := next(self._stretches, None)):
            if not self._marks or self._marks[-1].place != stretch.place:
                self._marks.append(PlaceMark(start + read, stretch.place))
            texts.append(stretch.text)
            read += len(stretch.text)
        self.text = "".join(texts)
        self.start = start
        del self._marks[: bisect_right(self._marks, start, key=_start) - 1]

    @property
    def end(self) -> int:
        """Where the window is to end: before a heading of Markdown, if one is in reach.

        A window that begins within a section ends with it: the splitter may take the rest of a code block for
        headings, and that must not reach into the next section.
        """
        limit = self.start + min(self._size, len(self.text))
        from_heading = self._is_cut(self.start)
        if not self._markdown or (from_heading and len(self.text) <= self._size):
            return limit
        first = bisect_right(self._marks, self.start, key=_start)
        last = bisect_right(self._marks, limit, key=_start) - 1
        if last < first:
            return limit
        return self._marks[last if from_heading else first].start

    def following(self, pieces: list[tuple[int, str]]) -> int:
        """Where the next window begins. Takes the last piece off if it may be cut short: that begins the next."""
        end = self.end
        if len(pieces) > 1 and end < self.start + len(self.text) and not self._is_cut(end):
            return self.start + pieces.pop()[0]
        return end

    def _is_cut(self, position: int) -> bool:
        """Whether a heading's section begins at ``position``, so that no chunk need go across it."""
        found = bisect_left(self._marks, position, key=_start)
        return self._markdown and found < len(self._marks) and self._marks[found].start == position

    def marks_between(self, start: int, end: int) -> tuple[PlaceMark, ...]:
        first = bisect_right(self._marks, start, key=_start)
        last = bisect_left(self._marks, end, lo=first, key=_start)
        return (PlaceMark(start, self._marks[first - 1].place), *self._marks[first:last])


def _stretches(document: ParsedDocument, most: int) -> Iterator[Block]:
    """The text and its separators in stretches of up to ``most`` characters; none is empty."""
    place: Place | None = None
    for block in document.blocks:
        if not block.text:
            continue
        if place is not None and document.separator:
            yield Block(document.separator, place)
        place = block.place
        for start in range(0, len(block.text), most):
            yield Block(block.text[start : start + most], place)


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
