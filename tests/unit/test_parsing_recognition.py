"""What a file is read as when its name says something else, or nothing."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing import parse
from ingest.parsing.kinds import BY_EXTENSION
from tests.unit.make_office import docx, odf, package, paragraph, pptx, shape, sheet_rows, slide, xlsx
from tests.unit.make_pdf import make_pdf

MAIL = b"From: ada@example.org\nTo: bob@example.org\nMIME-Version: 1.0\nSubject: Leave\n\nIt is paid.\n"
XML = b"<?xml version='1.0'?><rota><p>Leave is paid.</p></rota>"
JSON = b'{\n "leave": {"days": 25}}'
LINES = b'{"leave": 25}\n{"leave": 26}\n'
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nLeave is paid.\n"
SRT = b"1\n00:00:01,000 --> 00:00:02,000\nLeave is paid.\n"
MBOX = b"From ada@example.org Thu Jan  1 00:00:00 2015\n" + MAIL
CARD = b"BEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD\r\n"
TABLE = b"port\tdepth\nUlm\t7\nBonn\t9\n"
PAGE = b"<!DOCTYPE html><p>Leave is paid.</p>"
WORD = docx(paragraph("Leave is paid."))
BOOK = xlsx({"Ports": sheet_rows(["port", "depth"], ["Ulm", 7])})
SLIDES = pptx({"s": slide(shape("Leave is paid."))})


def read_as(content: bytes, key: str, content_type: str | None, folder: Path) -> str | None:
    path = folder / "object"
    path.write_bytes(content)
    document = parse(path, key=key, content_type=content_type)
    assert any(block.text.strip() for block in document.blocks)
    assert document.skipped == []
    return document.read_as


@pytest.mark.parametrize("key", ["object", "object.0815", "object.docx"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (XML, "XML"),
        (b"\xef\xbb\xbf" + XML, "XML"),
        (JSON, "JSON"),
        (b'[{"leave": 25}]', "JSON"),
        (LINES, "JSON Lines"),
        (VTT, "subtitles"),
        (SRT, "subtitles"),
        (MBOX, "mailbox"),
        (MAIL, "mail"),
        (CARD, "calendar or contacts"),
        (PAGE, "HTML"),
        (rb"{\rtf1 Leave is paid.}", "RTF"),
        (make_pdf([["Leave is 25 days."]]), "PDF"),
        (WORD, "Word"),
        (BOOK, "spreadsheet"),
        (SLIDES, "PowerPoint"),
        (odf("text", "<text:p>Leave</text:p>"), "OpenDocument text"),
    ],
)
def test_a_name_that_says_nothing_or_something_else_does_not_matter(
    content: bytes, kind: str, key: str, tmp_path: Path
) -> None:
    assert read_as(content, key, None, tmp_path) == kind


@pytest.mark.parametrize(
    ("content", "key", "kind"),
    [
        (b"port,depth\nUlm,7\n", "a.txt", "plain text"),
        (JSON, "a.txt", "plain text"),
        (XML, "a.txt", "plain text"),
        (MAIL, "a.md", "Markdown"),
        (JSON, "a.yaml", "settings"),
        (JSON, "a.ipynb.txt", "plain text"),
        (b"[link] [1] and {braces}", "a.md", "Markdown"),
        (MBOX, "a.eml", "mail"),
        (MBOX, "a.txt", "mailbox"),
        (VTT, "a.txt", "subtitles"),
        (LINES, "a.json", "JSON Lines"),
        (LINES, "a.jsonl", "JSON Lines"),
        (b'{"leave": 25}', "a.jsonl", "JSON Lines"),
        (XML, "a.json", "XML"),
        (JSON, "a.xml", "JSON"),
        (TABLE, "a.xls", "TSV"),
        (PAGE, "a.xls", "HTML"),
        (b"Leave is paid.", "a.doc", "plain text"),
        (b"Leave is paid.", "README", "plain text"),
        ("\ufeffLeave is paid.".encode("utf-16"), "README", "plain text"),
    ],
)
def test_texts_are_what_they_are_named_unless_they_cannot_be(
    content: bytes, key: str, kind: str, tmp_path: Path
) -> None:
    assert read_as(content, key, None, tmp_path) == kind


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [("text/csv; charset=utf-8", "CSV"), ("text/x-anything", "plain text")],
)
def test_the_content_type_counts_when_the_name_says_nothing(content_type: str, kind: str, tmp_path: Path) -> None:
    assert read_as(b"port,depth\nUlm,7\n", "export.0815", content_type, tmp_path) == kind


@pytest.mark.parametrize(("content", "key"), [(b"\x00\x01\x02\x03", "core"), (b"GIF89a", "a.gif"), (b"words", "a.q7")])
def test_what_is_neither_known_nor_text_without_a_name_is_refused(content: bytes, key: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read_as(content, key, None, tmp_path)
    assert caught.value.reason is FailureReason.UNSUPPORTED


@pytest.mark.parametrize(
    ("extensions", "content", "kind"),
    [
        ([".docx", ".docm", ".dotx", ".dotm"], WORD, "Word"),
        ([".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"], SLIDES, "PowerPoint"),
        ([".xlsx", ".xlsm", ".xltx", ".xltm", ".xlam"], BOOK, "spreadsheet"),
        ([".ots"], odf("spreadsheet", "<table:table/>"), "spreadsheet"),
        ([".ott"], odf("text-template", ""), "OpenDocument text"),
        ([".otp"], odf("presentation-template", ""), "OpenDocument presentation"),
    ],
)
def test_templates_and_shows_are_of_the_kind_of_their_documents(
    extensions: list[str], content: bytes, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "object"
    path.write_bytes(content)
    for extension in extensions:
        assert BY_EXTENSION[extension].name == kind
        assert parse(path, key=f"a{extension}", content_type=None).read_as == kind


def test_a_package_of_no_known_program_is_an_archive(tmp_path: Path) -> None:
    drawing = package("visio/document.xml", {"visio/document.xml": "<p>Leave</p>"})
    assert read_as(drawing, "a.vsdx", None, tmp_path) == "archive"


@pytest.mark.parametrize(
    ("key", "member"), [("a.docx", "[Content_Types].xml"), ("a.xlsx", "[Content_Types].xml"), ("a.epub", "mimetype")]
)
def test_a_document_without_its_text_is_damaged_and_no_archive(key: str, member: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ZipFile(path, "w") as file:
        file.writestr(member, "application/epub+zip" if key == "a.epub" else "<Types/>")
        file.writestr("notes.txt", "Text that is none of the document's.")
    with pytest.raises(UnreadableDocument) as caught:
        list(parse(path, key=key, content_type=None).blocks)
    assert caught.value.reason is FailureReason.CORRUPT
