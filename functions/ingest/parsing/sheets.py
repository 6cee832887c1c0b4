"""Workbooks (xlsx, xlsm, xlsb, xls, ods): the values that calamine reads, in groups of rows below their header."""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from python_calamine import CalamineError, CalamineWorkbook

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import Archive, encrypted, open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.odf import odf_properties, refuse_encrypted
from ingest.parsing.ole import MAGIC, ole_properties, open_ole
from ingest.parsing.opc import Package
from ingest.parsing.parts import skip
from ingest.parsing.readable import Readable
from ingest.parsing.sheet_bounds import too_sparse_sheets
from ingest.parsing.sheet_rows import Row, SheetReader, Value, merged_filled
from ingest.parsing.tables import one_line
from ingest.parsing.text import clean

MAX_CELLS = 1_000_000
"""Filled cells of one workbook that are read: some ten thousand pages."""

MAX_SHEETS = 1_000

_MAX_NAME = 100  # characters; Excel allows 31

_DEFAULT_NAME = re.compile(r"[^\W\d]+ ?1")
_DAMAGES = (CalamineError, OSError)  # what calamine raises
_PIECE_BYTES = 1 << 20
_BEGINNING = 1 << 12  # bytes of an xls's stream
_FILE_PASS = 0x2F


def parse_sheets(content: Readable) -> ParsedDocument:
    """Blocks of up to 50 rows of one sheet, each a Markdown table below the header of its rows; hidden sheets too.

    Raises ``UnreadableDocument``: encrypted, corrupt, too_large, too_complex.
    """
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    too_sparse = _inspect(content, parsed)
    workbook = _open(content)
    names = workbook.sheet_names[:MAX_SHEETS]
    cells = _CellBudget(MAX_CELLS)
    found = False
    for index, name in enumerate(names):
        title = one_line(clean(name))[:_MAX_NAME]
        if name in too_sparse:
            skip(parsed, f"sheet {title}: its cells are too far apart")
            continue
        try:
            rows = merged_filled(workbook.get_sheet_by_index(index))
        except _DAMAGES:
            skip(parsed, f"sheet {title}: it is damaged")
            continue
        for block in _sheet_blocks(title, cells.counted(rows), with_title=len(names) > 1 or not _is_default(title)):
            found = True
            yield block
        if cells.left < 0:
            skip(parsed, f"sheet {title} from row {cells.stopped_at} on, and those after it: too many cells")
            return
    if parsed.skipped and not found:
        raise _too_sparse() if too_sparse else _corrupt()


def _sheet_blocks(title: str, rows: Iterator[Row], *, with_title: bool) -> Iterator[Block]:
    blocks = SheetReader(title).blocks(rows)
    for first in islice(blocks, 1):
        yield replace(first, text=f"# {title}\n\n{first.text}") if with_title else first
    yield from blocks


def _is_default(title: str) -> bool:
    """Whether a program gave the name: "Sheet1", in any language."""
    return _DEFAULT_NAME.fullmatch(title) is not None


@dataclass(slots=True)
class _CellBudget:
    """``stopped_at`` is the number of the row at which no cells were left."""

    left: int
    stopped_at: int = 0

    def counted(self, rows: Iterable[list[Value]]) -> Iterator[Row]:
        for number, values in enumerate(rows, start=1):
            row = Row.of(number, values)
            self.left -= len(row.columns)
            if self.left < 0:
                self.stopped_at = number
                return
            yield row


def _open(content: Readable) -> CalamineWorkbook:
    try:
        with content.open("rb") as file:
            return CalamineWorkbook.from_filelike(file)
    except _DAMAGES as error:
        raise _corrupt() from error


def _inspect(content: Readable, parsed: ParsedDocument) -> set[str]:
    """Refuses what calamine should not open, and reads what it does not tell.

    The names of sheets that take too much memory.
    """
    with content.open("rb") as file:
        is_ole = file.read(len(MAGIC)) == MAGIC
    if is_ole:
        with open_ole(content) as ole:
            _refuse_encrypted_stream(ole.openstream("Workbook" if ole.exists("Workbook") else "Book").read(_BEGINNING))
            ole_properties(ole).write_to(parsed)
        return set()
    with open_archive(content) as archive:
        if "content.xml" in archive:
            refuse_encrypted(archive)
            odf_properties(archive).write_to(parsed)
            _unpack(archive)
            return set()
        Package(archive).properties().write_to(parsed)
        _unpack(archive)
    with open_archive(content) as archive:
        return too_sparse_sheets(Package(archive))


def _refuse_encrypted_stream(beginning: bytes) -> None:
    """What follows the record FilePass is encrypted; only WriteProtect may stand before it ([MS-XLS] 2.1.7.20.3)."""
    position = 0
    for _ in range(3):
        kind, length = struct.unpack_from("<2H", beginning, position)
        if kind == _FILE_PASS:
            raise encrypted()
        position += 4 + length


def _unpack(archive: Archive) -> None:
    """Calamine unpacks parts whatever their size, so they are all tried within the archive's bounds before it does."""
    for name in archive.names:
        if name.lower().endswith((".xml", ".bin")):
            with archive.open(name) as stream:
                while stream.read(_PIECE_BYTES):
                    pass


def _corrupt() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT,
        "The workbook is damaged, or its cells are millions of rows apart."
        " Open it, save it again as xlsx and upload the copy.",
    )


def _too_sparse() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_COMPLEX,
        "The cells of the workbook's sheets are too far apart. Delete what stands far to the right or far below.",
    )
