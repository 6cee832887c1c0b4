"""The text of OpenDocument's elements: a walk over paragraphs, lists, tables and frames."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ingest.parsing.sections import Sections, tidy
from ingest.parsing.xml_elements import attribute, child, local

_NO_TEXT = frozenset({"annotation", "annotation-end", "ruby-text", "hidden-text", "hidden-paragraph", "script"})
_NO_BLOCKS = frozenset({"tracked-changes", "forms", "table-of-content", "notes", "desc"})
_FRAMES = frozenset({"frame", "custom-shape", "g", "rect", "text-box", "line", "ellipse", "polygon", "path", "a"})
_PARAGRAPHS = frozenset({"p", "h"})
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_NUMBER_STYLE = "list-level-style-number"
_SPACES = re.compile(r"\s+")
_MAX_REPEATED = 20  # columns that are written once with a number beside them


@dataclass(slots=True)
class Styles:
    """``parents`` of paragraphs' styles; ``numbered`` holds the lists' styles and levels that number their items."""

    parents: dict[str, str] = field(default_factory=dict)
    numbered: set[tuple[str, int]] = field(default_factory=set)

    def read(self, style: Element) -> None:
        name = attribute(style, "name") or ""
        if local(style) == "list-style":
            self.numbered.update((name, _count(level, "level")) for level in style if local(level) == _NUMBER_STYLE)
        elif parent := attribute(style, "parent-style-name"):
            self.parents[name] = parent

    def is_title(self, paragraph: Element) -> bool:
        name = attribute(paragraph, "style-name") or ""
        return "Title" in {name, self.parents.get(name)}


class OdfWalk:
    """Writes elements into ``sections``. ``write_object`` is given the name of each object in a frame, like a chart."""

    def __init__(self, styles: Styles, write_object: Callable[[str], None]) -> None:
        self.sections = Sections()
        self._styles = styles
        self._write_object = write_object

    def over(self, parent: Iterable[Element]) -> None:
        for element in parent:
            name = local(element)
            if name in _PARAGRAPHS:
                self._paragraph(element)
            elif name == "list":
                self._list(element, attribute(element, "style-name") or "", 1)
            elif name == "table":
                self._table(element)
            elif name == "object":
                self._write_object(attribute(element, "href") or "")
            elif name not in _NO_BLOCKS:
                self.over(element)

    def _paragraph(self, paragraph: Element) -> None:
        anchored = Anchored()
        text = "".join(_pieces(paragraph, anchored))
        if local(paragraph) == "h":
            self.sections.heading(_count(paragraph, "outline-level"), text)
        elif self._styles.is_title(paragraph):
            self.sections.heading(1, text)
        else:
            self.sections.paragraph(text)
        self._write_anchored(anchored)

    def _list(self, element: Element, style: str, level: int) -> None:
        number = 0
        for item in element:
            number = _count(item, "start-value") if attribute(item, "start-value") else number + 1
            label = f"{number}." if (style, level) in self._styles.numbered else "-"
            for part in item:
                if local(part) == "list":
                    self._list(part, attribute(part, "style-name") or style, level + 1)
                elif local(part) == "p":
                    anchored = Anchored()
                    self.sections.item("".join(_pieces(part, anchored)), label=label, depth=level - 1)
                    self._write_anchored(anchored)
                    label = " "  # for what else the item holds
                else:
                    self.over([part])

    def _table(self, table: Element) -> None:
        anchored = Anchored()
        rows: list[list[str]] = []
        for row in _rows(table):
            cells: list[str] = []
            for cell in (each for each in row if local(each) in _CELLS):
                text = tidy(" ".join(_texts(cell, anchored)))
                cells += [text] * min(_count(cell, "number-columns-repeated"), _MAX_REPEATED)
            rows.append(cells)
        self.sections.table(rows)
        self._write_anchored(anchored)

    def _write_anchored(self, anchored: "Anchored") -> None:
        self.over(anchored.frames)
        for mark, note in anchored.notes:
            self.sections.paragraph(f"{mark}: {tidy(' '.join(_texts(note, Anchored())))}")


@dataclass(slots=True)
class Anchored:
    """What a paragraph holds that stands outside of it: frames, and notes with their marks."""

    frames: list[Element] = field(default_factory=list)
    notes: list[tuple[str, Element]] = field(default_factory=list)


def element_texts(parent: Element) -> list[str]:
    """Of all paragraphs within, without what is anchored in them."""
    return [tidy(text) for text in _texts(parent, Anchored())]


def _pieces(parent: Element, anchored: Anchored) -> Iterator[str]:
    yield _SPACES.sub(" ", parent.text or "")
    for element in parent:
        name = local(element)
        if name == "s":
            yield " "
        elif name == "tab":
            yield "\t"
        elif name == "line-break":
            yield "\n"
        elif name == "note":
            yield _note_mark(element, anchored)
        elif name in _FRAMES and not _is_link(element):
            anchored.frames.append(element)
        elif name not in _NO_TEXT:
            yield from _pieces(element, anchored)
        yield _SPACES.sub(" ", element.tail or "")


def _is_link(element: Element) -> bool:
    """Whether it is a ``text:a`` and not a ``draw:a``, which holds a frame."""
    return local(element) == "a" and not any(local(each) in _FRAMES for each in element)


def _note_mark(note: Element, anchored: Anchored) -> str:
    citation, body = child(note, "note-citation"), child(note, "note-body")
    if citation is None or body is None:
        return ""
    mark = f"[^{tidy(''.join(citation.itertext()))}]"
    anchored.notes.append((mark, body))
    return mark


def _texts(parent: Element, anchored: Anchored) -> Iterator[str]:
    for element in parent:
        if local(element) in _PARAGRAPHS:
            yield "".join(_pieces(element, anchored))
        elif local(element) not in _NO_BLOCKS:
            yield from _texts(element, anchored)


def _rows(parent: Element) -> Iterator[Element]:
    for element in parent:
        if local(element) == "table-row":
            yield element
        elif local(element).startswith("table-"):  # header rows, groups of rows
            yield from _rows(element)


def _count(element: Element, name: str) -> int:
    value = attribute(element, name) or ""
    return max(1, int(value[:9])) if value.isdecimal() else 1
