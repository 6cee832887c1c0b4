"""Rows of cells as Markdown tables. A long table comes in groups of rows, each below the table's header again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MAX_GROUP_ROWS = 50
MAX_GROUP_CHARACTERS = 350
"""At most a chunk, also of numbers, which have a token for two characters: what is cut further loses its header."""

MAX_REPEATED_HEADER = 150
"""Characters. A longer header is written once: a file must not grow by what is repeated."""

Cells = Sequence[str]


@dataclass(slots=True)
class RowGroup:
    """Rows below a header, which may be empty; ``lines`` are what stands above the table."""

    header: Cells = ()
    rows: list[Cells] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        self._size = _size(self.header) + sum(map(len, self.lines))

    def add_row(self, cells: Cells) -> None:
        self.rows.append(cells)
        self._size += _size(cells)

    def add_line(self, text: str) -> None:
        self.lines.append(text)
        self._size += len(text)

    def has_room_for(self, cells: Cells) -> bool:
        count = len(self.rows) + len(self.lines)
        return not count or (count < MAX_GROUP_ROWS and self._size + _size(cells) <= MAX_GROUP_CHARACTERS)

    @property
    def text(self) -> str:
        rows = [self.header, *self.rows] if any(self.header) else self.rows
        return "\n\n".join(filter(None, ("\n".join(map(one_line, self.lines)), _table(rows))))


def repeated(header: Cells) -> Cells:
    """The header for all groups of a table but the first."""
    return header if _size(header) <= MAX_REPEATED_HEADER else ()


def table_groups(rows: Iterable[Cells]) -> Iterator[str]:
    """A table, whose first row is its header, in Markdown tables of a limited size. Empty rows are left out."""
    filled = (row for row in rows if any(row))
    header = next(filled, None)
    if header is None:
        return
    group = RowGroup(header)
    for row in filled:
        if not group.has_room_for(row):
            yield group.text
            group = RowGroup(repeated(header))
        group.add_row(row)
    yield group.text


def one_line(text: str) -> str:
    return " ".join(text.split())


def _table(rows: Sequence[Cells]) -> str:
    """Columns that are empty in all rows are left out."""
    width = max(map(len, rows), default=0)
    columns = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    lines = [_row([row[column] if column < len(row) else "" for column in columns]) for row in rows]
    if lines:
        lines.insert(1, "|" + " --- |" * len(columns))
    return "\n".join(lines)


def _row(cells: Cells) -> str:
    return f"| {' | '.join(one_line(cell).replace('|', '/') for cell in cells)} |"


def _size(cells: Cells) -> int:
    return sum(len(cell) + 3 for cell in cells if cell)
