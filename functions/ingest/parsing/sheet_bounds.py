"""Which sheets of a workbook would take too much memory: calamine holds every cell between a sheet's corners."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.parsing.opc import Package
from ingest.parsing.xml_elements import attribute

MAX_CELLS_BETWEEN = 1 << 24
"""Empty ones included; 32 bytes each. A full sheet of Excel 97 has as many: 65,536 rows of 256."""

_PIECE_BYTES = 1 << 20
_LONGEST_TAG = 1 << 11  # bytes, of a cell's
_FILLED_CELL = re.compile(
    rb"<(?:\w{1,20}:)?c\s[^<>]{0,500}?\br\s{0,9}=\s{0,9}[\"']([A-Z]{1,3})([0-9]{1,7})[\"'][^<>]{0,500}+(?<!/)>"
)


def too_sparse_sheets(package: Package) -> set[str]:
    """The names of the sheets whose filled cells are too far apart. Those of xlsb workbooks are not looked at."""
    workbook = package.main_part()
    if workbook.endswith(".bin"):
        return set()
    parts = package.relationships(workbook)
    found: set[str] = set()
    for sheet in package.root(workbook).iter():
        part = parts.get(attribute(sheet, "id") or "")
        if part and part.kind == "worksheet" and not part.target.endswith(".bin"):
            with package.archive.open(part.target) as stream:
                if _cells_between(stream) > MAX_CELLS_BETWEEN:
                    found.add(sheet.get("name", ""))
    return found


def _cells_between(stream: BinaryIO) -> int:
    columns: set[bytes] = set()
    corner_rows: set[int] = set()
    for piece in _pieces(stream):
        cells = _FILLED_CELL.findall(piece)
        columns.update(column for column, _ in cells)
        corner_rows.update(int(row) for _, row in cells)
        corner_rows = {min(corner_rows), max(corner_rows)} if corner_rows else set()
    if not columns:
        return 0
    numbers = [_column_number(column) for column in columns]
    return (max(corner_rows) - min(corner_rows) + 1) * (max(numbers) - min(numbers) + 1)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces that overlap so that every tag is whole in one of them."""
    rest = b""
    while piece := stream.read(_PIECE_BYTES):
        yield rest + piece
        rest = piece[-_LONGEST_TAG:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
