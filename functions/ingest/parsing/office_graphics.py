"""The words and numbers of charts and SmartArt diagrams (DrawingML), which are parts of their own."""

from collections.abc import Iterator
from itertools import islice
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from ingest.parsing.office_text import Anchored, paragraph_text
from ingest.parsing.opc import Package
from ingest.parsing.sections import Sections
from ingest.parsing.xml_elements import child, local

MAX_SERIES = 100
MAX_POINTS = 1_000
"""Of each series. A chart of more is a picture of a file, not a statement."""


def write_graphic(package: Package, part: str, sections: Sections) -> None:
    """A chart as its title and a table, a diagram as a list; nothing if the part is damaged."""
    try:
        root = package.root(part)
    except UnreadableDocument:
        return
    if local(root) == "chartSpace":
        _write_chart(root, sections)
    else:
        for paragraph in _named(root, "p"):
            sections.item(paragraph_text(paragraph, Anchored()))


def _write_chart(root: Element, sections: Sections) -> None:
    title = child(root, "chart", "title")
    for paragraph in _named(title, "p") if title is not None else ():
        sections.paragraph(paragraph_text(paragraph, Anchored()))
    series = list(islice(_named(root, "ser"), MAX_SERIES))
    if not series:
        return
    categories = _points(_first(series[0], "cat", "xVal"))
    columns = [_points(_first(each, "val", "yVal")) for each in series]
    names = [" ".join(_points(child(each, "tx")).values()) for each in series]
    numbers = sorted({*categories, *(number for column in columns for number in column)})[:MAX_POINTS]
    rows = [[categories.get(number, ""), *(column.get(number, "") for column in columns)] for number in numbers]
    sections.table([["", *names], *rows])


def _points(data: Element | None) -> dict[int, str]:
    """By their place in the series, the values as they were shown last."""
    found: dict[int, str] = {}
    for point in _named(data, "pt") if data is not None else ():
        value = child(point, "v")
        index = point.get("idx", "")
        if value is not None and value.text and index.isdecimal():
            found[int(index[:9])] = value.text
    return found


def _first(parent: Element, *names: str) -> Element | None:
    return next((element for element in parent if local(element) in names), None)


def _named(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if local(element) == name)
