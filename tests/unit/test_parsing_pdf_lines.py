import pytest

from ingest.parsing.pdf_lines import with_joined_lines

PROSE = """The condensed financial statements include the accounts of the company and its
wholly owned subsidiaries. Certain prior period amounts have been reclassified by
Northwind to conform to the presentation of the current period. They should be
read in conjunction with the annual statements."""
TABLE = """Weighted-average basic shares outstanding 16,162,945 16,629,371
Effect of dilutive securities 99,258 152,364
of which options 12 14
Basic earnings per share $ 1.20 $ 1.31"""


def test_a_paragraph_goes_on_until_a_sentence_ends_with_its_line() -> None:
    assert with_joined_lines(PROSE) == PROSE.replace("\n", " ")
    assert with_joined_lines(f"{PROSE}\n{PROSE}") == "\n".join([PROSE.replace("\n", " ")] * 2)


def test_a_sentence_that_ends_with_its_line_ends_a_line() -> None:
    sentence = "Northwind and its subsidiaries have been consolidated in these statements."
    assert with_joined_lines(f"{sentence}\n{sentence}") == f"{sentence}\n{sentence}"


@pytest.mark.parametrize(
    "rows",
    [
        "Weighted average of the shares of the parent company outstanding 16\nof which were options to buy them 12",
        "16,162,945 / 16,629,371 / 16,277,824 shares of Northwind outstanding\nBonn and Ulm: 12 / 14 / 16",
    ],
)
def test_rows_with_many_words_are_rows_still(rows: str) -> None:
    assert with_joined_lines(rows) == rows


def test_rows_of_a_table_keep_their_lines() -> None:
    assert with_joined_lines(TABLE) == TABLE
    assert with_joined_lines(f"{PROSE}\n{TABLE}") == PROSE.replace("\n", " ") + "\n" + TABLE


@pytest.mark.parametrize(
    "after", ["- a point of a list", "(a) the first of several", "2. Leave", "\u2022 a bullet", "17", ""]
)
def test_items_and_numbers_of_pages_begin_a_line(after: str) -> None:
    line = "the accounts of the company and of its wholly owned subsidiaries abroad"
    assert with_joined_lines(f"{line}\n{after}") == f"{line}\n{after}"


def test_headings_and_other_short_lines_stay_alone() -> None:
    text = f"Northwind Traders\nAnnual Report\nfor shareholders\n{PROSE}"
    assert (
        with_joined_lines(text) == f"Northwind Traders\nAnnual Report\nfor shareholders\n{PROSE.replace(chr(10), ' ')}"
    )


def test_a_page_of_very_many_lines_is_joined_in_one_go() -> None:
    line = "the accounts of the company and of its wholly owned subsidiaries abroad and"
    assert with_joined_lines("\n".join([line] * 200_000)) == " ".join([line] * 200_000)


def test_scripts_that_break_words_are_joined_without_a_space() -> None:
    line = "\ucf54\ub85c\ub098" * 10
    assert with_joined_lines(f"{line}\n{line}\n{line} \n\uc758") == f"{line}{line}{line} \uc758"
