from pathlib import Path

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place, PlaceMark
from ingest.parsing.text import TextFile
from ingest.tokens import count_tokens
from tests.unit.parsed_text import parse_bytes

GERMAN = "Die Größe der Straße hängt vom Gebäude ab; für Ämter gelten übliche Maße. " * 5


def text_of(content: bytes) -> str:
    return parse_bytes(content, key="a.txt").text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_decoded_from_its_encoding(encoding: str) -> None:
    assert text_of(GERMAN.encode(encoding)) == GERMAN


def test_an_encoding_is_told_by_what_is_beyond_ascii_however_late_that_comes() -> None:
    preamble = "All of this is plain. " * 20_000
    assert text_of((preamble + GERMAN).encode("cp1252")) == preamble + GERMAN


def test_big_endian_text_is_decoded_by_its_mark() -> None:
    assert text_of(b"\xfe\xff" + GERMAN.encode("utf-16-be")) == GERMAN


def test_one_damaged_byte_does_not_change_the_encoding() -> None:
    assert text_of(GERMAN.encode() + b"\xff") == GERMAN + "\ufffd"


def test_lines_end_in_lf_and_what_the_database_refuses_is_dropped() -> None:
    surrogate = "a\r\nb\rc\0d\ud800e\ufffe\ufeff\x02".encode("utf-16-le", errors="surrogatepass")
    assert text_of(b"\xff\xfe" + surrogate).replace("\ufffd", "") == "a\nb\ncde"


def test_text_has_no_title_and_one_nameless_place() -> None:
    document = parse_bytes(b"# no heading here", key="a.txt")
    assert (document.title, document.marks, document.markdown) == (None, (PlaceMark(0, Place()),), False)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *((encoding, "aé漢\U00020000👩\n") for encoding in ("utf-8", "utf-16-le", "utf-32-be", "gb18030")),
        ("cp1252", GERMAN),
        ("shift_jis", "aＡ漢字かな交じり文。\n"),
        ("iso2022_jp", "aＡ漢字かな交じり文。\n"),
    ],
)
def test_where_a_text_is_cut_for_decoding_does_not_show(encoding: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for shift in range(4):
        whole = "x" * shift + text * 4000
        path.write_bytes(whole.encode(encoding))
        assert "".join(TextFile(path, encoding, most_tokens=0).pieces()) == whole


@pytest.mark.parametrize("before", range(8190, 8194))
def test_a_line_s_end_may_stand_where_the_text_is_cut(before: int) -> None:
    assert text_of(b"x" * before + b"\r\n\r\ny\r") == "x" * before + "\n\ny\n"


def test_an_encoding_that_shows_only_later_is_found() -> None:
    text = "plain text\n" * 1000 + GERMAN * 100
    assert text_of(text.encode("cp1252")) == text


def test_damage_far_into_the_file_does_not_change_the_encoding() -> None:
    assert text_of(GERMAN.encode() * 2000 + b"\xff") == GERMAN * 2000 + "\ufffd"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_the_most_tokens_are_no_fewer_than_the_text_has(encoding: str) -> None:
    document = parse_bytes((GERMAN + "€" * 400).encode(encoding), key="a.txt")
    assert document.most_tokens is not None
    assert count_tokens(document.text) <= document.most_tokens


def test_the_most_tokens_of_utf_8_are_its_bytes() -> None:
    assert parse_bytes(GERMAN.encode(), key="a.txt").most_tokens == len(GERMAN.encode())


@pytest.mark.parametrize("damage", [b"\xff", "é".encode()[:1]])
def test_characters_that_stand_for_damage_are_counted_in_the_most_tokens(damage: bytes) -> None:
    document = parse_bytes(GERMAN.encode() + damage, key="a.txt")
    assert document.most_tokens is not None
    assert len(document.text.encode()) <= document.most_tokens


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        "ab".encode("utf-16-le") * 9,
        b"text " * 40_000 + b"\0" * 3000,
        b"\0" * 3000 + b"text " * 40_000,
    ],
)
def test_binary_named_as_text_is_corrupt(content: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        text_of(content)
    assert caught.value.reason is FailureReason.CORRUPT
    assert "binary" in caught.value.hint
