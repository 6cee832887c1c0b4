"""Cut a document's text into chunks of a bounded number of tokens, at the most natural boundaries."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from operator import attrgetter

from bucketwise.errors import InvalidSettings
from bucketwise.models import Chunk, Place, PlaceMark
from ingest.boundaries import Level
from ingest.cuts import Cuts
from ingest.parsing.document import Block, ParsedDocument
from ingest.tokens import CountedText

MIN_TOKENS = 16
"""The least size of a chunk: a single character can have several tokens and is never split."""

_WINDOW_CHARACTERS_PER_TOKEN = 60  # fifteen chunks of English
_AHEAD_CHARACTERS_PER_TOKEN = 8  # two chunks: more than a cut is decided by

_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Chunker:
    """Chunks have at most ``max_tokens`` tokens of ``cl100k_base`` and share up to ``overlap_tokens``.

    A document of up to ``whole_tokens`` tokens is one chunk: an abstract is found better by all of it than by a half.

    Raises ``InvalidSettings`` unless 16 <= max_tokens and 0 <= overlap_tokens < max_tokens.
    """

    max_tokens: int
    overlap_tokens: int
    whole_tokens: int = 0

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
        if whole := self._whole(window):
            yield whole
            return
        ordinals = count()
        start, body, level = 0, 0, Level.SECTION  # of the next chunk, in the window
        while window.text:
            text = window.text
            blank = body + len(text[body:]) - len(text[body:].lstrip())
            start, body = (blank if start == body else start), blank
            enough = len(text) - (0 if window.is_last else self.max_tokens * _AHEAD_CHARACTERS_PER_TOKEN)
            cuts = Cuts(text, window.sections(), is_last=window.is_last, max_tokens=self.max_tokens)
            is_first = True
            while body < len(text) and (is_first or body < enough):
                gap = cuts.end(start, body, level)
                tokens = cuts.tokens(start, gap.start)
                if tokens > self.max_tokens:  # what is repeated leaves no room for the next character
                    start = body
                    gap = cuts.end(start, body, level)
                    tokens = cuts.tokens(start, gap.start)
                yield window.chunk(next(ordinals), start, gap.start, tokens)
                start, body, level = cuts.overlap(start, gap, self.overlap_tokens), gap.end, gap.level
                is_first = False
            if body >= len(text) and window.is_last:
                return
            window.move_to(start)
            start, body = 0, body - start

    def _whole(self, window: "_Window") -> Chunk | None:
        text = window.text.strip()
        if not (text and self.whole_tokens and window.is_last):
            return None
        start = window.text.index(text)
        tokens = CountedText(text, self.whole_tokens).about(0, len(text))
        return window.chunk(0, start, start + len(text), tokens) if tokens <= self.whole_tokens else None


class _Window:
    """A stretch of ``size`` characters of the text, less at its end, read from the document's blocks.

    ``marks`` are those of what is read, which may be more: ordered, the first says where the window begins, and no two
    neighbours have the same place. Their offsets are those of the whole text.
    """

    def __init__(self, document: ParsedDocument, size: int) -> None:
        self._markdown = document.markdown
        self._size = size
        self._stretches = _stretches(document, size)
        self._start = 0
        self._read = ""
        self._marks: list[PlaceMark] = []
        self.move_to(0)

    @property
    def text(self) -> str:
        return self._read[: self._size]

    @property
    def is_last(self) -> bool:
        return len(self._read) <= self._size

    def move_to(self, offset: int) -> None:
        """Leave what stands before ``offset`` in the window, and read on."""
        texts = [self._read[offset:]]
        self._start += offset
        read = len(texts[0])
        while read <= self._size and (stretch := next(self._stretches, None)):
            if not self._marks or self._marks[-1].place != stretch.place:
                self._marks.append(PlaceMark(self._start + read, stretch.place))
            texts.append(stretch.text)
            read += len(stretch.text)
        self._read = "".join(texts)
        del self._marks[: bisect_right(self._marks, self._start, key=_start) - 1]

    def sections(self) -> list[int]:
        """Where in the window the sections of Markdown begin."""
        return [mark.start - self._start for mark in self._marks] if self._markdown else []

    def chunk(self, ordinal: int, first: int, last: int, tokens: int) -> Chunk:
        """Of what stands from ``first`` to ``last`` in the window."""
        start, end = self._start + first, self._start + last
        return Chunk(ordinal, self._read[first:last], tokens, start, end, self._marks_between(start, end))

    def _marks_between(self, start: int, end: int) -> tuple[PlaceMark, ...]:
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
