import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place, PlaceMark
from ingest.parsing import parse

GERMAN = "Die Größe der Straße hängt vom Gebäude ab; für Ämter gelten übliche Maße. " * 5


def text_of(content: bytes) -> str:
    return parse(content, key="a.txt", content_type=None).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_decoded_from_its_encoding(encoding: str) -> None:
    assert text_of(GERMAN.encode(encoding)) == GERMAN


def test_big_endian_text_is_decoded_by_its_mark() -> None:
    assert text_of(b"\xfe\xff" + GERMAN.encode("utf-16-be")) == GERMAN


def test_one_damaged_byte_does_not_change_the_encoding() -> None:
    assert text_of(GERMAN.encode() + b"\xff") == GERMAN + "\ufffd"


def test_lines_end_in_lf_and_what_the_database_refuses_is_dropped() -> None:
    surrogate = "a\r\nb\rc\0d\ud800e\ufffe\ufeff\x02".encode("utf-16-le", errors="surrogatepass")
    assert text_of(b"\xff\xfe" + surrogate).replace("\ufffd", "") == "a\nb\ncde"


def test_text_has_no_title_and_one_nameless_place() -> None:
    document = parse(b"# no heading here", key="a.txt", content_type=None)
    assert (document.title, document.marks, document.markdown) == (None, (PlaceMark(0, Place()),), False)


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 20, b"PK\x03\x04" + b"\0\1\2" * 50, "ab".encode("utf-16-le") * 9]
)
def test_binary_named_as_text_is_corrupt(content: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        text_of(content)
    assert caught.value.reason is FailureReason.CORRUPT
    assert "binary" in caught.value.hint
