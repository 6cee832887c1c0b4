"""What was filled into a form's fields is read with their page."""

import pytest

from ingest.parsing import pdf_forms
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.pdf_forms import MAX_VALUE
from ingest.parsing.readable import InMemory
from tests.unit.make_pdf import make_form

NAME = "/FT /Tx /T (name) /TU (Name of applicant) /V (Ada Lovelace)"


def lines(*fields: str, pages: int = 1) -> list[str]:
    """Of all pages, without the lines that are printed on them."""
    blocks = parse_pdf(InMemory(make_form(["Application for leave"], fields, pages=pages))).blocks
    return [line for block in blocks for line in block.text.splitlines() if line != "Application for leave"]


@pytest.mark.parametrize(
    ("field", "line"),
    [
        (NAME, "Name of applicant: Ada Lovelace"),
        ("/FT /Tx /T (days) /V (25)", "days: 25"),
        ("/FT /Ch /Ff 131072 /T (port) /Opt [(Ulm) (Bonn)] /V (Bonn)", "port: Bonn"),
        ("/FT /Btn /T (paid) /V /On /AS /On /AP << /N << /On 4 0 R >> >>", "paid: yes"),
    ],
)
def test_a_value_stands_behind_its_label(field: str, line: str) -> None:
    assert lines(field) == [line]


@pytest.mark.parametrize(
    "field",
    [
        "/FT /Tx /T (name)",
        "/FT /Tx /T (name) /V ( )",
        "/FT /Tx /V (no name)",
        "/FT /Btn /T (paid) /V /Off /AS /Off /AP << /N << /On 4 0 R >> >>",
        f"/FT /Tx /T (long) /V ({'x' * (MAX_VALUE + 1)})",
    ],
)
def test_what_is_not_filled_in_or_has_no_end_is_left_out(field: str) -> None:
    assert lines(field) == []


def test_values_that_are_stored_once_do_not_make_a_text_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_forms, "MAX_CHARACTERS", 60)
    fields = [f"/FT /Tx /T (field {number}) /V ({'x' * 25})" for number in range(9)]
    assert len(lines(*fields)) == 3


def test_a_field_that_is_on_every_page_is_read_once() -> None:
    assert lines(NAME, "/FT /Tx /T (days) /V (25)", pages=3) == ["Name of applicant: Ada Lovelace", "days: 25"]
