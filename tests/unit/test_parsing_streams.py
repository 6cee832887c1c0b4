"""What is held of a document while it is read does not grow with it."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.parsing import parse

SMALL, LARGE = 1_500_000, 4_000_000  # bytes
TOLERANCE = 100_000
LINE = "Größe: the ferry leaves at noon 👩 " * 20 + "\n"


def peak_of_reading(path: Path, key: str) -> int:
    """In bytes."""
    tracemalloc.start()
    try:
        for _ in parse(path, key=key, content_type=None).blocks:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("key", "part"),
    [
        pytest.param("a.txt", LINE, id="text"),
        pytest.param("a.txt", "x", id="one endless line"),
        pytest.param("a.txt", "\n" * 30_000 + "x", id="blank lines"),
        pytest.param("a.md", LINE, id="one endless paragraph"),
        pytest.param("a.md", f"# A\n\n{LINE * 20}\nB\n---\n\n", id="sections"),
        pytest.param("a.md", "x", id="one endless line of Markdown"),
        pytest.param("a.md", f"---\na: {'x' * 1000}\n" * 3, id="front matter without end"),
    ],
)
def test_no_more_memory_is_held_of_a_longer_document(tmp_path: Path, key: str, part: str) -> None:
    path = tmp_path / "object"

    def peak(size: int) -> int:
        path.write_bytes((part * (size // len(part) + 1)).encode())
        return peak_of_reading(path, key)

    peak(SMALL)  # what is remembered between documents
    assert peak(LARGE) < peak(SMALL) + TOLERANCE


@pytest.mark.parametrize("encode", [lambda text: text.encode("utf-16"), lambda text: text.encode("cp1252", "replace")])
def test_nor_in_another_encoding(tmp_path: Path, encode: Callable[[str], bytes]) -> None:
    path = tmp_path / "object"

    def peak(size: int) -> int:
        path.write_bytes(encode(LINE * (size // len(LINE))))
        return peak_of_reading(path, "a.txt")

    peak(SMALL)
    assert peak(LARGE) < peak(SMALL) + TOLERANCE
