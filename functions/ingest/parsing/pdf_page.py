"""One page of a PDF: the text that pdfium finds, and how much of the page pictures cover."""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.parsing.pdf_forms import FilledFields
from ingest.parsing.pdf_lines import with_joined_lines
from ingest.parsing.text import clean

FEW_LETTERS = 100
"""A page with more is not looked at for pictures: it has text, whatever it shows beside."""

_MAX_OBJECTS = 10_000  # of one page that are looked at; a scan in strips has hundreds
_MAX_FORM_DEPTH = 5
_NOT_DRAWN = {pdfium_c.FPDF_PAGEOBJ_TEXT, pdfium_c.FPDF_PAGEOBJ_FORM}
_LETTER = re.compile(r"[^\W\d_]")
_NO_BREAK_SPACE = "\u00a0"


@dataclass(frozen=True, slots=True)
class Page:
    """``text`` is stripped, and None when pdfium cannot load the page. ``picture_share`` of its area, 0 to 1, is
    covered by pictures; like ``is_drawn``, whether it shows anything but text, it is known of pages with few letters.
    """

    number: int
    text: str | None
    picture_share: float = 0.0
    is_drawn: bool = False

    @property
    def letters(self) -> int:
        return len(_LETTER.findall(self.text or ""))


def read_page(document: pdfium.PdfDocument, index: int, fields: FilledFields) -> Page:
    """``index`` counts from 0, the page's number from 1. What was filled in follows the text."""
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as textpage:
            # pdfium writes U+0002 or U+FFFE for a line's end with its hyphen: dropping it joins the word.
            text = clean(textpage.get_text_bounded()).replace(_NO_BREAK_SPACE, " ").strip()
            lines = [with_joined_lines(text), *fields.lines(document, page)]
            read = Page(index + 1, "\n".join(filter(None, lines)))
            return read if read.letters > FEW_LETTERS else _looked_at(page, read)
    except pdfium.PdfiumError:
        return Page(index + 1, None)


def _looked_at(page: pdfium.PdfPage, read: Page) -> Page:
    left, bottom, right, top = page.get_bbox()
    area = (right - left) * (top - bottom)
    covered = 0.0
    is_drawn = False
    shapes = _shapes(_Objects.of_page(page), pdfium.PdfMatrix(), _MAX_FORM_DEPTH)
    for kind, box in islice(shapes, _MAX_OBJECTS):
        is_drawn = is_drawn or kind not in _NOT_DRAWN
        if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            width = min(box[2], right) - max(box[0], left)
            height = min(box[3], top) - max(box[1], bottom)
            covered += max(0.0, width) * max(0.0, height)
    share = min(1.0, covered / area) if area > 0 else 0.0
    return Page(read.number, read.text, share, is_drawn)


@dataclass(frozen=True, slots=True)
class _Objects:
    """What a page or a form on it is drawn from."""

    count: int
    get: Callable[[int], pdfium_c.FPDF_PAGEOBJECT]

    @classmethod
    def of_page(cls, page: pdfium.PdfPage) -> "_Objects":
        return cls(pdfium_c.FPDFPage_CountObjects(page), lambda index: pdfium_c.FPDFPage_GetObject(page, index))

    @classmethod
    def of_form(cls, form: pdfium_c.FPDF_PAGEOBJECT) -> "_Objects":
        return cls(pdfium_c.FPDFFormObj_CountObjects(form), lambda index: pdfium_c.FPDFFormObj_GetObject(form, index))


_Box = tuple[float, float, float, float]


def _shapes(objects: _Objects, to_page: pdfium.PdfMatrix, depth: int) -> Iterator[tuple[int, _Box]]:
    """Kind and place (left, bottom, right, top) of all objects, also of those within forms."""
    for index in range(objects.count):
        shape = objects.get(index)
        kind = pdfium_c.FPDFPageObj_GetType(shape)
        yield kind, to_page.on_rect(*_bounds(shape))
        if kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth:
            yield from _shapes(_Objects.of_form(shape), _matrix(shape).multiply(to_page), depth - 1)


def _matrix(form: pdfium_c.FPDF_PAGEOBJECT) -> pdfium.PdfMatrix:
    stored = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(form, stored):
        return pdfium.PdfMatrix()
    return pdfium.PdfMatrix(stored.a, stored.b, stored.c, stored.d, stored.e, stored.f)


def _bounds(shape: pdfium_c.FPDF_PAGEOBJECT) -> _Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium_c.FPDFPageObj_GetBounds(shape, left, bottom, right, top):
        return 0.0, 0.0, 0.0, 0.0
    return left.value, bottom.value, right.value, top.value
