"""What every parser returns: one text, and where in the document its stretches stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from bucketwise.models import Place, PlaceMark


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that stands at one place."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document as text.

    ``marks`` are ordered, the first is at 0 and no two neighbours have the same place. ``pages`` is known
    of PDF alone. ``markdown`` says whether the text is to be split as Markdown.
    """

    title: str | None
    text: str
    marks: tuple[PlaceMark, ...]
    pages: int | None = None
    markdown: bool = False

    @classmethod
    def from_blocks(
        cls,
        blocks: Iterable[Block],
        *,
        separator: str,
        title: str | None = None,
        pages: int | None = None,
        markdown: bool = False,
    ) -> Self:
        """Join the blocks that are not empty; the offsets of the marks are exact by construction.

        Marks count characters (code points). A separator belongs to the block before it.
        """
        texts: list[str] = []
        marks: list[PlaceMark] = []
        position = 0
        for block in blocks:
            if not block.text:
                continue
            if not marks or marks[-1].place != block.place:
                marks.append(PlaceMark(position, block.place))
            texts.append(block.text)
            position += len(block.text) + len(separator)
        return cls(title, separator.join(texts), tuple(marks or [PlaceMark(0, Place())]), pages, markdown)
