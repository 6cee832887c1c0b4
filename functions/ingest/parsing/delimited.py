"""CSV, TSV and other tables in text. They are read as a stream, whatever their size."""

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.readable import Readable
from ingest.parsing.tables import RowGroup, repeated
from ingest.parsing.text import TextFile

MAX_COLUMNS = 10_000
"""Wider tables are matrices of numbers, which no question in words finds."""

MAX_LINE = 1 << 22
"""Characters."""

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 1 << 16
_END = "\0"  # text has none
_MIN_CONSISTENCY = 0.5
_MAX_COLUMNS_OF_LIST = 2  # a table so narrow may begin with a cell alone

Record = tuple[int, list[str]]
"""A row with its number, counted from 1."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a table is written. ``columns`` is the usual number of them."""

    delimiter: str
    columns: int = 1
    quoted: bool = True


def parse_csv(content: Readable) -> ParsedDocument:
    """Groups of rows, each below the header. The delimiter is found out, quotation marks are obeyed if they match.

    Raises ``UnreadableDocument``: corrupt, or too_complex beyond ``MAX_COLUMNS`` or ``MAX_LINE``.
    """
    return _parse(content, ",")


def parse_tsv(content: Readable) -> ParsedDocument:
    """As ``parse_csv``, but where delimiters are equally likely, it is the tab."""
    return _parse(content, "\t")


def _parse(content: Readable, usual: str) -> ParsedDocument:
    text = TextFile.survey(content)
    form = _form(text, usual)
    if not _quotes_match(text, form):
        form = replace(form, quoted=False)
    return ParsedDocument(_blocks(text, form), separator="\n\n", markdown=True)


def _blocks(text: TextFile, form: _Form) -> Iterator[Block]:
    records = ((number, cells) for number, cells in _records(text, form) if any(cells))
    for number, cells in records:
        filled = [cell for cell in cells if cell]
        if len(filled) > 1 or form.columns <= _MAX_COLUMNS_OF_LIST:
            yield from _groups(number, cells, records)
        else:  # what an export says about itself above the table
            yield Block(filled[0], Place(rows=(number, number)))


def _groups(first: int, header: list[str], records: Iterator[Record]) -> Iterator[Block]:
    group, last = RowGroup(header), first
    for number, cells in records:
        if not group.has_room_for(cells):
            yield Block(group.text, Place(rows=(first, last)))
            group, first = RowGroup(repeated(header)), number
        group.add_row(cells)
        last = number
    yield Block(group.text, Place(rows=(first, last)))


def _records(text: TextFile, form: _Form) -> Iterator[Record]:
    rows = _quoted_rows(_lines(text), form) if form.quoted else _plain_rows(_lines(text), form)
    for number, cells in enumerate(rows, start=1):
        if len(cells) > MAX_COLUMNS:
            raise _too_complex(f"more than {MAX_COLUMNS:,} columns")
        yield number, [cell.strip() for cell in cells]


def _quoted_rows(lines: Iterable[str], form: _Form) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=form.delimiter, skipinitialspace=form.delimiter != "\t")


def _plain_rows(lines: Iterable[str], form: _Form) -> Iterator[list[str]]:
    return (line.rstrip("\n").split(form.delimiter) for line in lines)


def _lines(text: TextFile) -> Iterator[str]:
    for number, line in enumerate(text.lines(most_characters=MAX_LINE)):
        if number == 0 and _declared_delimiter(line):
            continue
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise _too_complex(f"a line of more than {MAX_LINE:,} characters")
        yield line


def _quotes_match(text: TextFile, form: _Form) -> bool:
    """Whether every cell ends before the file does, within the 131,072 characters that ``csv`` allows one."""
    try:
        last = deque(_quoted_rows(chain(_lines(text), [_END]), form), maxlen=1)
    except csv.Error:
        return False
    return [_END] in last


def _form(text: TextFile, usual: str) -> _Form:
    """The form in which the most rows of the beginning have the same number of columns, then the most columns."""
    sample, size = [], 0
    for line in text.lines(most_characters=_SAMPLE_CHARACTERS):
        sample.append(line)
        size += len(line)
        if len(sample) >= _SAMPLE_LINES or size >= _SAMPLE_CHARACTERS:
            break
    declared = _declared_delimiter(sample[0]) if sample else ""
    if declared:
        return _Form(declared, _columns(sample[1:], declared)[1])
    order = usual + _DELIMITERS.replace(usual, "")
    tried = [(_columns(sample, delimiter), delimiter) for delimiter in order]
    (consistency, columns), delimiter = max(tried, key=lambda each: each[0])
    return _Form(delimiter, columns) if consistency >= _MIN_CONSISTENCY else _Form(usual)


def _columns(sample: list[str], delimiter: str) -> tuple[float, int]:
    """The share of rows that have the usual number of columns, and that number; no share if it is one."""
    widths: list[int] = []
    try:
        widths.extend(len(cells) for cells in csv.reader(sample, delimiter=delimiter, skipinitialspace=True) if cells)
    except csv.Error:
        widths = [line.count(delimiter) + 1 for line in sample if line.strip()]
    (columns, count), *_ = Counter(widths).most_common(1) or [(1, 0)]
    return (count / len(widths), columns) if columns > 1 else (0.0, 1)


def _declared_delimiter(line: str) -> str:
    """Of a first line like ``sep=;``, which Excel understands."""
    name, _, delimiter = line.rstrip("\n").partition("=")
    return delimiter if name.lower() == "sep" and len(delimiter) == 1 else ""


def _too_complex(what: str) -> UnreadableDocument:
    return UnreadableDocument(FailureReason.TOO_COMPLEX, f"The table has {what}. Split it, or turn it on its side.")
