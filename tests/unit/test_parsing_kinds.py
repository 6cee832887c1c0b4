"""Which parser reads an object, and that none raises anything but ``UnreadableDocument``."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.kinds import BY_EXTENSION
from tests.unit.make_pdf import make_pdf
from tests.unit.parsed_text import parse_bytes

PDF = make_pdf([["Leave is 25 days."], ["Ask before June."]])
PIECES = [
    b"<div>",
    b"</p>",
    b"<table><tr>",
    b"<td>",
    b"<pre>",
    b"<ul><li>",
    b"<h1>",
    b"</ul>",
    b"<br>",
    b"# ",
    b"```\n",
]


def refused(content: bytes, *, key: str, content_type: str | None = None) -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        parse_bytes(content, key=key, content_type=content_type)
    return caught.value


@pytest.mark.parametrize("key", ["notes.txt", "a/b/NOTES.LOG", "report.bin", "noextension"])
def test_a_pdf_is_read_as_pdf_whatever_its_name(key: str) -> None:
    assert parse_bytes(PDF, key=key).pages == 2


def test_a_text_that_only_speaks_of_pdf_stays_text() -> None:
    document = parse_bytes(b"A PDF begins with %PDF-1.7 and a version.", key="about.txt")
    assert document.pages is None


def test_a_page_is_read_as_html_whatever_its_name() -> None:
    page = b"<?xml version='1.0'?><!-- saved -->\n<!DOCTYPE html><p>Leave is <b>25</b> days.</p>"
    assert parse_bytes(page, key="page.txt").text == "Leave is 25 days."


def test_the_extension_wins_over_the_content_type() -> None:
    assert parse_bytes(b"# A", key="a.txt", content_type="text/markdown").title is None


@pytest.mark.parametrize(("content_type", "markdown"), [("text/markdown; charset=utf-8", True), ("text/plain", False)])
def test_the_content_type_decides_without_a_known_extension(content_type: str, markdown: bool) -> None:
    assert parse_bytes(b"# A", key="README", content_type=content_type).markdown is markdown


@pytest.mark.parametrize("content_type", [None, "binary/octet-stream", "image/png"])
def test_an_unknown_kind_is_refused_with_the_supported_ones(content_type: str | None) -> None:
    error = refused(b"GIF89a", key="picture.gif", content_type=content_type)
    assert error.reason is FailureReason.UNSUPPORTED
    assert all(extension in error.hint for extension in BY_EXTENSION)


@pytest.mark.parametrize("key", ["a.txt", "a.md", "a.html", "a.pdf", "a.gif", "a"])
@pytest.mark.parametrize("content", [b"", b" \r\n\t "])
def test_a_file_without_a_visible_byte_is_empty_whatever_its_kind(key: str, content: bytes) -> None:
    assert refused(content, key=key).reason is FailureReason.EMPTY


@pytest.mark.parametrize("key", ["a.txt", "a.md", "a.html"])
@pytest.mark.parametrize("content", [b"\xef\xbb\xbf\n", "\ufeff\u2003\n".encode("utf-16"), "\u3000".encode()])
def test_a_file_of_white_space_in_any_encoding_is_empty(key: str, content: bytes) -> None:
    assert refused(content, key=key).reason is FailureReason.EMPTY


@pytest.mark.parametrize("key", ["a.txt", "a.md", "a.html"])
def test_white_space_around_a_text_does_not_make_it_empty_however_long(key: str) -> None:
    space = " \n" * 20_000 + "\u3000" * 20_000
    assert parse_bytes(f"{space}end{space}".encode(), key=key).text.strip() == "end"


@pytest.mark.parametrize("key", [f"file{extension}" for extension in BY_EXTENSION])
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400) | st.lists(st.sampled_from(PIECES) | st.binary(max_size=8)).map(b"".join))
def test_any_bytes_are_parsed_or_refused(key: str, content: bytes) -> None:
    try:
        document = parse_bytes(content, key=key)
    except UnreadableDocument:
        return
    starts = [mark.start for mark in document.marks]
    assert document.text.strip()
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < len(document.text)
    assert "\0" not in document.text
    document.text.encode()
