"""Which boundaries chunks end at."""

import random

import pytest

from ingest.chunking import Chunker
from ingest.tokens import count_tokens
from tests.unit.parsed_text import parse_bytes
from tests.unit.test_chunking import split, text_document


def sentences(subject: str, count: int) -> str:
    return " ".join(f"The {subject} number {number} is a {subject} like another {subject}." for number in range(count))


def test_a_short_document_is_one_chunk_and_a_longer_one_is_not() -> None:
    text = f"# Otters\n\n{sentences('otter', 10)}\n\n{sentences('pawn', 4)}"
    tokens = count_tokens(text)
    [chunk] = split(Chunker(100, 0, tokens), text_document(f"\n{text}\n", markdown=True))
    assert (chunk.text, chunk.start, chunk.tokens) == (text, 1, tokens)
    assert len(split(Chunker(100, 0, tokens - 1), text_document(text, markdown=True))) > 1
    assert all(chunk.tokens <= 100 for chunk in split(Chunker(100, 0, tokens - 1), text_document(text)))


def test_a_heading_stays_with_the_text_below_it() -> None:
    document = parse_bytes(f"# Otters\n\n{sentences('otter', 40)}".encode(), key="a.md")
    first = split(Chunker(100, 0), document)[0]
    assert first.text.startswith("# Otters\n\nThe otter number 0")
    assert first.text.endswith(".")


def test_what_is_left_of_a_paragraph_is_not_mixed_with_the_next_one() -> None:
    text = "\n\n".join(sentences(subject, 11) for subject in ("otter", "pawn", "granite"))
    chunks = split(Chunker(100, 0), text_document(text))
    assert len(chunks) > 3
    assert not any("\n" in chunk.text for chunk in chunks)
    assert min(chunk.tokens for chunk in chunks) > 100 // 8


def test_lines_that_were_wrapped_are_no_boundaries() -> None:
    words = ("The otters of this river hold hands while they are asleep. " * 60).split()
    text = "\n".join(" ".join(words[start : start + 7]) for start in range(0, len(words), 7))
    assert all(chunk.text.endswith(".") for chunk in split(Chunker(60, 0), text_document(text)))


@pytest.mark.parametrize(
    "text", ["水獺在睡覺時手牽手。" * 200, "水獺在睡覺時手牽手" * 200, "QUJD" * 500], ids=["marks", "none", "base64"]
)
def test_a_text_without_spaces_fills_its_chunks(text: str) -> None:
    chunks = split(Chunker(60, 0), text_document(text))
    assert "".join(chunk.text for chunk in chunks) == text
    assert min(chunk.tokens for chunk in chunks[:-1]) >= 30


@pytest.mark.parametrize("overlap", [0, 20])
def test_an_edit_changes_only_the_chunks_around_it(overlap: int) -> None:
    chance = random.Random(2)  # noqa: S311  # texts, not secrets
    words = ["otter", "pawn", "granite", "river", "harbour", "flour", "lantern", "salt", "bridge", "copper"]
    paragraphs = [
        " ".join(f"The {' '.join(chance.choices(words, k=8))}." for _ in range(chance.randint(1, 12)))
        for _ in range(600)
    ]
    before = {chunk.text for chunk in split(Chunker(100, overlap), text_document("\n\n".join(paragraphs)))}
    paragraphs[100] = "Something else stands here. It is short."
    after = [chunk.text for chunk in split(Chunker(100, overlap), text_document("\n\n".join(paragraphs)))]
    changed = [place for place, text in enumerate(after) if text not in before]
    assert 0 < changed[-1] - changed[0] < 6


def test_a_chunk_ends_with_a_paragraph_rather_than_with_a_later_line() -> None:
    paragraph = "\n".join(f"Otter {number} sleeps here." for number in range(12))
    chunks = split(Chunker(100, 0), text_document("\n\n".join([paragraph] * 6)))
    assert [chunk.text for chunk in chunks] == [paragraph] * 6
