import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bucketwise.errors import InvalidSettings
from bucketwise.models import Chunk, Place, PlaceMark
from ingest.chunking import Chunker
from ingest.parsing import parse
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.text import clean

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
    lambda texts, markdown: ParsedDocument.from_blocks(
        [Block(clean(text), Place(page=page)) for page, text in enumerate(texts, start=1)],
        separator="\n\n",
        markdown=markdown,
    ),
    st.lists(TEXTS, min_size=1, max_size=6),
    st.booleans(),
)
CHUNKERS = st.integers(16, 60).flatmap(lambda size: st.builds(Chunker, st.just(size), st.integers(0, size - 1)))


def text_document(text: str, *, markdown: bool = False) -> ParsedDocument:
    return ParsedDocument.from_blocks([Block(text, Place())], separator="", markdown=markdown)


def lost(document: ParsedDocument, chunks: list[Chunk]) -> str:
    """What stands in no chunk."""
    kept = bytearray(len(document.text))
    for chunk in chunks:
        kept[chunk.start : chunk.end] = b"\1" * len(chunk.text)
    return "".join(character for character, flag in zip(document.text, kept, strict=True) if not flag)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, CHUNKERS)
@example(text_document("x" + " " * 3000 + "y" + "\n" * 3000 + "z", markdown=True), Chunker(16, 4))
def test_chunks_are_exact_bounded_and_lose_nothing_but_white_space(document: ParsedDocument, chunker: Chunker) -> None:
    chunks = chunker.split(document)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.text == document.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(chunk.text.strip() and 0 < chunk.tokens <= chunker.max_tokens for chunk in chunks)
    assert not lost(document, chunks).strip()
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(set(starts))


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, CHUNKERS)
def test_the_marks_of_a_chunk_say_where_each_of_its_characters_stands(
    document: ParsedDocument, chunker: Chunker
) -> None:
    def place_at(position: int, marks: tuple[PlaceMark, ...]) -> Place:
        return [mark.place for mark in marks if mark.start <= position][-1]

    for chunk in chunker.split(document):
        assert chunk.marks[0].start == chunk.start
        assert all(mark.start < chunk.end for mark in chunk.marks)
        for position in range(chunk.start, chunk.end):
            assert place_at(position, chunk.marks) == place_at(position, document.marks)


def test_no_chunk_stands_within_another() -> None:
    document = text_document("leave \n \n\nleave 25 # A\n 𐀀 0Ò 0:0 0:Å 25", markdown=True)
    assert [(chunk.start, chunk.end) for chunk in Chunker(26, 5).split(document)] == [(0, 5), (10, 39)]


def test_blank_lines_cost_no_time() -> None:
    began = time.monotonic()
    assert len(Chunker(500, 0).split(text_document("x" + "\n" * 100_000 + "y", markdown=True))) == 2
    assert time.monotonic() - began < 5  # a minute, if Markdown's splitter meets them


def test_a_chunk_may_span_pages_and_says_where_they_begin() -> None:
    document = ParsedDocument.from_blocks(
        [Block("Leave is 25 days.", Place(page=1)), Block("Ask before June.", Place(page=2))], separator="\n\n"
    )
    [chunk] = Chunker(50, 0).split(document)
    assert chunk.marks == (PlaceMark(0, Place(page=1)), PlaceMark(19, Place(page=2)))


def test_a_long_text_is_cut_the_same_in_windows_as_at_once() -> None:
    text = " ".join(f"Sentence number {number} says little." for number in range(2000))
    chunks = Chunker(100, 0).split(text_document(text))
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith(".") for chunk in chunks)
    assert min(chunk.tokens for chunk in chunks[:-1]) > 80


def test_a_long_code_block_does_not_blur_the_section_after_it() -> None:
    code = "```\n" + "x = 1\n# no heading\n" * 2000 + "```\n\n"
    document = parse(f"# A\n\n{code}# B\n\nshort\n\n# C\n\n{code}".encode(), key="a.md", content_type=None)
    chunks = Chunker(100, 0).split(document)
    assert any(chunk.text.startswith("# B") for chunk in chunks)
    assert all(chunk.marks[0].place.heading[0] in "ABC" and len(chunk.marks) <= 3 for chunk in chunks)


def test_neighbouring_chunks_overlap_by_no_more_than_was_asked() -> None:
    text = " ".join(f"word{number}" for number in range(3000))
    chunks = Chunker(100, 20).split(text_document(text))
    shared = [before.end - after.start for before, after in pairwise(chunks)]
    assert all(0 < characters <= 20 * len("word1234") for characters in shared)


@pytest.mark.parametrize(("size", "overlap"), [(100, 100), (100, 101), (100, -1), (15, 0), (0, 0)])
def test_an_overlap_or_size_that_cannot_work_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(InvalidSettings):
        Chunker(size, overlap)
