"""PowerPoint presentations (pptx, pptm, ppsx, potx): slide by slide, as they are shown."""

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import corrupt, open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.office_graphics import write_graphic
from ingest.parsing.office_text import Anchored, alternative, paragraph_text
from ingest.parsing.opc import Package, Relationship
from ingest.parsing.parts import skip
from ingest.parsing.pictured import MIN_PICTURE_SHARE, skip_pictured
from ingest.parsing.readable import Readable
from ingest.parsing.sections import Sections, or_needs_ocr, tidy
from ingest.parsing.xml_elements import attribute, child, local

MAX_SLIDES = 5_000
"""Ten times the longest real ones."""

_TITLES = frozenset({"title", "ctrTitle"})
_NOT_SHOWN = frozenset({"sldNum", "dt", "hdr", "sldImg"})
_LISTS = frozenset({"body", "obj"})
_BULLET = "-"
_ON = frozenset({"1", "true"})
_MAX_REPEATED = 100  # characters
_SIZE = re.compile(r"[0-9]{1,12}")


def parse_pptx(content: Readable) -> ParsedDocument:
    """One block per slide: its title as a heading, its shapes in their order, its notes last; hidden slides too.

    A slide that is shown again is not repeated. Raises ``UnreadableDocument``: corrupt, encrypted, ...
    """
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    with open_archive(content) as archive:
        package = Package(archive)
        package.properties().write_to(parsed)
        yield from or_needs_ocr(_slide_blocks(package, parsed), archive.names)


def _slide_blocks(package: Package, parsed: ParsedDocument) -> Iterator[Block]:
    slides = _slides(package)
    footers: set[str] = set()
    area = _area(child(package.root(package.main_part()), "sldSz"))
    pictured: list[int] = []
    damaged = 0
    for part, number in slides.items():
        slide = _Slide(package, part, footers)
        try:
            slide.read()
        except UnreadableDocument as problem:
            if problem.reason is not FailureReason.CORRUPT:
                raise
            damaged += 1
            skip(parsed, f"slide {number}: it is damaged")
            continue
        blocks = list(slide.sections.rest())
        if not blocks and area and slide.picture_area >= area * MIN_PICTURE_SHARE:
            pictured.append(number)
        for block in blocks:
            yield replace(block, place=replace(block.place, slide=number))
        parsed.title = parsed.title or slide.sections.first_heading
    if slides and damaged == len(slides):
        raise corrupt()
    skip_pictured(parsed, "slide", sorted(pictured))


def _slides(package: Package) -> dict[str, int]:
    """The number of each slide's part."""
    presentation = package.main_part()
    parts = package.relationships(presentation)
    listed = child(package.root(presentation), "sldIdLst")
    found: dict[str, int] = {}
    for number, slide in enumerate(listed if listed is not None else (), start=1):
        related = parts.get(_related_id(slide))
        if related and related.kind == "slide":
            found.setdefault(related.target, number)
    if len(found) > MAX_SLIDES:
        raise UnreadableDocument(
            FailureReason.TOO_LARGE, f"The presentation has more than {MAX_SLIDES:,} slides. Split it."
        )
    return found


def _related_id(element: Element) -> str:
    """Of ``r:id``; a slide has a number as its ``id`` too."""
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


class _Slide:
    """``footers`` are those that other slides have shown already."""

    def __init__(self, package: Package, part: str, footers: set[str]) -> None:
        self.sections = Sections()
        self.picture_area = 0.0
        self._package = package
        self._part = part
        self._footers = footers
        self._relationships: dict[str, Relationship] = {}

    def read(self) -> None:
        """Raises ``UnreadableDocument``."""
        self._relationships = self._package.relationships(self._part)
        tree = child(self._package.root(self._part), "cSld", "spTree")
        shapes = list(_shapes(tree)) if tree is not None else []
        pictures = (shape for shape in shapes if local(shape) == "pic")
        self.picture_area = sum(_area(child(picture, "spPr", "xfrm", "ext")) for picture in pictures)
        titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        self.sections.heading(1, " ".join(text for shape in titles for text in _texts(shape)))
        for shape in shapes:
            if shape not in titles:
                self._shape(shape)
        for part in self._package.related(self._part, "notesSlide"):
            self._notes(part)

    def _shape(self, shape: Element) -> None:
        kind = _placeholder(shape)
        if kind in _NOT_SHOWN:
            return
        if kind == "ftr":
            for text in _texts(shape):
                if text not in self._footers:
                    self.sections.paragraph(text)
                self._footers.add(text)
            return
        if local(shape) == "graphicFrame":
            self._graphic(shape)
        elif (body := child(shape, "txBody")) is not None:
            self._paragraphs([each for each in body if local(each) == "p"], is_list=kind in _LISTS)

    def _paragraphs(self, paragraphs: list[Element], *, is_list: bool) -> None:
        texts = [paragraph_text(paragraph, Anchored()) for paragraph in paragraphs]
        is_list = is_list and sum(map(bool, texts)) > 1
        number = 0
        for paragraph, text in zip(paragraphs, texts, strict=True):
            properties = child(paragraph, "pPr")
            level = attribute(properties, "lvl") if properties is not None else None
            number = number + 1 if child(properties, "buAutoNum") is not None else 0
            if number:
                label = f"{number}."
            elif child(properties, "buNone") is not None:
                label = ""
            else:
                label = _BULLET if is_list or child(properties, "buChar") is not None else ""
            if label:
                self.sections.item(text, label=label, depth=int(level) if level in set("12345678") else 0)
            else:
                self.sections.paragraph(text)

    def _graphic(self, frame: Element) -> None:
        data = child(frame, "graphic", "graphicData")
        for element in data if data is not None else ():
            if local(element) == "tbl":
                self.sections.table(_rows(element))
            else:
                related = attribute(element, "dm") or attribute(element, "id") or ""
                if found := self._relationships.pop(related, None):
                    write_graphic(self._package, found.target, self.sections)

    def _notes(self, part: str) -> None:
        try:
            tree = child(self._package.root(part), "cSld", "spTree")
        except UnreadableDocument:
            return
        shapes = _shapes(tree) if tree is not None else ()
        texts = [text for shape in shapes if _placeholder(shape) == "body" for text in _texts(shape)]
        if texts:
            self.sections.paragraph("Notes: " + "\n".join(texts))


def _area(size: Element | None) -> float:
    """Of what says its width and height."""
    found = [size.get(name, "") for name in ("cx", "cy")] if size is not None else []
    return float(found[0]) * float(found[1]) if found and all(map(_SIZE.fullmatch, found)) else 0.0


def _rows(table: Element) -> list[list[str]]:
    """Short texts of merged cells stand in each of them."""
    rows: list[list[str]] = []
    for row in (element for element in table if local(element) == "tr"):
        cells: list[str] = []
        for cell in (element for element in row if local(element) == "tc"):
            above = rows[-1][len(cells)] if rows and len(cells) < len(rows[-1]) else ""
            left = cells[-1] if cells else ""
            merged = above if cell.get("vMerge") in _ON else left if cell.get("hMerge") in _ON else None
            cells.append(" ".join(_texts(cell)) if merged is None else merged if len(merged) <= _MAX_REPEATED else "")
        rows.append(cells)
    return rows


def _shapes(parent: Element) -> Iterator[Element]:
    for element in parent:
        name = local(element)
        if name in {"grpSp", "Choice"}:
            yield from _shapes(element)
        elif name == "AlternateContent" and (chosen := alternative(element)) is not None:
            yield from _shapes(chosen)
        elif name in {"sp", "graphicFrame", "cxnSp", "pic"}:
            yield element


def _placeholder(shape: Element) -> str | None:
    """What the shape holds, by the layout that the slide is made from; None for one that was drawn freely."""
    for element in shape:
        if (found := child(element, "nvPr", "ph")) is not None:
            return found.get("type", "obj")
    return None


def _texts(parent: Element) -> list[str]:
    """Of all paragraphs within that are not empty."""
    paragraphs = (element for element in parent.iter() if local(element) == "p")
    return list(filter(None, (tidy(paragraph_text(paragraph, Anchored())) for paragraph in paragraphs)))
