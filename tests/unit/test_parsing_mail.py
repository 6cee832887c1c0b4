"""Mails and mailboxes."""

from email.message import EmailMessage

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.eml import MAX_NESTING, parse_eml
from ingest.parsing.mail import MAX_ATTACHMENTS
from ingest.parsing.mbox import parse_mbox
from tests.unit.make_pdf import make_pdf
from tests.unit.parsed_parts import read_container, refusal_of_container

CSV = "to,price\nUlm,7\n"


def make_mail(subject: str = "Überfahrt", text: str = "It leaves at noon.", html: str = "") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ann Büttner <ann@x.example>"
    mail["To"] = "bob@x.example"
    mail["Date"] = "Mon, 09 Dec 2024 20:26:59 +0100"
    mail["Subject"] = subject
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


def test_a_mail_is_its_headers_and_its_text() -> None:
    reading = read_container(parse_eml, bytes(make_mail()))
    assert reading.text.strip() == (
        "# Überfahrt\n\nFrom: Ann Büttner <ann@x.example>\nTo: bob@x.example\nDate: Mon, 09 Dec 2024 20:26:59 +0100"
        "\n\nIt leaves at noon."
    )
    assert reading.headings == [("Überfahrt",)]
    assert (reading.document.title, reading.document.author) == ("Überfahrt", "Ann Büttner <ann@x.example>")
    assert reading.document.created == "2024-12-09T19:26:59+00:00"


def test_the_plain_text_is_preferred_unless_it_is_a_stub() -> None:
    page = "<h1>Times</h1><p>It leaves at <b>noon</b>, and every hour from then on until the evening.</p>"
    plain = read_container(parse_eml, bytes(make_mail(text="At noon, and hourly until evening.", html=page)))
    stub = read_container(parse_eml, bytes(make_mail(text="See HTML.", html=page)))
    assert "hourly until" in plain.text
    assert "every hour" not in plain.text
    assert stub.place_of("every hour").heading == ("Überfahrt", "Times")
    assert "See HTML." not in stub.text


def test_attachments_are_parts() -> None:
    mail = make_mail()
    mail.add_attachment(CSV, subtype="csv", filename="Preise für Ulm.csv")
    mail.add_attachment(make_pdf([["Leave is 25 days."]]), "application", "pdf", filename="leave.pdf")
    mail.add_attachment(make_mail("Inner", "Deeper."))
    mail.add_attachment(b"???", "application", "octet-stream", filename="data.bin")
    mail.add_attachment(b"PNG", "image", "png", filename="logo.png", disposition="inline", cid="<logo>")
    mail.add_attachment(b"JPG", "image", "jpeg", filename="photo.jpg")
    reading = read_container(parse_eml, bytes(mail))
    assert "Attachments: Preise für Ulm.csv, leave.pdf, Inner, data.bin, photo.jpg\n" in reading.text
    assert reading.place_of("noon").part is None
    assert reading.place_of("| Ulm | 7 |").part == "Preise für Ulm.csv"
    assert (reading.place_of("25 days").part, reading.place_of("25 days").page) == ("leave.pdf", 1)
    assert (reading.place_of("Deeper.").part, reading.place_of("Deeper.").heading) == ("Inner", ("Inner",))
    assert reading.document.skipped == [
        "data.bin: this kind of file cannot be read",
        "photo.jpg: this kind of file cannot be read",
    ]


def test_what_is_attached_to_the_html_alone_is_not_lost() -> None:
    mail = make_mail(html="<p>It leaves at noon.</p>")
    page = mail.get_payload(1)
    assert isinstance(page, EmailMessage)
    page.add_attachment(CSV, subtype="csv", filename="prices.csv")
    assert read_container(parse_eml, bytes(mail)).place_of("| Ulm | 7 |").part == "prices.csv"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("=?utf-8?b?w5xiZXI=?= =?iso-8859-1?q?fahrt?=", "Überfahrt"),
        ("Überfahrt", "Überfahrt"),
        ("=?unknown?q?Fahrt?=", "Fahrt"),
        ("=?utf-8?q?Fahrt", "=?utf-8?q?Fahrt"),
        ("one\r\n two", "one two"),
    ],
)
def test_headers_are_decoded_as_far_as_they_can_be(header: str, shown: str) -> None:
    assert read_container(parse_eml, f"Subject: {header}\r\n\r\ntext".encode()).document.title == shown


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable", b"Caf=E9"),
        ("Content-Type: text/plain; charset=windows-1252", b"Caf\xe9"),
        ("Content-Type: text/plain; charset=unknown", "Café".encode()),
        ("Content-Type: text/plain; charset*0*=utf'x''; boundary", "Café".encode()),
        ("Content-Type: multipart/mixed; boundary=never", "Café".encode()),
        ("Content-Transfer-Encoding: base64", b"Q2Fmw6k=!!garbage\xff"),
    ],
)
def test_a_body_is_decoded_as_far_as_it_can_be(headers: str, body: bytes) -> None:
    assert "Café" in read_container(parse_eml, f"Subject: x\n{headers}\n\n".encode() + body).text


def test_an_encrypted_mail_is_named_so() -> None:
    content = b"Content-Type: multipart/encrypted; boundary=x\n\n--x\n\nsecret\n"
    assert refusal_of_container(parse_eml, content) is FailureReason.ENCRYPTED


@pytest.mark.parametrize("content", [b"just text\n", b"", b"{}", b"X-Other: 1\n\ntext"])
def test_what_is_no_mail_is_refused(content: bytes) -> None:
    assert refusal_of_container(parse_eml, content) is FailureReason.CORRUPT


def nested(kind: str, depth: int) -> bytes:
    if kind == "message":
        return b"Content-Type: message/rfc822\n\n" * depth + b"Subject: core\n\ntext\n"
    opened = (f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return "".join(opened).encode() + b"\ntext\n"


def test_parts_within_parts_are_read_to_a_depth() -> None:
    assert "text" in read_container(parse_eml, nested("multipart", MAX_NESTING)).text
    for depth in (MAX_NESTING + 1, 10_000):
        assert refusal_of_container(parse_eml, nested("multipart", depth)) is FailureReason.TOO_COMPLEX
    assert "text" in read_container(parse_eml, nested("message", 3)).text
    deeper = read_container(parse_eml, nested("message", 4))
    assert "text" not in deeper.text
    assert deeper.document.skipped[0].endswith("it is too complex")


def test_a_hundred_thousand_headers_are_no_problem() -> None:
    content = b"X-Header: value\n" * 100_000 + b"Subject: last\n" + b" more\n" * 100_000 + b"\ntext"
    reading = read_container(parse_eml, content)
    assert reading.lines[-1] == "text"
    assert len(reading.document.title or "") <= 300


@pytest.mark.parametrize(
    ("kind", "last"), [("image/png", "and more"), ("text/csv; name=a.csv", "attachments after the first 1,000")]
)
def test_of_ten_thousand_attachments_a_part_is_looked_at(kind: str, last: str) -> None:
    attachment = f"--b\nContent-Type: {kind}\n\nto,price\n"
    content = b"Content-Type: multipart/mixed; boundary=b\n\n" + attachment.encode() * 10_000
    reading = read_container(parse_eml, content)
    assert len(reading.document.skipped) <= 101
    assert reading.document.skipped[-1].startswith(last)
    assert reading.text.count("| to | price |") == (0 if kind == "image/png" else MAX_ATTACHMENTS)


def test_each_mail_of_a_mailbox_is_a_part() -> None:
    forwarded = make_mail("Second", "From here on:\n>From there\n")
    forwarded.add_attachment(CSV, subtype="csv", filename="prices.csv")
    second = bytes(forwarded).replace(b"\nFrom here", b"\n>From here").replace(b"\n>From there", b"\n>>From there")
    content = b"From ann Mon\n" + bytes(make_mail()) + b"\nFrom bob Tue\n" + second
    reading = read_container(parse_mbox, content)
    assert reading.place_of("noon").part == "message 1"
    assert reading.place_of("noon").heading == ("Überfahrt",)
    assert reading.place_of("From here on:\n>From there").part == "message 2"
    assert reading.place_of("| Ulm | 7 |").part == "message 2/prices.csv"


def test_a_broken_mail_of_a_mailbox_is_named() -> None:
    reading = read_container(parse_mbox, b"From ann Mon\njust text\n\nFrom bob Tue\n" + bytes(make_mail()))
    assert reading.document.skipped == ["message 1: it is damaged"]
    assert reading.place_of("noon").part == "message 2"


def test_what_is_no_mailbox_is_refused() -> None:
    assert refusal_of_container(parse_mbox, bytes(make_mail())) is FailureReason.CORRUPT
