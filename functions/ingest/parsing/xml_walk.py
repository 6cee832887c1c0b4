"""A walk over the elements of XML as they are parsed, that makes Markdown of what they say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block
from ingest.parsing.headings import HeadingPath
from ingest.parsing.html import html_document
from ingest.parsing.markup import heading
from ingest.parsing.tables import Cells, one_line, table_groups

MAX_DEPTH = 500
"""Elements within one another."""

_BLOCK_CHARACTERS = 1 << 13
_LONGEST_BLOCK = 1 << 22  # characters; one text may be longer
_MAX_HEADINGS = 12  # above one another; they are stored with every mark
_MAX_VALUE = 100  # characters; a longer text speaks for itself
_MAX_TITLE = 200
_MAX_ATTRIBUTE = 200

_TITLES = {"title", "article-title", "head", "heading"}
_PARAGRAPHS = {"p", "para", "simpara", "item", "li", "line", "l", "seg", "text"}
_BREAKS = {"p", "para", "br", "lb", "li", "item", "row", "tr", "td", "th", "entry", "line", "l", "title", "sec", "list"}
_TABLES = {"table", "tgroup", "informaltable"}
_ROWS = {"tr", "row"}
_CELLS = {"td", "th", "entry", "cell"}
_DRAWING = "{http://www.w3.org/2000/svg}"  # its attributes are lines and colours
_NO_TEXT_IN_DRAWING = {"style", "script"}
_MARKUP = re.compile(r"</(?:p|div|li|a|td|h[1-6])>|<br ?/?>", re.IGNORECASE)
_SAYS_NOTHING = {
    "id",
    "rid",
    "style",
    "class",
    "space",
    "schemaLocation",
    "noNamespaceSchemaLocation",
    "position",
    "nil",
}


@dataclass(slots=True)
class _Element:
    name: str
    attributes: str = ""
    is_shown: bool = False
    is_empty: bool = True
    has_text: bool = True


class XmlWalk:
    """Takes the parser's events. ``title`` is the first heading."""

    def __init__(self) -> None:
        self.title: str | None = None
        self._path = HeadingPath()
        self._headed: list[int] = []  # the depths of elements that have a heading, outermost first
        self._elements: list[_Element] = []
        self._run: list[str] = []
        self._run_depth = 0  # of the element whose text is being read, 0 between texts
        self._rows: list[list[str]] | None = None
        self._complete: list[Block] = []
        self._text: list[str] = []
        self._size = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._elements) >= MAX_DEPTH:
            raise UnreadableDocument(
                FailureReason.TOO_COMPLEX, f"The XML is nested more than {MAX_DEPTH} deep. Save it in a simpler form."
            )
        name = tag.rpartition("}")[2]
        if self._elements:
            self._elements[-1].is_empty = False
        is_drawing = tag.startswith(_DRAWING)
        shown = "" if self._run_depth or is_drawing else _shown(attributes)
        has_text = not is_drawing or name not in _NO_TEXT_IN_DRAWING
        self._elements.append(_Element(name, shown, has_text=has_text))
        if self._run_depth:
            if name in _BREAKS:
                self._run.append(" ")
        elif name in _TABLES:
            self._rows = []
        elif self._rows is not None and name in _ROWS:
            self._rows.append([])
        elif self._rows and name in _CELLS:
            self._rows[-1].append("")

    def data(self, text: str) -> None:
        if not self._run_depth and text.strip() and self._elements[-1].has_text:
            self._run_depth = len(self._elements)
        if self._run_depth:
            self._run.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        depth = len(self._elements)
        if depth == self._run_depth:
            text = "".join(self._run)
            self._run.clear()
            self._run_depth = 0
            self._leaf(_without_markup(text) if _MARKUP.search(text) else one_line(text))
        elif not self._run_depth and self._elements[-1].is_empty and self._elements[-1].attributes:
            self._introduce(self._elements[:-1])
            self._write(f"{name}{self._elements[-1].attributes}", "\n")
        if self._headed and self._headed[-1] >= depth:
            self._end_section(depth)
        self._elements.pop()
        if name in _TABLES and self._rows is not None and not self._run_depth:
            self._end_table(self._rows)

    def close(self) -> None:
        self._end_block()

    def complete(self) -> Iterator[Block]:
        """The blocks that ended since the last call."""
        complete, self._complete = self._complete, []
        return iter(complete)

    def _leaf(self, text: str) -> None:
        *above, element = self._elements
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {text}".strip()
        elif element.name in _TITLES and len(text) <= _MAX_TITLE and len(self._headed) < _MAX_HEADINGS:
            self._heading(max(len(above), 1), text)
        elif element.name in _PARAGRAPHS or (len(text) > _MAX_VALUE and not element.attributes):
            self._introduce(above, only_attributes=True)
            self._write(text, "\n\n")
        else:
            self._introduce(above)
            self._write(f"{element.name}{element.attributes}: {text}", "\n")
        element.is_shown = True

    def _introduce(self, elements: list[_Element], *, only_attributes: bool = False) -> None:
        """Name an element that is to say something, once."""
        for element in elements[-1:]:
            if not element.is_shown and (element.attributes or not only_attributes):
                self._write(f"{element.name}{element.attributes}", "\n\n")
            element.is_shown = True

    def _heading(self, depth: int, text: str) -> None:
        self._end_section(depth)
        self._path.enter(depth, text)
        self._headed.append(depth)
        self._write(heading(len(self._path.place.heading), text), "\n\n")
        self.title = self.title or text

    def _end_section(self, depth: int) -> None:
        self._end_block()
        self._path.enter(depth, "")
        while self._headed and self._headed[-1] >= depth:
            self._headed.pop()

    def _end_table(self, rows: list[list[str]]) -> None:
        self._rows = None
        cells: list[Cells] = list(rows)
        for group in table_groups(cells):
            self._write(group, "\n\n")

    def _write(self, text: str, gap: str) -> None:
        if self._size > _BLOCK_CHARACTERS:
            self._end_block()
        if self._text:
            self._text.append(gap)
        self._text.append(text)
        self._size += len(text)

    def _end_block(self) -> None:
        if self._text:
            text = "".join(self._text)
            pieces = (text[start : start + _LONGEST_BLOCK] for start in range(0, len(text), _LONGEST_BLOCK))
            self._complete.extend(Block(piece, self._path.place) for piece in pieces)
        self._text.clear()
        self._size = 0


def _without_markup(text: str) -> str:
    """Feeds hold pages of HTML as text."""
    return "\n\n".join(block.text for block in html_document(text).blocks)


def _shown(attributes: dict[str, str]) -> str:
    pairs = ((name.rpartition("}")[2], one_line(value)) for name, value in attributes.items())
    shown = [f"{name}: {value[:_MAX_ATTRIBUTE]}" for name, value in pairs if value and name not in _SAYS_NOTHING]
    return f" ({', '.join(shown)})" if shown else ""
