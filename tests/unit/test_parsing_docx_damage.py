"""Word documents that are damaged or hostile, and the bounds of reading XML that all office documents share."""

import weakref
from io import BytesIO

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing import xml_elements
from tests.unit.make_office import BILLION_LAUGHS, EXTERNAL_ENTITY, docx, ole, package, paragraph, read, text_of

STYLED = {"s": ("styles", "styles")}


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


@pytest.mark.parametrize("before", [BILLION_LAUGHS, EXTERNAL_ENTITY])
def test_entities_are_refused(before: str) -> None:
    assert reason(docx(paragraph("&i;"), before=before)) is FailureReason.CORRUPT


@pytest.mark.parametrize(
    "content",
    [
        docx("<w:p>"),
        docx("\x01"),
        docx(paragraph("x"), related=STYLED, styles="<w:styles"),
        package("word/document.xml", {"word/document.xml": "<?xml version='1.0' encoding='no-such'?><a/>"}),
        package("word/document.xml", {"word/document.xml": b"\xff\xfe\x00"}),
    ],
)
def test_a_damaged_document_is_corrupt(content: bytes) -> None:
    assert reason(content) is FailureReason.CORRUPT


def test_deep_nesting_is_too_complex() -> None:
    assert reason(docx("<w:sdt>" * 5_000 + "</w:sdt>" * 5_000)) is FailureReason.TOO_COMPLEX
    deepest = (xml_elements.MAX_DEPTH - 5) // 3
    body = "<w:tbl><w:tr><w:tc>" * deepest + paragraph("x") + "</w:tc></w:tr></w:tbl>" * deepest
    assert text_of(docx(body)) == "x"


def test_one_part_of_too_many_elements_is_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_elements, "MAX_HELD", 100)
    assert text_of(docx(paragraph("x") * 200)).count("x") == 200
    assert reason(docx(f"<w:p>{'<w:r/>' * 200}</w:p>")) is FailureReason.TOO_COMPLEX


def test_what_was_read_of_a_part_is_not_held() -> None:
    stream = BytesIO(f"<a><b>{'<c><d/></c>' * 10}</b></a>".encode())
    seen, alive = [], []
    for element in xml_elements.read_elements(stream, ("a", "b")):
        seen.append(weakref.ref(element))
        alive.append(sum(reference() is not None for reference in seen))
    assert len(seen) == 10
    assert max(alive) <= 2


def test_an_encrypted_document_says_so() -> None:
    assert reason(ole({"EncryptionInfo": b"", "EncryptedPackage": b""})) is FailureReason.ENCRYPTED
