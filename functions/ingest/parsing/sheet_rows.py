"""The rows of a sheet as groups, with captions and headers told from data by their form."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from python_calamine import CalamineSheet

from bucketwise.models import Place
from ingest.parsing.document import Block
from ingest.parsing.tables import Cells, RowGroup, repeated
from ingest.parsing.text import clean

Value = int | float | str | bool | time | date | datetime | timedelta

_MAX_ROWS = 1 << 20  # Excel's; from the first on, calamine gives also those that a file has not
_MOST_CAPTIONS = 3  # rows with one cell above a table; more are a list
_MAX_REPEATED = 100  # characters; a longer text of merged cells is written once
_EXACT_INTEGERS = 1e15  # a spreadsheet keeps 15 digits


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts from 1, ``columns`` are the filled ones, ``is_text``: no cell holds a number or a date."""

    number: int
    cells: Cells
    columns: tuple[int, ...]
    is_text: bool

    @classmethod
    def of(cls, number: int, values: list[Value]) -> "Row":
        if values.count("") == len(values):
            return cls(number, (), (), is_text=True)
        cells = [shown(value) for value in values]
        columns = tuple(column for column, cell in enumerate(cells) if cell)
        return cls(number, cells, columns, all(isinstance(value, str) for value in values))

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.cells))


def shown(value: Value) -> str:
    """A cell's value as a reader expects it: dates in ISO 8601, numbers without the noise of binary fractions."""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT_INTEGERS else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    return str(value)


def merged_filled(sheet: CalamineSheet) -> Iterator[list[Value]]:
    """The rows from the first on. What is merged over several rows stands in each: it often names a group of rows."""
    starts: dict[int, list[tuple[int, int]]] = {}
    left = sheet.start[1] if sheet.start else 0
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        if last > first and column >= left:
            starts.setdefault(first, []).append((column - left, last))
    below: dict[int, tuple[int, Value]] = {}
    for number, values in enumerate(islice(sheet.iter_rows(), _MAX_ROWS)):
        for column, (last, value) in list(below.items()):
            if number <= last:
                values[column] = value
            else:
                del below[column]
        for column, last in starts.get(number, ()):
            if column < len(values) and len(str(values[column])) <= _MAX_REPEATED:
                below[column] = last, values[column]
        yield values


class SheetReader:
    """Groups rows by what they look like.

    Before a table, a row with a single cell is a line of text. The first row with several is the table's header. After
    an empty row another table may begin, below its captions: with a row of texts alone, in other columns than those of
    the header.
    """

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._header: Row | None = None
        self._captions: list[Row] = []
        self._group = RowGroup()
        self._first = self._last = 0

    def blocks(self, rows: Iterable[Row]) -> Iterator[Block]:
        after_gap = False
        for row in rows:
            if not row.columns:
                after_gap = True
            elif self._is_header(row, after_gap=after_gap):
                yield from self._begin_table(row)
                after_gap = False
            elif after_gap and self._is_caption(row):
                self._captions.append(row)
            else:
                yield from self._add(row)
                after_gap = False
        yield from self._add(*self._taken_captions())
        yield from self._ended()

    def _is_header(self, row: Row, *, after_gap: bool) -> bool:
        if len(row.columns) < 2 or self._header is None:
            return len(row.columns) > 1
        return after_gap and row.is_text and row.columns != self._header.columns

    def _is_caption(self, row: Row) -> bool:
        return len(row.columns) == 1 and self._header is not None and len(self._captions) < _MOST_CAPTIONS

    def _begin_table(self, header: Row) -> Iterator[Block]:
        if self._group.rows or (self._first and any(self._group.header)):
            yield from self._ended()
        captions = self._taken_captions()
        lines = [*self._group.lines, *(caption.text for caption in captions)]
        self._header = header
        self._group = RowGroup(header.cells, lines=lines)
        self._reach(*captions, header)

    def _add(self, *rows: Row) -> Iterator[Block]:
        for row in (*self._taken_captions(), *rows):
            if not self._group.has_room_for(row.cells):
                yield from self._ended()
            self._reach(row)
            if self._header is None:
                self._group.add_line(row.text)
            else:
                self._group.add_row(row.cells)

    def _taken_captions(self) -> list[Row]:
        captions, self._captions = self._captions, []
        return captions

    def _reach(self, *rows: Row) -> None:
        self._first = self._first or rows[0].number
        self._last = rows[-1].number

    def _ended(self) -> Iterator[Block]:
        """The group as a block, if it holds more than the header that it repeats."""
        if self._first:
            yield Block(self._group.text, Place(sheet=self._sheet, rows=(self._first, self._last)))
        self._group = RowGroup(repeated(self._header.cells) if self._header else ())
        self._first = self._last = 0
