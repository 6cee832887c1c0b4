"""The text of an office document, collected paragraph by paragraph into blocks of Markdown below their headings."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block
from ingest.parsing.headings import HeadingPath
from ingest.parsing.tables import Cells, one_line, table_groups
from ingest.parsing.text import clean

_BLOCK_CHARACTERS = 1 << 16  # a section without headings may be a whole book: it goes out in parts
_LONGEST_HEADING = 300  # characters; a longer one is a paragraph that was styled by mistake
_PICTURE = re.compile(r".*\.(?:png|jpe?g|jfif|gif|bmp|tiff?|webp|svg|jp2|heic|emf|wmf)", re.IGNORECASE)
_THUMBNAIL = "thumbnail"  # of the first page, which programs store beside the document
_MAX_MARKS = 6  # of "#"
_MAX_INDENT = 8  # levels of lists


class Sections:
    """``first_heading`` is the first of level 1."""

    def __init__(self) -> None:
        self.first_heading: str | None = None
        self._path = HeadingPath()
        self._complete: list[Block] = []
        self._text: list[str] = []
        self._size = 0
        self._in_list = False

    def heading(self, level: int, text: str) -> None:
        title = one_line(clean(text))
        if len(title) > _LONGEST_HEADING:
            self.paragraph(text)
        elif title:
            self._end_block()
            self._path.enter(level, title)
            self._write(f"{'#' * min(level, _MAX_MARKS)} {title}")
            if level == 1 and self.first_heading is None:
                self.first_heading = title

    def paragraph(self, text: str) -> None:
        for start in range(0, len(text), _BLOCK_CHARACTERS):
            self._write(tidy(text[start : start + _BLOCK_CHARACTERS]))

    def item(self, text: str, *, label: str = "-", depth: int = 0) -> None:
        """A list's item; ``depth`` is 0 for those of a list that is in no other."""
        indent = "  " * min(depth, _MAX_INDENT)
        if text := tidy(text):
            self._write(f"{indent}{label} {text}".replace("\n", f"\n{indent}  "), in_list=True)

    def table(self, rows: Sequence[Cells]) -> None:
        for group in table_groups([[tidy(cell) for cell in row] for row in rows]):
            self._write(group)

    def complete(self) -> Iterator[Block]:
        """The blocks that ended since the last call."""
        complete, self._complete = self._complete, []
        return iter(complete)

    def rest(self) -> Iterator[Block]:
        """At the end, the blocks that are left."""
        self._end_block()
        return self.complete()

    def _write(self, text: str, *, in_list: bool = False) -> None:
        if not text:
            return
        if self._size > _BLOCK_CHARACTERS:
            self._end_block()
        if self._text:
            self._text.append("\n" if in_list and self._in_list else "\n\n")
        self._text.append(text)
        self._size += len(text)
        self._in_list = in_list

    def _end_block(self) -> None:
        if self._text:
            self._complete.append(Block("".join(self._text), self._path.place))
        self._text.clear()
        self._size = 0
        self._in_list = False


def or_needs_ocr(blocks: Iterator[Block], members: Iterable[str]) -> Iterator[Block]:
    """The blocks. Raises ``UnreadableDocument`` (needs_ocr) if there are none, but pictures among the members."""
    found = False
    for block in blocks:
        found = True
        yield block
    if not found and any(_PICTURE.fullmatch(name) and _THUMBNAIL not in name.lower() for name in members):
        raise UnreadableDocument(
            FailureReason.NEEDS_OCR,
            "The document holds pictures and no text."
            " Save it as PDF, run text recognition (OCR) over it and upload the result.",
        )


def tidy(text: str) -> str:
    """Without white space around lines or twice within them, and without empty lines."""
    return "\n".join(filter(None, map(one_line, clean(text).split("\n"))))
