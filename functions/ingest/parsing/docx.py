"""Word documents (docx, docm, dotx): a walk over their paragraphs and tables."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from ingest.parsing.archive import open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.docx_styles import Numbering, Styles
from ingest.parsing.office_graphics import write_graphic
from ingest.parsing.office_text import Anchored, alternative, note_mark, paragraph_text
from ingest.parsing.opc import Package
from ingest.parsing.readable import Readable
from ingest.parsing.sections import Sections, or_needs_ocr, tidy
from ingest.parsing.xml_elements import attribute, child, local

_WRAPPERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"})
_MAX_SPAN = 20  # columns that a cell is repeated for
_MAX_REPEATED = 100  # characters; a longer text of merged cells is written once


def parse_docx(content: Readable) -> ParsedDocument:
    """One block per section with its headings; footnotes stand after the paragraph that refers to them.

    Deleted revisions and tables of contents are left out. Raises ``UnreadableDocument``: corrupt, encrypted, ...
    """
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    with open_archive(content) as archive:
        package = Package(archive)
        package.properties().write_to(parsed)
        walk = _Walk(package, package.main_part())
        yield from or_needs_ocr(walk.blocks(), archive.names)
        parsed.title = parsed.title or walk.sections.first_heading


class _Walk:
    def __init__(self, package: Package, part: str) -> None:
        self.sections = Sections()
        self._package = package
        self._part = part
        self._relationships = package.relationships(part)
        self._styles = Styles(self._related_root("styles"))
        self._numbering = Numbering(self._related_root("numbering"))
        self._notes = {**self._read_notes("footnotes"), **self._read_notes("endnotes")}

    def blocks(self) -> Iterator[Block]:
        self._margins("header")
        for element in self._package.elements(self._part, ("document", "body")):
            self._over([element])
            yield from self.sections.complete()
        self._margins("footer")
        yield from self.sections.rest()

    def _over(self, parent: Element | list[Element]) -> None:
        for element in _found(parent, "p", "tbl"):
            anchored = Anchored()
            if local(element) == "p":
                self._paragraph(element, anchored)
            else:
                self._table(element, anchored)
            self._write_anchored(anchored)

    def _margins(self, kind: str) -> None:
        """The headers or footers of all pages, each once."""
        texts: dict[str, None] = {}
        for part in self._package.related(self._part, kind):
            try:
                root = self._package.root(part)
            except UnreadableDocument:
                continue
            paragraphs = (element for element in root.iter() if local(element) == "p")
            texts.update(dict.fromkeys(tidy(paragraph_text(each, Anchored())) for each in paragraphs))
        for text in texts:
            if any(map(str.isalpha, text)):
                self.sections.paragraph(text)

    def _paragraph(self, paragraph: Element, anchored: Anchored) -> None:
        properties = child(paragraph, "pPr")
        if self._styles.name(properties).startswith("toc "):
            return
        text = paragraph_text(paragraph, anchored)
        if not text and child(properties, "rPr", "del") is not None:
            return  # a deleted paragraph takes no number
        label = self._label(properties)
        level = self._styles.heading_level(properties)
        if level is not None:
            self.sections.heading(level, _numbered(label, text))
        elif label:
            place = self._styles.list_place(properties)
            self.sections.item(text, label=label, depth=place.level if place else 0)
        else:
            self.sections.paragraph(text)

    def _label(self, properties: Element | None) -> str:
        place = self._styles.list_place(properties)
        return self._numbering.label(place) if place else ""

    def _table(self, table: Element, anchored: Anchored) -> None:
        rows = [list(_found(row, "tc")) for row in _found(table, "tr") if child(row, "trPr", "del") is None]
        if all(len(row) <= 1 for row in rows):  # a frame around text
            for cell in (cell for row in rows for cell in row):
                self._over(cell)
            return
        lines: list[list[str]] = []
        for row in rows:
            line: list[str] = []
            for cell in row:
                line += self._spanned(cell, anchored, lines[-1] if lines else [], len(line), alone=len(row) == 1)
            lines.append(line)
        self.sections.table(lines)

    def _spanned(self, cell: Element, anchored: Anchored, above: list[str], column: int, *, alone: bool) -> list[str]:
        """The text for each of the columns that a cell spans, that of the cell above if it is merged with that."""
        span = child(cell, "tcPr", "gridSpan")
        columns = min(int(value), _MAX_SPAN) if (value := _value(span)).isdecimal() and len(value) < 4 else 1
        merge = child(cell, "tcPr", "vMerge")
        if merge is not None and _value(merge) != "restart":
            texts = [*above[column : column + columns], *[""] * columns][:columns]
            return [text if len(text) <= _MAX_REPEATED else "" for text in texts]
        text = tidy(" ".join(self._cell_texts(cell, anchored)))
        is_label = len(text) <= _MAX_REPEATED and not alone
        return [text, *([text if is_label else ""] * (columns - 1))]

    def _cell_texts(self, cell: Element, anchored: Anchored) -> Iterator[str]:
        for element in _found(cell, "p", "tbl"):
            if local(element) == "p":
                yield _numbered(self._label(child(element, "pPr")), paragraph_text(element, anchored))
            else:
                for row in _found(element, "tr"):
                    for inner in _found(row, "tc"):
                        yield from self._cell_texts(inner, anchored)

    def _write_anchored(self, anchored: Anchored) -> None:
        for box in anchored.boxes:
            self._over(box)
        for identifier in anchored.graphics:
            if related := self._relationships.pop(identifier, None):
                write_graphic(self._package, related.target, self.sections)
        for identifier in anchored.notes:
            if text := self._notes.pop(identifier, ""):
                self.sections.paragraph(f"{note_mark(identifier)}: {text}")

    def _related_root(self, kind: str) -> Element | None:
        for part in self._package.related(self._part, kind):
            return self._package.root(part)
        return None

    def _read_notes(self, kind: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in self._package.related(self._part, kind):
            for note in self._package.elements(part, (kind,)):
                texts = [paragraph_text(each, Anchored()) for each in note.iter() if local(each) == "p"]
                found[kind[0] + (attribute(note, "id") or "")] = tidy(" ".join(texts))
        return found


def _found(parent: Element | list[Element], *names: str) -> Iterator[Element]:
    """The elements of these names, also those in content controls and inserted revisions."""
    for element in parent:
        name = local(element)
        if name in names:
            yield element
        elif name in _WRAPPERS:
            yield from _found(element, *names)
        elif name == "AlternateContent" and (chosen := alternative(element)) is not None:
            yield from _found(chosen, *names)


def _numbered(label: str, text: str) -> str:
    return f"{label} {text}" if text.strip() and label not in {"", "-"} else text


def _value(element: Element | None) -> str:
    return "" if element is None else attribute(element, "val") or ""
