"""Zip archives as documents of many parts."""

import io
import zipfile

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.parts import MAX_DEPTH
from ingest.parsing.zip_archive import parse_zip
from tests.unit.make_pdf import make_pdf
from tests.unit.parsed_parts import read_container, refusal_of_container


def make_zip(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stored.getvalue()


def encrypted(content: bytes) -> bytes:
    """With all members marked so, in their headers and in the directory."""
    changed = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = changed.find(magic)
        while start >= 0:
            changed[start + offset] |= 1
            start = changed.find(magic, start + 4)
    return bytes(changed)


def test_every_file_is_a_part_at_its_path() -> None:
    content = make_zip({
        "docs/readme.txt": "It leaves at noon.",
        "docs/page.html": "<h1>Times</h1><p>Hourly.</p>",
        "prices.csv": "to,price\nUlm,7\n",
        "leave.pdf": make_pdf([["Leave is 25 days."]]),
    })  # fmt: skip
    reading = read_container(parse_zip, content)
    assert reading.place_of("noon").part == "docs/readme.txt"
    assert (reading.place_of("Hourly").part, reading.place_of("Hourly").heading) == ("docs/page.html", ("Times",))
    assert (reading.place_of("Ulm").part, reading.place_of("Ulm").rows) == ("prices.csv", (1, 2))
    assert (reading.place_of("25 days").part, reading.place_of("25 days").page) == ("leave.pdf", 1)
    assert reading.document.skipped == []


def test_parts_are_divided_by_an_empty_line() -> None:
    assert read_container(parse_zip, make_zip({"a.txt": "one", "b.txt": "two"})).text.strip() == "one\n\ntwo"


def test_what_cannot_be_read_is_named_and_what_systems_add_is_not() -> None:
    content = make_zip({
        "a.txt": "text",
        "photo.jpg": b"JPG",
        "broken.csv": bytes(range(256)) * 9,
        "empty.txt": "",
        "folder/": "",
        "__MACOSX/._a.txt": b"\0",
        "folder/.DS_Store": b"\0",
    })  # fmt: skip
    reading = read_container(parse_zip, content)
    assert reading.lines == ["text"]
    assert reading.document.skipped == ["photo.jpg: this kind of file cannot be read", "broken.csv: it is damaged"]


def test_a_damaged_member_leaves_the_others() -> None:
    content = bytearray(make_zip({"a.txt": "first " * 50, "b.txt": "second"}, zipfile.ZIP_STORED))
    content[content.find(b"first") + 3] ^= 0xFF
    reading = read_container(parse_zip, bytes(content))
    assert "second" in reading.text
    assert reading.document.skipped == ["a.txt: it is damaged"]


def test_names_in_utf_8_that_is_not_declared_are_understood() -> None:
    content = make_zip({"größe.txt": "text"})
    undeclared = content.replace(b"PK\x03\x04\x14\0\0\x08", b"PK\x03\x04\x14\0\0\0").replace(
        b"PK\x01\x02\x14\x03\x14\0\0\x08", b"PK\x01\x02\x14\x03\x14\0\0\0"
    )
    assert undeclared != content
    assert read_container(parse_zip, undeclared).place_of("text").part == "größe.txt"


def test_archives_within_archives_are_read_to_a_depth() -> None:
    content: bytes = make_zip({"core.txt": "reached"})
    for _ in range(MAX_DEPTH - 1):
        content = make_zip({"inner.zip": content})
    reading = read_container(parse_zip, content)
    assert reading.place_of("reached").part == "inner.zip/" * (MAX_DEPTH - 1) + "core.txt"
    assert refusal_of_container(parse_zip, make_zip({"inner.zip": content})) is FailureReason.UNSUPPORTED
    beside = read_container(parse_zip, make_zip({"inner.zip": content, "a.txt": "text"}))
    assert beside.lines == ["text"]
    assert beside.document.skipped[-1] == "inner.zip: " * MAX_DEPTH + "core.txt: it is too complex"


def test_a_mail_in_an_archive_has_its_attachments_below_it() -> None:
    mail = (
        b"Subject: Ferry\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nnoon\n"
        b"--b\nContent-Disposition: attachment; filename=a.csv\n\nto,price\nUlm,7\n--b--\n"
    )
    reading = read_container(parse_zip, make_zip({"mails/ferry.eml": mail}))
    assert (reading.place_of("noon").part, reading.place_of("noon").heading) == ("mails/ferry.eml", ("Ferry",))
    assert reading.place_of("Ulm").part == "mails/ferry.eml/a.csv"


def test_an_archive_with_a_password_is_named_so() -> None:
    assert refusal_of_container(parse_zip, encrypted(make_zip({"a.txt": "text"}))) is FailureReason.ENCRYPTED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 broken", FailureReason.CORRUPT),
        (make_zip({"a.txt": "text " * 500})[:100], FailureReason.CORRUPT),
        (make_zip({"a.jpg": b"JPG"}), FailureReason.UNSUPPORTED),
        (make_zip({"bomb.txt": bytes(80_000_000)}), FailureReason.UNSUPPORTED),
        (make_zip({f"{n}.txt": "" for n in range(20_001)}), FailureReason.TOO_COMPLEX),
    ],
    ids=["broken", "cut short", "only a picture", "a bomb", "too many files"],
)
def test_archives_that_cannot_be_read_are_refused(content: bytes, reason: FailureReason) -> None:
    assert refusal_of_container(parse_zip, content) is reason


def test_a_long_name_is_shortened_and_stays_on_one_line() -> None:
    reading = read_container(parse_zip, make_zip({f"{'long ' * 100}\n.txt": "text"}))
    part = reading.place_of("text").part or ""
    assert len(part) < 250
    assert part.endswith(".txt")
    assert "\n" not in part
