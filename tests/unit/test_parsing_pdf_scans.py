"""Scanned pages: a PDF of nothing else needs OCR, one that has some says which."""

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.pictured import numbered
from ingest.parsing.readable import InMemory
from tests.unit.make_pdf import make_pdf

LEAVE = ["Leave is 25 days a year.", "It is paid in full."]


def read(content: bytes) -> tuple[list[Block], ParsedDocument]:
    document = parse_pdf(InMemory(content))
    return list(document.blocks), document


def skipped(content: bytes) -> list[str]:
    return read(content)[1].skipped


def refused(content: bytes) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize("in_form", [False, True])
@pytest.mark.parametrize("text", [[], ["3"], ["ABC-000137"], ["Page 3 of 7"], ["Scanned by PenScanner"]])
def test_a_pdf_of_scans_needs_ocr_and_names_its_pages(text: list[str], *, in_form: bool) -> None:
    error = refused(make_pdf([text] * 14, pictured=range(1, 15), in_form=in_form))
    assert error.reason is FailureReason.NEEDS_OCR
    assert "pages 1-14," in error.hint


@pytest.mark.parametrize("in_form", [False, True])
def test_scanned_pages_of_a_readable_pdf_are_named_as_skipped(*, in_form: bool) -> None:
    content = make_pdf([LEAVE, LEAVE, [], ["Page 4"], [], LEAVE, []], pictured=(3, 4, 5, 7), in_form=in_form)
    blocks, document = read(content)
    assert document.skipped == ["pages 3-5, 7: no text, they look scanned (needs OCR)"]
    assert [block.place.page for block in blocks if len(block.text) > 6] == [1, 2, 6]


def test_a_scan_before_the_first_text_is_named_too() -> None:
    assert skipped(make_pdf([[], LEAVE], pictured=[1])) == ["page 1: no text, it looks scanned (needs OCR)"]


def test_blank_pages_and_pages_with_a_logo_are_no_scans() -> None:
    assert skipped(make_pdf([LEAVE, [], [], LEAVE], logos=[3])) == []


def test_a_picture_behind_or_beside_text_is_no_scan() -> None:
    assert skipped(make_pdf([LEAVE, ["Annual report"], ["How we travel"]], pictured=[1, 2, 3])) == []


def test_what_is_stamped_on_every_scan_is_no_text() -> None:
    stamped = [["ACME Fax 555-0199 page 1"], LEAVE, ["ACME Fax 555-0199 page 3"]]
    assert skipped(make_pdf(stamped, pictured=[1, 3])) == ["pages 1, 3: no text, they look scanned (needs OCR)"]


def test_drawn_letters_need_ocr_too() -> None:
    error = refused(make_pdf([[], ["2"], []], drawn=True))
    assert error.reason is FailureReason.NEEDS_OCR


def test_a_short_text_is_a_text() -> None:
    assert read(make_pdf([["Hi"]]))[0][0].text == "Hi"


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ([3], "page 3"),
        ([1, 2, 3, 7], "pages 1-3, 7"),
        (range(1, 101, 2), f"pages {', '.join(map(str, range(1, 41, 2)))} and more"),
    ],
)
def test_numbers_in_a_row_are_named_by_the_first_and_the_last(numbers: list[int], named: str) -> None:
    assert numbered("page", numbers) == named
