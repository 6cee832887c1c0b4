"""CSV and TSV as Markdown tables."""

import pytest

from bucketwise.models import FailureReason, Place
from ingest.parsing.delimited import MAX_COLUMNS, parse_csv, parse_tsv
from tests.unit.parsed_parts import read, refusal

PEOPLE = "| Name | Age |\n| --- | --- |\n| Ann | 30 |\n| Bob | 25 |"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    content = f"Name{delimiter}Age\r\nAnn{delimiter}30\r\nBob{delimiter}25\r\n"
    assert read(parse_csv, content).text == PEOPLE
    assert read(parse_tsv, content).text == PEOPLE


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    assert read(parse_csv, "Item;Price;Tax\nTea;1,50;0,10\nRice;2,25;0,15\n").lines[2] == "| Tea | 1,50 | 0,10 |"


def test_a_declared_delimiter_is_obeyed_and_not_shown() -> None:
    assert read(parse_csv, "sep=;\nName;Age\nAnn;30\nBob;25\n").text == PEOPLE


def test_quoted_cells_may_hold_delimiters_marks_and_lines() -> None:
    assert (
        read(parse_csv, 'Name,Note\nAnn,"one, ""two""\nthree | four"\n').lines[2] == '| Ann | one, "two" three / four |'
    )


@pytest.mark.parametrize("cell", ['"never closed', f'"{"long " * 40_000}"'])
def test_quotation_marks_that_do_not_match_lose_no_row(cell: str) -> None:
    text = read(parse_csv, f"Name,Note\nAnn,{cell}\n" + "Bob,fine\n" * 3).text
    assert cell.strip('"').strip() in text
    assert text.count("| Bob | fine |") == 3


def test_rows_may_be_longer_or_shorter_than_the_header() -> None:
    assert read(parse_csv, "a,b\n1\n1,2,3\n").lines == [
        "| a | b |  |",
        "| --- | --- | --- |",
        "| 1 |  |  |",
        "| 1 | 2 | 3 |",
    ]


def test_one_column_is_a_table_too() -> None:
    assert read(parse_csv, "Name\nAnn\nBob\n").lines == ["| Name |", "| --- |", "| Ann |", "| Bob |"]


def test_what_stands_above_a_table_is_no_header() -> None:
    reading = read(parse_csv, "Staff of March\n\nName;Age;Town\nAnn;30;Ulm\nBob;25;Kiel\n")
    assert reading.blocks[0].text == "Staff of March"
    assert reading.blocks[1].text.startswith("| Name | Age | Town |\n")
    assert reading.blocks[1].place == Place(rows=(3, 5))


def test_a_long_table_repeats_its_header_with_each_group_of_rows() -> None:
    reading = read(parse_csv, "Name,Note\n" + "".join(f"person {n},has a note of some length\n" for n in range(200)))
    assert len(reading.blocks) > 3
    assert all(block.text.startswith("| Name | Note |\n| --- | --- |\n") for block in reading.blocks)
    rows = [block.place.rows for block in reading.blocks]
    assert rows[0] is not None
    assert rows[0][0] == 1
    assert rows[-1] is not None
    assert rows[-1][1] == 201
    assert reading.place_of("| person 150 |").rows == next(span for span in rows if span and span[0] <= 152 <= span[1])


def test_other_encodings_are_read() -> None:
    assert "三木英子" in read(parse_csv, "名前,年齢,住所\n三木英子,25,大阪\n髙橋淳,35,名古屋\n".encode("cp932")).text


@pytest.mark.parametrize("content", ["a," * (MAX_COLUMNS + 1) + "\n1\n", "x" * 5_000_000])
def test_a_table_without_bounds_is_refused(content: str) -> None:
    assert refusal(parse_csv, content) is FailureReason.TOO_COMPLEX


def test_a_binary_file_is_refused() -> None:
    assert refusal(parse_csv, bytes(range(256)) * 20) is FailureReason.CORRUPT
