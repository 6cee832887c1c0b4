"""The text of a paragraph of Office Open XML (WordprocessingML and DrawingML), and what is anchored in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ingest.parsing.xml_elements import attribute, child, local

# Deleted text, formatting, and readings that are shown above text.
_NO_TEXT = frozenset({"del", "moveFrom", "pPr", "rPr", "sdtPr", "rt"})
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnoteReference": "f", "endnoteReference": "e"}
_GRAPHICS = {"chart": "id", "relIds": "dm"}
_FORMULA_MARKS = {"sup": "^", "sub": "_", "den": "/"}
_INTEGRAL = "\u222b"  # the operator of a formula that names none
_FUNCTION_APPLICATION = "\u2061"  # invisible, in formulas between "sin" and "x"
_CHANGING_FIELDS = ("slidenum", "datetime")
_OFF = frozenset({"0", "false", "off"})


@dataclass(slots=True)
class Anchored:
    """What a paragraph refers to: text boxes, notes (as "f1" or "e1"), and charts and diagrams by relationship."""

    boxes: list[Element] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    graphics: list[str] = field(default_factory=list)


def paragraph_text(paragraph: Element, anchored: Anchored) -> str:
    """As it reads when all changes are accepted; hidden text is left out."""
    return "".join(_pieces(paragraph, anchored))


def alternative(element: Element) -> Element | None:
    """Of an ``mc:AlternateContent`` one form: the others repeat it for older programs."""
    choice = child(element, "Choice")
    return choice if choice is not None and len(choice) else child(element, "Fallback")


def _pieces(parent: Element, anchored: Anchored) -> Iterator[str]:
    for element in parent:
        name = local(element)
        if name == "t":
            yield (element.text or "").replace(_FUNCTION_APPLICATION, " ")
        elif name in _CHARACTERS:
            yield _CHARACTERS[name]
        elif name == "txbxContent":
            anchored.boxes.append(element)
        elif name in _NOTES:
            identifier = attribute(element, "id") or ""
            anchored.notes.append(_NOTES[name] + identifier)
            yield note_mark(_NOTES[name] + identifier)
        elif name in _GRAPHICS:
            anchored.graphics.append(attribute(element, _GRAPHICS[name]) or "")
        elif name == "AlternateContent":
            chosen = alternative(element)
            if chosen is not None:
                yield from _pieces(chosen, anchored)
        elif name in _FORMULA_MARKS:
            yield _FORMULA_MARKS[name] + _grouped("".join(_pieces(element, anchored)))
        elif name == "naryPr":
            operator = child(element, "chr")
            yield _INTEGRAL if operator is None else attribute(operator, "val") or ""
        elif name == "d":
            yield f"({''.join(_pieces(element, anchored))})"
        elif name not in _NO_TEXT and not _is_left_out(element, name):
            yield from _pieces(element, anchored)


def note_mark(identifier: str) -> str:
    """How a note ("f1") is marked in the text and before its own. Word's ids count from 1, those of endnotes too."""
    return f"[^{identifier.removeprefix('f')}]"


def _grouped(text: str) -> str:
    return text if len(text) == 1 else f"({text})" if text else ""


def _is_left_out(element: Element, name: str) -> bool:
    if name == "fld":
        return (element.get("type") or "").startswith(_CHANGING_FIELDS)
    if name != "r":
        return False
    hidden = child(element, "rPr", "vanish")
    return hidden is not None and attribute(hidden, "val") not in _OFF
