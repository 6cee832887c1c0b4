import io
import struct
import zipfile

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing import archive as bounds
from ingest.parsing.archive import open_archive
from ingest.parsing.readable import InMemory
from tests.unit.make_office import zipped


def reason(content: bytes, name: str = "a.txt") -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught, open_archive(InMemory(content)) as archive:
        archive.read(name)
    return caught.value.reason


def test_members_are_found_in_another_case_and_with_backslashes() -> None:
    with open_archive(InMemory(zipped({"Word\\Document.xml": "one", "/b.txt": "two", "folder/": ""}))) as archive:
        assert archive.read("word/document.xml") == b"one"
        assert archive.read("b.txt", most=3) == b"two"
        assert archive.size("b.txt") == 3
        assert "folder/" not in archive
        assert len(archive.names) == 2


def test_of_members_of_one_name_the_last_is_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("a.txt", "first")
        with pytest.warns(UserWarning, match="Duplicate"):
            written.writestr("a.txt", "last")
    with open_archive(InMemory(file.getvalue())) as archive:
        assert archive.read("a.txt") == b"last"
        assert archive.names == ["a.txt"]


def test_a_name_that_is_missing_means_a_damaged_file() -> None:
    assert reason(zipped({"b.txt": ""})) is FailureReason.CORRUPT


def test_a_member_that_grows_beyond_measure_is_a_bomb() -> None:
    assert reason(zipped({"a.txt": bytes(20 << 20)})) is FailureReason.TOO_COMPLEX


def test_a_small_member_may_grow_to_any_size() -> None:
    with open_archive(InMemory(zipped({"a.txt": b" " * (1 << 20)}))) as archive:
        assert len(archive.read("a.txt")) == 1 << 20


def test_a_member_larger_than_is_wanted_is_too_large() -> None:
    with open_archive(InMemory(zipped({"a.txt": "four"}))) as archive, pytest.raises(UnreadableDocument) as caught:
        archive.read("a.txt", most=3)
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_members_are_too_large_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_TOTAL_BYTES", 10)
    with open_archive(InMemory(zipped({"a": "1234", "b": "1234", "c": "1234"}))) as archive:
        assert [archive.read("a"), archive.read("b")] == [b"1234"] * 2
        with pytest.raises(UnreadableDocument) as caught:
            archive.read("c")
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_a_size_that_is_a_lie_does_no_harm() -> None:
    content = zipped({"a.txt": bytes(100_000)})
    lie = content.replace(struct.pack("<I", 100_000), struct.pack("<I", 10))
    assert reason(lie) is FailureReason.CORRUPT


def test_too_many_members_are_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_MEMBERS", 2)
    assert reason(zipped(dict.fromkeys("abc", ""))) is FailureReason.TOO_COMPLEX


def test_a_directory_too_large_for_memory_is_not_read() -> None:
    size = 9 << 20
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0)
    assert reason(bytes(size) + end) is FailureReason.TOO_COMPLEX


def test_an_encrypted_member_says_so() -> None:
    content = bytearray(zipped({"a.txt": "secret"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with open_archive(InMemory(bytes(content))) as archive:
        assert archive.is_encrypted("a.txt")
    assert reason(bytes(content)) is FailureReason.ENCRYPTED


def test_what_is_packed_in_a_rare_way_is_unsupported() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as written:
        written.writestr("a.txt", "text")
    assert reason(file.getvalue()) is FailureReason.UNSUPPORTED


@pytest.mark.parametrize("kept", [0, 10, 60, -1])
def test_a_file_that_is_cut_short_is_corrupt(kept: int) -> None:
    assert reason(zipped({"a.txt": "text" * 100})[:kept]) is FailureReason.CORRUPT


def test_a_member_whose_bytes_changed_is_corrupt() -> None:
    content = bytearray(zipped({"a.txt": "text"}))
    content[37] ^= 0xFF
    assert reason(bytes(content)) is FailureReason.CORRUPT
