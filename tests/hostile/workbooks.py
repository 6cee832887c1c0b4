"""Workbooks that claim, repeat or scatter more cells than there are."""

import struct
from collections.abc import Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.hostile.zips import Member, zeros, zip_of
from tests.unit.make_office import cell, odf, ole, sheet_rows, xlsx
from tests.unit.test_parsing_sheets import biff, xls

READ = (INDEXED, PARTIAL)
UNREAD = ("corrupt", "too_complex", "too_large", "empty", "unsupported")
GOOD = sheet_rows(["Pier", "Time"], ["North", 12])
STRINGS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def files() -> Iterator[HostileFile]:
    corners = row(1, cell("A1", 1)) + row(1048576, cell("XFD1048576", 2))
    yield hostile("corners.xlsx", xlsx({"S": corners}), *UNREAD)
    yield hostile("corners-and-a-sheet.xlsx", xlsx({"S": corners, "T": GOOD}), PARTIAL)
    odd = corners.replace('r="A1"', 'r = "A1"').replace('r="XFD1048576"', "r='XFD1048576'")
    yield hostile("corners-in-another-spelling.xlsx", xlsx({"S": odd}), *UNREAD, *READ)
    yield hostile("column.xlsx", xlsx({"S": row(1, cell("A1", 1)) + row(1048576, cell("A1048576", 2))}), *READ, *UNREAD)
    far = row(2000000000, cell("ZZZZZZ2000000000", 1))
    yield hostile("beyond.xlsx", xlsx({"S": far}), *READ, *UNREAD)
    nowhere = row(1, '<c r="-1"><v>1</v></c>', '<c r=""><v>1</v></c>', "<c><v>1</v></c>")
    yield hostile("nowhere.xlsx", xlsx({"S": nowhere}), *READ, *UNREAD)
    yield hostile("dimension-lies.xlsx", _with_dimension(GOOD, "A1:XFD1048576"), *READ, "too_complex")
    strings = f"<sst {STRINGS}><si><t>{'a' * 1_000_000}</t></si></sst>"
    shared = "".join(row(n, f'<c r="A{n}" t="s"><v>0</v></c>', f'<c r="B{n}"><v>1</v></c>') for n in range(1, 3_000))
    yield hostile(
        "shared-strings.xlsx", xlsx({"S": shared}, sharedStrings=strings, more=_RELATED), *READ, *UNREAD, may_lose=True
    )
    outside = row(1, '<c r="A1" t="s"><v>999999999</v></c>', '<c r="B1" t="s"><v>-1</v></c>', cell("C1", 1))
    yield hostile("missing-strings.xlsx", xlsx({"S": outside}), *READ, *UNREAD)
    formats = "".join(f'<numFmt numFmtId="{n}" formatCode="{"y" * 200}"/>' for n in range(164, 5_000))
    yield hostile(
        "formats.xlsx",
        xlsx({"S": GOOD}, styles=f"<styleSheet {STRINGS}><numFmts>{formats}</numFmts></styleSheet>"),
        *READ,
        *UNREAD,
    )
    merged = f'<mergeCells>{"".join(f"""<mergeCell ref="A{n}:XFD{n + 9}"/>""" for n in range(1, 20_000))}</mergeCells>'
    yield hostile("merged.xlsx", xlsx({"S": GOOD}, after=merged), *READ, *UNREAD)
    yield hostile(
        "merged-over-all.xlsx",
        xlsx({"S": GOOD}, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        *READ,
    )
    yield hostile("sheets.xlsx", xlsx({f"S{n}": GOOD for n in range(1_500)}), *READ)
    numbers = row(1, cell("A1", 1), '<c r="B1"><v>1e999</v></c>', '<c r="C1" s="9999"><v>-99999999999</v></c>')
    yield hostile("numbers.xlsx", xlsx({"S": numbers}), *READ)
    sheet = xlsx({"S": "<c/>"})
    bomb = Member(b"xl/worksheets/sheet1.xml", zeros(1000), 1000 << 20)
    yield hostile("bomb.xlsx", zip_of(Member(b"xl/workbook.xml", b"", 0, 0), bomb), *UNREAD)
    yield hostile("no-cells.xlsx", sheet, "empty", "corrupt")
    repeated = (
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="1048576"><table:table-cell'
        ' table:number-columns-repeated="16384" office:value-type="string"><text:p>a</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    yield hostile("repeated.ods", odf("spreadsheet", repeated), *UNREAD, *READ)
    blank = repeated.replace("<text:p>a</text:p>", "").replace('office:value-type="string"', "")
    yield hostile("repeated-blanks.ods", odf("spreadsheet", blank), *UNREAD, *READ)
    yield hostile("deep.ods", odf("spreadsheet", "<table:table>" * 50_000), *UNREAD)
    yield from _old()


def _old() -> Iterator[HostileFile]:
    states = (*READ, *UNREAD)
    yield hostile(
        "dimensions.xls", _book((0x200, struct.pack("<2I3H", 0, 0xFFFFFFFF, 0, 0xFFFF, 0))), *states, may_lose=True
    )
    scattered = ((0x203, struct.pack("<3Hd", 0, 0, 0, 1.0)), (0x203, struct.pack("<3Hd", 65535, 65535, 0, 2.0)))
    yield hostile("corners.xls", _book(*scattered), *states, may_lose=True)
    yield hostile("strings.xls", _book((0xFC, struct.pack("<2I", 1, 0xFFFFFFFF))), *states)
    yield hostile("records.xls", xls(before=((0x3C, b""),) * 50_000), *states)
    yield hostile("cut-records.xls", _book((0x204, b"\0\0"), (0x203, b""), (0xBE, b"\xff" * 9)), *states)


def _book(*records: tuple[int, bytes]) -> bytes:
    """A workbook with one sheet, whose records are these."""
    start, sheet_start = (struct.pack("<4H2I", 0x600, kind, 0, 0, 0, 0) for kind in (5, 0x10))
    offset = len(biff((0x809, start), (0x85, bytes(13)), (0x0A, b"")))
    bound = struct.pack("<I2B2B", offset, 0, 0, 5, 0) + b"Ponds"
    sheet = biff((0x809, sheet_start), *records, (0x0A, b""))
    return ole({"Workbook": biff((0x809, start), (0x85, bound), (0x0A, b"")) + sheet})


_RELATED = {
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
    ' Target="worksheets/sheet1.xml"/><Relationship Id="r2" Target="sharedStrings.xml"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
}


def _with_dimension(rows: str, reference: str) -> bytes:
    name = "xl/worksheets/sheet1.xml"
    data = f'<worksheet {STRINGS}><dimension ref="{reference}"/><sheetData>{rows}</sheetData></worksheet>'
    return xlsx({"S": ""}, more={name: data})
