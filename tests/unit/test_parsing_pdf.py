from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdfium2 import PdfDocument

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place, PlaceMark
from ingest.parsing import parse, pdf
from ingest.parsing.pdf_forms import FilledFields
from ingest.parsing.pdf_page import Page, read_page
from tests.unit.make_pdf import make_encrypted_pdf, make_pdf
from tests.unit.parsed_text import WholeDocument, parse_bytes

PAGES = [["Leave is 25 days.", "It is paid."], ["Ask before June."], ["Nobody is refused."]]


def read(content: bytes) -> WholeDocument:
    return parse_bytes(content, key="a.pdf")


def refused(content: bytes) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value


def test_each_page_is_one_block_with_its_number() -> None:
    document = read(make_pdf(PAGES))
    assert document.text == "Leave is 25 days.\nIt is paid.\n\nAsk before June.\n\nNobody is refused."
    assert document.marks == tuple(
        PlaceMark(document.text.index(page[0]), Place(page=number)) for number, page in enumerate(PAGES, start=1)
    )
    assert (document.pages, document.markdown) == (3, False)


def test_a_page_without_text_keeps_its_number() -> None:
    document = read(make_pdf([["Leave is 25 days."], [], ["Ask before June."]]))
    assert [mark.place.page for mark in document.marks] == [1, 3]
    assert document.pages == 3


def test_pages_are_read_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read_pages: list[int] = []

    def load_noting(document: PdfDocument, index: int, fields: FilledFields) -> Page:
        read_pages.append(index)
        return read_page(document, index, fields)

    monkeypatch.setattr(pdf, "read_page", load_noting)
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf([["3"], [], *PAGES]))
    blocks = parse(path, key="a.pdf", content_type=None).blocks
    assert [next(blocks).place.page for _ in range(4)] == [1, 2, 3, 4]
    assert read_pages == [0, 1, 2, 3]


def test_a_pdf_that_is_opened_anew_for_each_page_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_pdf([*PAGES, [], ["4"]] * 3)
    at_once = read(content)
    monkeypatch.setattr(pdf, "_BYTES_AT_ONCE", 1)
    assert read(content) == at_once


@pytest.mark.parametrize("pages", [[["3"]] * 14, [[]] * 3])
def test_nothing_is_given_out_of_a_pdf_without_text(pages: list[list[str]], tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf(pages, drawn=True))
    with pytest.raises(UnreadableDocument):
        next(parse(path, key="a.pdf", content_type=None).blocks)


def test_bytes_before_the_header_are_forgiven() -> None:
    assert read(b"\r\njunk\r\n" + make_pdf(PAGES)).pages == 3


@pytest.mark.parametrize(
    ("stored", "title"),
    [
        ("Staff handbook", "Staff handbook"),
        ("Microsoft Word - Staff handbook", "Staff handbook"),
        ("Microsoft Word - handbook.doc", None),
        ("untitled", None),
        ("2024", None),
        (None, None),
    ],
)
def test_the_title_is_taken_from_the_metadata_when_it_is_one(stored: str | None, title: str | None) -> None:
    assert read(make_pdf(PAGES, title=stored)).title == title


def test_a_pdf_with_a_password_is_encrypted() -> None:
    assert refused(make_encrypted_pdf()).reason is FailureReason.ENCRYPTED


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing else", b"no pdf at all"])
def test_what_pdfium_cannot_open_is_corrupt(content: bytes) -> None:
    assert refused(content).reason is FailureReason.CORRUPT


def test_blank_pages_are_empty() -> None:
    assert refused(make_pdf([[], []])).reason is FailureReason.EMPTY


def test_a_pdf_without_pages_is_refused() -> None:
    assert refused(make_pdf([])).reason in {FailureReason.EMPTY, FailureReason.CORRUPT}


def test_spaces_that_do_not_break_are_spaces() -> None:
    assert read(make_pdf([[r"Annual\240leave is 25 days."]])).text == "Annual leave is 25 days."


def test_hyphens_at_the_end_of_a_line_are_joined() -> None:
    assert "appointment" in read(make_pdf([["An appoint-", "ment is made in June."]])).text


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_truncated_or_damaged_pdf_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(make_pdf(PAGES, title="Staff handbook"))
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(9, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(9, len(content)))
    try:
        document = read(bytes(content[:end]))
    except UnreadableDocument:
        return
    assert document.text.strip()
