"""OpenDocument texts and presentations (odt, ott, odp, otp), as LibreOffice writes them."""

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from ingest.parsing.archive import Archive, open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.odf import odf_properties, refuse_encrypted
from ingest.parsing.odf_text import OdfWalk, Styles, element_texts
from ingest.parsing.readable import Readable
from ingest.parsing.sections import or_needs_ocr
from ingest.parsing.xml_elements import Path, attribute, local, read_elements

_CONTENT = "content.xml"
_STYLES = "styles.xml"

_Reader = Callable[["_Document", ParsedDocument], Iterator[Block]]


def parse_odt(content: Readable) -> ParsedDocument:
    """One block per section with its headings; notes stand after the paragraph that refers to them.

    Deleted revisions and tables of contents are left out. Raises ``UnreadableDocument``: corrupt, encrypted, ...
    """
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed, _text_blocks)
    return parsed


def parse_odp(content: Readable) -> ParsedDocument:
    """One block per slide, its notes last. Raises ``UnreadableDocument``: corrupt, encrypted, ..."""
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed, _slide_blocks)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument, read: _Reader) -> Iterator[Block]:
    with open_archive(content) as archive:
        document = _Document(archive)
        odf_properties(archive).write_to(parsed)
        yield from or_needs_ocr(read(document, parsed), archive.names)


def _text_blocks(document: "_Document", parsed: ParsedDocument) -> Iterator[Block]:
    walk = document.walk()
    document.write_margins(walk, "header")
    for element in document.elements("text"):
        walk.over([element])
        yield from walk.sections.complete()
    document.write_margins(walk, "footer")
    yield from walk.sections.rest()
    parsed.title = parsed.title or walk.sections.first_heading


def _slide_blocks(document: "_Document", parsed: ParsedDocument) -> Iterator[Block]:
    pages = (element for element in document.elements("presentation") if local(element) == "page")
    for number, page in enumerate(pages, start=1):
        walk = document.walk()
        _write_slide(page, walk)
        for block in walk.sections.rest():
            yield replace(block, place=replace(block.place, slide=number))
        parsed.title = parsed.title or walk.sections.first_heading


def _write_slide(page: Element, walk: OdfWalk) -> None:
    titles = [shape for shape in page if attribute(shape, "class") == "title"]
    walk.sections.heading(1, " ".join(chain.from_iterable(map(element_texts, titles))))
    walk.over(shape for shape in page if attribute(shape, "class") != "title")
    for notes in (shape for shape in page if local(shape) == "notes"):
        texts = [text for shape in notes if attribute(shape, "class") == "notes" for text in element_texts(shape)]
        if any(texts):
            walk.sections.paragraph("Notes: " + "\n".join(texts))


class _Document:
    def __init__(self, archive: Archive) -> None:
        refuse_encrypted(archive)
        self._archive = archive
        self._styles = Styles()
        self._objects_seen: set[str] = set()
        self._margins: dict[str, list[str]] = {"header": [], "footer": []}
        if _STYLES in archive:
            self._read_styles()

    def walk(self) -> OdfWalk:
        walk = OdfWalk(self._styles, lambda name: self._write_object(name, walk))
        return walk

    def elements(self, kind: str) -> Iterator[Element]:
        """The parts of the body, after the styles that are made for them have been read."""
        styles: Path = ("document-content", "automatic-styles")
        with self._archive.open(_CONTENT) as stream:
            for element in read_elements(stream, styles, ("document-content", "body", kind)):
                if local(element) in {"style", "list-style"}:
                    self._styles.read(element)
                else:
                    yield element

    def write_margins(self, walk: OdfWalk, kind: str) -> None:
        """The headers or footers of all pages, each once."""
        for text in dict.fromkeys(self._margins[kind]):
            if any(map(str.isalpha, text)):
                walk.sections.paragraph(text)

    def _read_styles(self) -> None:
        styles: Path = ("document-styles", "styles")
        with self._archive.open(_STYLES) as stream:
            for element in read_elements(stream, styles, ("document-styles", "master-styles")):
                if local(element) != "master-page":
                    self._styles.read(element)
                    continue
                for margin in element:
                    kind = local(margin).partition("-")[0]  # header-left and header-first are others of the same
                    if kind in self._margins:
                        self._margins[kind] += element_texts(margin)

    def _write_object(self, href: str, walk: OdfWalk) -> None:
        """A chart's title and the table of its values; nothing of other objects, or if it is damaged."""
        name = posixpath.join(posixpath.normpath(href), _CONTENT)
        if name in self._objects_seen or name not in self._archive:
            return
        self._objects_seen.add(name)
        try:
            with self._archive.open(name) as stream:
                for element in read_elements(stream, ("document-content", "body", "chart", "chart")):
                    walk.over([element])
        except UnreadableDocument:
            return
