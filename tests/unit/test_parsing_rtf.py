"""Rich Text Format."""

from contextlib import suppress

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.rtf import parse_rtf
from tests.unit.parsed_parts import read, refusal

HEADER = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset204{\*\panose 02}Arial;}}"
    r"{\colortbl;\red0\green0\blue0;}"
    r"{\info{\title Leave \'e0 la carte}{\author Ann B}{\creatim\yr2021\mo3\dy4\hr10\min5}}"
)


def rich(body: str) -> bytes:
    return f"{HEADER}{body}}}".encode("ascii")


def test_text_in_any_code_page_is_read() -> None:
    reading = read(parse_rtf, rich(r"\f0 Caf\'e9 \u8364? \u-10179?\u-8704?\par\f1 \'cf\'f0\'e8\f0 \par end"))
    assert reading.text == "Café € 😀\nПри\nend"
    assert reading.document.title == "Leave à la carte"
    assert (reading.document.author, reading.document.created) == ("Ann B", "2021-03-04T10:05:00+00:00")


def test_footnotes_links_and_cells_are_kept() -> None:
    body = (
        r'Staff\footnote{Not crew.} and {\field{\*\fldinst{HYPERLINK "http://x.example"}}{\fldrslt{a link}}}\par'
        r"\trowd\cellx1\cellx2\intbl a\cell b\cell\row"
    )
    assert read(parse_rtf, rich(body)).text.split("\n")[:2] == ["Staff\tNot crew. and a link", "a|b|"]


def test_pictures_and_binaries_are_left_out() -> None:
    body = r"\binfsxn4 one{\pict\pngblip " + "00ff\r\n" * 5000 + r"} two"
    assert read(parse_rtf, rich(body)).text == "one two"
    assert read(parse_rtf, rich(r"one{\*\objdata\bin4 }}{{} two")).text == "one two"


def test_a_large_file_without_text_is_taken_for_damaged() -> None:
    assert refusal(parse_rtf, rich(r"{\pict " + "zz" * 1000 + "}")) is FailureReason.CORRUPT
    assert read(parse_rtf, r"{\rtf1 \par}").text.strip() == ""


@pytest.mark.parametrize(
    "content", [b"plain", b"", b"\xd0\xcf\x11\xe0", rb"{\rtf1 \u99999999999 a}", rb"{\rtf1\uc" + b"9" * 9999]
)
def test_broken_rich_text_is_refused(content: bytes) -> None:
    assert refusal(parse_rtf, content) is FailureReason.CORRUPT


@pytest.mark.parametrize(
    "piece",
    [r"{\field{\*\fldinst{HYPERLINK ", "{", r"{\fonttbl{\f1\fcharset1 ", r"\f1 ", "}", r"\'e9", r"\bin", r"\pict"],
)
def test_marks_without_end_do_no_harm(piece: str) -> None:
    with suppress(UnreadableDocument):
        read(parse_rtf, rich("text " + piece * 20_000))
