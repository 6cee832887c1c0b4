import time
import tracemalloc
from collections.abc import Iterator
from itertools import cycle, pairwise, repeat
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bucketwise.errors import InvalidSettings
from bucketwise.models import Chunk, Place, PlaceMark
from ingest.chunking import Chunker
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.text import clean
from ingest.tokens import count_tokens
from tests.unit.parsed_text import WholeDocument, parse_bytes, read_whole

EXAMPLES = sorted(path for path in (Path(__file__).parents[2] / "examples" / "documents").rglob("*.*"))
WORDS = [
    "leave",
    "is",
    "25",
    "days.",
    "größe",
    "中文字",
    "👩‍👧",
    "\u0301",
    "   ",
    "\n",
    "\n\n",
    "# A\n",
    "- x\n",
    "```\n",
    "| a |\n",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), min_size=1, max_size=80).map(" ".join)
DOCUMENTS = st.builds(
    lambda texts, markdown: WholeDocument(
        tuple(Block(clean(text), Place(page=page)) for page, text in enumerate(texts, start=1)),
        separator="\n\n",
        markdown=markdown,
    ),
    st.lists(TEXTS | st.just(""), min_size=1, max_size=6),
    st.booleans(),
)
SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=5).map(cycle)
CHUNKERS = st.integers(16, 60).flatmap(lambda size: st.builds(Chunker, st.just(size), st.integers(0, size - 1)))


def text_document(text: str, *, markdown: bool = False) -> WholeDocument:
    return WholeDocument((Block(text, Place()),), markdown=markdown)


def split(chunker: Chunker, document: WholeDocument) -> list[Chunk]:
    return list(chunker.split(document.document()))


def lost(document: WholeDocument, chunks: list[Chunk]) -> str:
    """What stands in no chunk."""
    kept = bytearray(len(document.text))
    for chunk in chunks:
        kept[chunk.start : chunk.end] = b"\1" * len(chunk.text)
    return "".join(character for character, flag in zip(document.text, kept, strict=True) if not flag)


def place_at(position: int, marks: tuple[PlaceMark, ...]) -> Place:
    return [mark.place for mark in marks if mark.start <= position][-1]


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, CHUNKERS)
@example(text_document("leave \n \n\nleave 25 # A\n 𐀀 0Ò 0:0 0:Å 25", markdown=True), Chunker(26, 5))
@example(text_document("x" + " " * 3000 + "y" + "\n" * 3000 + "z", markdown=True), Chunker(16, 4))
def test_chunks_are_exact_bounded_and_lose_nothing_but_white_space(document: WholeDocument, chunker: Chunker) -> None:
    chunks = split(chunker, document)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.text == document.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(chunk.text.strip() and 0 < chunk.tokens <= chunker.max_tokens for chunk in chunks)
    assert all(chunk.tokens == count_tokens(chunk.text) for chunk in chunks)
    assert not lost(document, chunks).strip()
    assert all(one.start < other.start and one.end < other.end for one, other in pairwise(chunks))


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, CHUNKERS)
def test_the_marks_of_a_chunk_say_where_each_of_its_characters_stands(
    document: WholeDocument, chunker: Chunker
) -> None:
    for chunk in split(chunker, document):
        assert chunk.marks[0].start == chunk.start
        assert all(mark.start < chunk.end for mark in chunk.marks)
        for position in range(chunk.start, chunk.end):
            assert place_at(position, chunk.marks) == place_at(position, document.marks)


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, CHUNKERS, SIZES)
def test_a_text_is_cut_the_same_whatever_blocks_it_comes_in(
    document: WholeDocument, chunker: Chunker, sizes: Iterator[int]
) -> None:
    assert split(chunker, document.in_pieces(sizes)) == split(chunker, document)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "chunker", [Chunker(180, 0), Chunker(400, 40), Chunker(16, 0)], ids=["usual", "large", "small"]
)
def test_the_example_documents_are_cut_exactly(path: Path, chunker: Chunker) -> None:
    document = read_whole(path, key=path.name)
    chunks = split(chunker, document)
    assert all(chunk.text == document.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(chunk.tokens == count_tokens(chunk.text) <= chunker.max_tokens for chunk in chunks)
    assert not lost(document, chunks).strip()
    for chunk in chunks:
        marks = {mark.start: mark.place for mark in document.marks if chunk.start < mark.start < chunk.end}
        first = place_at(chunk.start, document.marks)
        assert {mark.start: mark.place for mark in chunk.marks} == {chunk.start: first} | marks
    assert split(chunker, document.in_pieces(repeat(7))) == chunks


@pytest.mark.parametrize("markdown", [False, True])
def test_no_more_is_read_than_the_next_window_needs(markdown: bool) -> None:
    read: list[int] = []

    def blocks() -> Iterator[Block]:
        for number in range(10_000):
            read.append(number)
            yield Block(f"## {number}\n\nSentence {number} says little.\n", Place(heading=(str(number),)))

    chunks = Chunker(16, 4).split(ParsedDocument(blocks(), separator="", markdown=markdown))
    assert read == []
    for chunk in chunks:
        if chunk.ordinal == 1000:
            break
        ahead = sum(len(f"## {number}\n\nSentence {number} says little.\n") for number in read) - chunk.start
        assert ahead < 16 * 32 * 2


def test_no_more_memory_is_held_of_a_longer_document() -> None:
    def peak(blocks: int) -> int:
        """In bytes."""
        document = ParsedDocument(
            (Block("one two three\n", Place(page=number)) for number in range(blocks)), separator=""
        )
        tracemalloc.start()
        try:
            for _ in Chunker(16, 0).split(document):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)  # what is remembered between documents
    assert peak(6000) < peak(1000) + 100_000


def test_blocks_of_one_place_share_a_mark_and_empty_ones_have_none() -> None:
    first, second = Place(page=1), Place(page=2)
    blocks = (
        Block("größe", first),
        Block("b", first),
        Block("", Place(page=9)),
        Block("👩", second),
        Block("c", first),
    )
    [chunk] = split(Chunker(50, 0), WholeDocument(blocks, separator="\n\n"))
    assert chunk.text == "größe\n\nb\n\n👩\n\nc"
    assert chunk.marks == (PlaceMark(0, first), PlaceMark(10, second), PlaceMark(13, first))


@pytest.mark.parametrize("blocks", [(), (Block("", Place()),), (Block(" \n", Place()), Block("\u3000" * 900, Place()))])
def test_without_text_there_are_no_chunks(blocks: tuple[Block, ...]) -> None:
    assert split(Chunker(16, 0), WholeDocument(blocks, separator="\n\n")) == []


def test_blank_lines_cost_no_time() -> None:
    def seconds(lines: int) -> float:
        began = time.process_time()
        assert len(split(Chunker(500, 0), text_document("x" + "\n" * lines + "y", markdown=True)))
        return time.process_time() - began

    assert seconds(100_000) < 60 * seconds(10_000)  # ten times as much; a hundred times, if they are counted


def test_a_long_text_is_cut_the_same_in_windows_as_at_once() -> None:
    text = " ".join(f"Sentence number {number} says little." for number in range(2000))
    chunks = split(Chunker(100, 0), text_document(text))
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith(".") for chunk in chunks)
    assert min(chunk.tokens for chunk in chunks[:-1]) >= 50


def test_a_long_code_block_does_not_blur_the_section_after_it() -> None:
    code = "```\n" + "x = 1\n# no heading\n" * 2000 + "```\n\n"
    document = parse_bytes(f"# A\n\n{code}# B\n\nshort\n\n# C\n\n{code}".encode(), key="a.md")
    chunks = split(Chunker(100, 0), document)
    assert any(chunk.text.startswith("# B") for chunk in chunks)
    assert all(chunk.marks[0].place.heading[0] in "ABC" and len(chunk.marks) <= 3 for chunk in chunks)


def test_neighbouring_chunks_overlap_by_no_more_than_was_asked() -> None:
    text = " ".join(f"word{number}" for number in range(3000))
    chunks = split(Chunker(100, 20), text_document(text))
    shared = [before.end - after.start for before, after in pairwise(chunks)]
    assert all(0 < characters <= 20 * len("word1234") for characters in shared)


@pytest.mark.parametrize(("size", "overlap"), [(100, 100), (100, 101), (100, -1), (15, 0), (0, 0)])
def test_an_overlap_or_size_that_cannot_work_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(InvalidSettings):
        Chunker(size, overlap)
