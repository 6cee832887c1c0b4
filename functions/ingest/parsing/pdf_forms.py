"""What was filled into the form fields of a PDF, which is no part of its pages' text."""

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.parsing.tables import one_line
from ingest.parsing.text import clean

MAX_FIELDS = 5_000
"""Of one page; a full page of a tax form has some hundreds."""

MAX_VALUE = 20_000
"""Characters of one field; a longer value is left out."""

MAX_CHARACTERS = 1 << 23
"""Of all values of a document: fields may share one that is stored once."""

_MAX_LABEL = 200  # characters
_WITH_TEXT = {pdfium_c.FPDF_FORMFIELD_TEXTFIELD, pdfium_c.FPDF_FORMFIELD_COMBOBOX, pdfium_c.FPDF_FORMFIELD_LISTBOX}
_WITH_MARK = {pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON}
_FIELDS = pdfium_c.FPDF_ANNOT_WIDGET
_CHECKED = "yes"


class FilledFields:
    """The fields of a document, page by page, each field and value once."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._characters_left = MAX_CHARACTERS

    def lines(self, document: pdfium.PdfDocument, page: pdfium.PdfPage) -> list[str]:
        """Of a page: "label: value". None if the document's forms were not initialized."""
        form = document.formenv
        return [f"{label}: {value}" for label, value in self._new(_filled(form, page))] if form else []

    def _new(self, fields: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for field in fields:
            if field not in self._seen and self._characters_left > 0:
                self._seen.add(field)
                self._characters_left -= len(field[1])
                yield field


def _filled(form: pdfium.PdfFormEnv, page: pdfium.PdfPage) -> Iterator[tuple[str, str]]:
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), MAX_FIELDS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if pdfium_c.FPDFAnnot_GetSubtype(annotation) == _FIELDS:
                label = _label(form, annotation)
                value = _value(form, annotation)
                if label and value:
                    yield label, value
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _label(form: pdfium.PdfFormEnv, annotation: pdfium_c.FPDF_ANNOTATION) -> str:
    """What the form shows people as the field's name, else the name that programs know it by."""
    for read in (pdfium_c.FPDFAnnot_GetFormFieldAlternateName, pdfium_c.FPDFAnnot_GetFormFieldName):
        if label := one_line(_text(read, form, annotation))[:_MAX_LABEL]:
            return label
    return ""


def _value(form: pdfium.PdfFormEnv, annotation: pdfium_c.FPDF_ANNOTATION) -> str:
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _WITH_MARK:
        return _CHECKED if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else ""
    return _text(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation).strip() if kind in _WITH_TEXT else ""


def _text(read: Callable[..., int], form: pdfium.PdfFormEnv, annotation: pdfium_c.FPDF_ANNOTATION) -> str:
    size = min(read(form, annotation, None, 0), 2 * (MAX_VALUE + 1))
    buffer = (ctypes.c_ushort * (size // 2))()
    read(form, annotation, buffer, size)
    return clean(bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0"))
