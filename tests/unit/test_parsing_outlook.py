"""Outlook's mails."""

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.compressed_rtf import decompressed
from ingest.parsing.outlook import parse_msg
from tests.unit.make_msg import Tree, binary_property, make_ole, numbers, unicode_property
from tests.unit.parsed_parts import read_container, refusal_of_container

SENT = {0x00390040: 133_000_000_000_000_000}  # 2022-06-18T04:26:40Z
HEADERS = {
    **unicode_property("0037", "Ferry to Ulm"),
    **unicode_property("0C1A", "Ann Büttner"),
    **unicode_property("5D01", "ann@x.example"),
    **unicode_property("0E04", "Bob"),
}
# The example of [MS-OXRTFCP], section 3.1.
COMPRESSED = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c0900206277"
    "05b06c647d0a800fa0"
)  # fmt: skip


def attachment(name: str, content: bytes, **more: str) -> Tree:
    properties = {**unicode_property("3707", name), **binary_property("3701", content), **numbers({}, header=8)}
    for number, value in more.items():
        properties |= unicode_property(number.removeprefix("p"), value)
    return properties


def mail(**storages: Tree) -> Tree:
    return {**HEADERS, **numbers(SENT), **unicode_property("1000", "It leaves at noon."), **storages}


def test_a_mail_is_its_headers_its_text_and_its_attachments() -> None:
    inner = {**unicode_property("0037", "Inner"), **unicode_property("1000", "Deeper."), **numbers({}, header=24)}
    reading = read_container(
        parse_msg,
        make_ole(
            mail(
                **{
                    "__attach_version1.0_#00000000": attachment("prices.csv", b"to,price\n" + b"Ulm,7\n" * 700),
                    "__attach_version1.0_#00000001": {
                        **unicode_property("3001", "inner mail"),
                        **numbers({}, header=8),
                        "__substg1.0_3701000D": inner,
                    },
                    "__attach_version1.0_#00000002": attachment("logo.png", b"PNG", p3712="logo@x"),
                    "__attach_version1.0_#00000003": attachment("data.bin", b"???"),
                }
            )
        ),
    )
    assert reading.lines[:6] == [
        "# Ferry to Ulm",
        "From: Ann Büttner <ann@x.example>",
        "To: Bob",
        "Date: 2022-06-18T04:26:40+00:00",
        "Attachments: prices.csv, inner mail, data.bin",
        "It leaves at noon.",
    ]
    assert reading.place_of("noon").heading == ("Ferry to Ulm",)
    assert reading.place_of("| Ulm | 7 |").part == "prices.csv"
    assert (reading.place_of("Deeper.").part, reading.place_of("Deeper.").heading) == ("inner mail", ("Inner",))
    assert reading.document.skipped == ["data.bin: this kind of file cannot be read"]
    assert (reading.document.title, reading.document.created) == ("Ferry to Ulm", "2022-06-18T04:26:40+00:00")
    assert reading.document.author == "Ann Büttner <ann@x.example>"


def test_html_is_read_where_there_is_no_plain_text() -> None:
    page = b"<html><body><h1>Times</h1><p>At noon.</p></body></html>"
    reading = read_container(parse_msg, make_ole({**HEADERS, **numbers(SENT), **binary_property("1013", page)}))
    assert reading.place_of("At noon.").heading == ("Ferry to Ulm", "Times")


def test_compressed_rich_text_is_read_where_there_is_nothing_else() -> None:
    assert decompressed(COMPRESSED) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    reading = read_container(parse_msg, make_ole({**HEADERS, **numbers(SENT), **binary_property("1009", COMPRESSED)}))
    assert "hello world" in reading.text


@pytest.mark.parametrize("stored", [b"", b"short", COMPRESSED[:30], COMPRESSED[:16] + b"\xff" * 5000, bytes(200)])
def test_damaged_rich_text_is_read_as_far_as_it_goes(stored: bytes) -> None:
    assert len(decompressed(stored)) < 100


def test_old_mails_say_which_code_page_they_are_in() -> None:
    stored = {"__substg1.0_1000001E": "Привет".encode("cp1251")}
    reading = read_container(parse_msg, make_ole({**stored, **numbers({0x3FFD0003: 1251})}))
    assert reading.lines == ["Привет"]


def test_an_encrypted_mail_is_named_so() -> None:
    content = make_ole({**unicode_property("001A", "IPM.Note.SMIME"), **HEADERS, **numbers({})})
    assert refusal_of_container(parse_msg, content) is FailureReason.ENCRYPTED


@pytest.mark.parametrize("cut", [600, 3000, 20_000])
def test_a_mail_that_is_cut_short_is_refused(cut: int) -> None:
    assert refusal_of_container(parse_msg, make_ole(mail())[:cut]) is FailureReason.CORRUPT


@pytest.mark.parametrize("content", [b"From: a", make_ole({"WordDocument": b"x"})])
def test_what_is_no_mail_is_refused(content: bytes) -> None:
    assert refusal_of_container(parse_msg, content) is FailureReason.CORRUPT
