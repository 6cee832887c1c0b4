import struct
from itertools import pairwise

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing import sheets as bounds
from tests.unit.make_office import (
    SHEET,
    cell,
    core_properties,
    odf,
    ole,
    places_of,
    read,
    sheet_rows,
    text_of,
    xlsx,
)

DATES = f"""<styleSheet {SHEET}><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>
<xf numFmtId="20"/></cellXfs></styleSheet>"""
CORNERS = f'<row r="1">{cell("A1", 1)}</row><row r="1048576">{cell("XFD1048576", 1)}</row>'


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


def test_values_are_shown_as_a_reader_expects_them() -> None:
    values = [cell("A1", 3.0), cell("B1", 0.1 + 0.2), cell("C1", True), cell("D1", " a|b\nc ")]
    values += [cell("E1", 45292, 1), cell("F1", 45292.5, 2), cell("G1", 0.25, 3), cell("H1", 1e20)]
    values += ['<c r="I1" t="e"><v>#DIV/0!</v></c>']
    text = text_of(xlsx({"S1": f'<row r="1">{"".join(values)}</row>'}, styles=DATES))
    assert text.splitlines()[0] == ("| 3 | 0.3 | TRUE | a/b c | 2024-01-01 | 2024-01-01 12:00:00 | 06:00:00 | 1e+20 |")


def test_each_sheet_begins_with_its_name_also_a_hidden_one() -> None:
    content = xlsx({"Plan": sheet_rows(["a", "b"]), "Empty": "", "Old": sheet_rows(["c", "d"])}, hidden=["Old"])
    assert [block.text.splitlines()[0] for block in read(content)[0]] == ["# Plan", "# Old"]
    assert places_of(content) == [Place(sheet="Plan", rows=(1, 1)), Place(sheet="Old", rows=(1, 1))]


@pytest.mark.parametrize(("name", "text"), [("Sheet1", "| a | b |"), ("Budget", "# Budget"), ("2024", "# 2024")])
def test_a_single_sheet_s_name_is_shown_if_a_person_gave_it(name: str, text: str) -> None:
    assert text_of(xlsx({name: sheet_rows(["a", "b"])})).splitlines()[0] == text


def test_empty_rows_and_columns_are_dropped_and_rows_keep_their_numbers() -> None:
    rows = sheet_rows([], [None, "Name", None, "Age"], [None, "Ada", None, 36])
    content = xlsx({"Sheet1": rows})
    assert text_of(content) == "| Name | Age |\n| --- | --- |\n| Ada | 36 |"
    assert places_of(content) == [Place(sheet="Sheet1", rows=(2, 3))]


def test_a_long_sheet_comes_in_groups_below_the_same_header() -> None:
    blocks, document = read(
        xlsx({"Sheet1": sheet_rows(["Name", "Room"], *([f"person {n}", str(n)] for n in range(200)))})
    )
    assert document.separator == "\n\n"
    assert all(block.text.startswith("| Name | Room |\n| --- | --- |\n| person ") for block in blocks)
    reached = [block.place.rows for block in blocks]
    assert reached[0] is not None
    assert reached[0][0] == 1
    assert [rows for rows in reached if rows][-1][1] == 201
    assert all(a and b and a[1] + 1 == b[0] for a, b in pairwise(reached))
    assert all(rows and rows[1] - rows[0] < 51 for rows in reached)


def test_a_list_of_single_cells_is_text() -> None:
    assert text_of(xlsx({"Sheet1": sheet_rows(["To do"], ["sweep"], [1])})) == "To do\nsweep\n1"


def test_captions_stand_above_their_tables() -> None:
    rows = sheet_rows(
        ["Ducks of 2024"], [], ["Pond", "Ducks"], ["North", 4], [], ["Geese"], [None, "Lake", "Geese", "Swans"],
        [None, "South", 1, 2],
    )  # fmt: skip
    assert text_of(xlsx({"Sheet1": rows})) == (
        "Ducks of 2024\n\n| Pond | Ducks |\n| --- | --- |\n| North | 4 |\n\n"
        "Geese\n\n| Lake | Geese | Swans |\n| --- | --- | --- |\n| South | 1 | 2 |"
    )


def test_a_table_goes_on_after_an_empty_row() -> None:
    rows = sheet_rows(
        ["Item", "Jan", "Feb"], ["Rent", 5, 5], [], ["Income"], ["Sales", 12, 13], [], ["Tax", None, 1], [],
        ["Gifts", "none", "none"], [], ["Notes"],
    )  # fmt: skip
    assert text_of(xlsx({"Sheet1": rows})) == (
        "| Item | Jan | Feb |\n| --- | --- | --- |\n| Rent | 5 | 5 |\n| Income |  |  |\n| Sales | 12 | 13 |\n"
        "| Tax |  | 1 |\n| Gifts | none | none |\n| Notes |  |  |"
    )


def test_what_is_merged_over_rows_stands_in_each_of_them() -> None:
    rows = sheet_rows(["Region", "City"], ["North", "Oslo"], [None, "Bergen"], [None, "Rome"])
    merged = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    assert text_of(xlsx({"Sheet1": rows}, after=merged)).endswith("| North | Oslo |\n| North | Bergen |\n|  | Rome |")


def test_metadata_are_read() -> None:
    content = xlsx({"Sheet1": sheet_rows(["a"])}, more=core_properties(title="Budget 2024", creator="Ada"))
    _, document = read(content)
    assert (document.title, document.author) == ("Budget 2024", "Ada")


def test_a_sheet_whose_cells_are_too_far_apart_is_named_and_the_others_are_read() -> None:
    blocks, document = read(xlsx({"Wide": CORNERS, "Fine": sheet_rows(["a", "b"])}))
    assert [block.place.sheet for block in blocks] == ["Fine"]
    assert document.skipped == ["sheet Wide: its cells are too far apart"]
    assert reason(xlsx({"Wide": CORNERS})) is FailureReason.TOO_COMPLEX


def test_empty_cells_far_away_do_no_harm() -> None:
    rows = f'<row r="1">{cell("A1", "x")}</row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert text_of(xlsx({"Sheet1": rows})) == "x"


def test_no_more_cells_are_read_than_a_question_could_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_CELLS", 7)
    blocks, document = read(xlsx({"A": sheet_rows(*[["a", "b"]] * 5), "B": sheet_rows(["c"])}))
    assert [block.place.rows for block in blocks] == [(1, 3)]
    assert document.skipped == ["sheet A from row 4 on, and those after it: too many cells"]


def test_a_damaged_sheet_is_named_and_the_others_are_read() -> None:
    content = xlsx({"Bad": '<row r="1"><c r="A1" t="s"><v>x</v></c></row>', "Fine": sheet_rows(["a"])})
    blocks, document = read(content)
    assert [block.place.sheet for block in blocks] == ["Fine"]
    assert document.skipped == ["sheet Bad: it is damaged"]


@pytest.mark.parametrize(
    "content",
    [
        xlsx({"S": sheet_rows(["a"])})[:-40],
        xlsx({"S": "<row"}),
        odf("spreadsheet", "</table:table>"),
        ole({"Workbook": b"no records"}),
    ],
)
def test_a_damaged_workbook_is_corrupt(content: bytes) -> None:
    assert reason(content) is FailureReason.CORRUPT


def test_entities_are_not_resolved() -> None:
    rows = sheet_rows(["&i;", "b"])
    assert reason(xlsx({"S": rows})) is FailureReason.CORRUPT


def test_a_bomb_is_refused_before_calamine_unpacks_it() -> None:
    content = xlsx({"S": sheet_rows(["a"])}, sharedStrings="<sst>" + " " * (20 << 20) + "</sst>")
    assert reason(content) is FailureReason.TOO_COMPLEX


def test_an_opendocument_spreadsheet_is_read() -> None:
    def text(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    number = '<table:table-cell office:value-type="float" office:value="4"/>'
    rows = f"<table:table-row>{text('Pond')}{text('Ducks')}</table:table-row><table:table-row>{text('North')}{number}"
    body = f'<table:table table:name="Ducks">{rows}</table:table-row></table:table>'
    content = odf("spreadsheet", body, meta="<m><creator>Ada</creator></m>")
    assert text_of(content) == "# Ducks\n\n| Pond | Ducks |\n| --- | --- |\n| North | 4 |"
    assert read(content)[1].author == "Ada"


def biff(*records: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<2H", kind, len(data)) + data for kind, data in records)


def xls(*, before: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """A workbook of Excel 97 with one sheet, Ponds, of the cells "Ducks" and 4."""
    bof = struct.pack("<4H2I", 0x600, 5, 0, 0, 0, 0)
    sheet = biff(
        (0x809, struct.pack("<4H2I", 0x600, 0x10, 0, 0, 0, 0)),
        (0x204, struct.pack("<4HB", 0, 0, 0, 5, 0) + b"Ducks"),
        (0x203, struct.pack("<3Hd", 0, 1, 0, 4.0)),
        (0x0A, b""),
    )
    start = len(biff((0x809, bof), *before, (0x85, bytes(13)), (0x0A, b"")))
    bound = struct.pack("<I2B2B", start, 0, 0, 5, 0) + b"Ponds"
    return ole({"Workbook": biff((0x809, bof), *before, (0x85, bound), (0x0A, b"")) + sheet})


def test_a_workbook_of_excel_97_is_read() -> None:
    assert text_of(xls()) == "# Ponds\n\n| Ducks | 4 |\n| --- | --- |"


def test_encrypted_workbooks_say_so() -> None:
    assert reason(xls(before=((0x86, b""), (0x2F, bytes(54))))) is FailureReason.ENCRYPTED
    assert reason(ole({"EncryptedPackage": b""})) is FailureReason.ENCRYPTED
    manifest = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    assert reason(odf("spreadsheet", "", **{"META-INF__manifest": manifest})) is FailureReason.ENCRYPTED
