"""Neighbours of a passage, read as the ask function reads them, while documents change."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from ask.neighbours import NeighbourChunk, NeighbourTable, Window, join_neighbours, windows_around
from bucketwise.models import Place, PlaceMark
from bucketwise.search import Passage
from ingest.chunking import Chunker
from ingest.parsing.document import Block, ParsedDocument
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import VectorTable, text_digest
from tests.integration.corpus import QUESTION, Corpus, corpus_of
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.ingest_fakes import SOON, Listed, document_of, facts

TEXT = "\n\n".join(
    f"## Rule {n}\n\nOf the {n} gates, gate {n} closes at {n} o'clock.  Ask the keeper of it\nfor a key, if late."
    for n in range(12)
)


@pytest.fixture
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    """A tenant without documents."""
    with corpus_of(shared_index, uuid4().hex) as corpus:
        yield corpus


def table(corpus: Corpus) -> NeighbourTable:
    return NeighbourTable(corpus.asked, corpus.index.tenant)


def read(corpus: Corpus, *windows: Window) -> list[NeighbourChunk]:
    found = table(corpus).chunks(windows, deadline=SOON)
    return sorted(found, key=lambda chunk: (chunk.key, chunk.ordinal))


def joined_with(passages: list[Passage], chunks: list[NeighbourChunk], reach: int) -> list[Passage]:
    return join_neighbours(passages, chunks, reach=reach, most_tokens=6000)


def test_the_chunks_of_each_window_come_with_their_places_and_version(corpus: Corpus) -> None:
    corpus.add("a.md", "one ", "two ", "three ", "four ", heading=("Numbers",))
    corpus.add("b.md", "other ", "more ")
    found = read(corpus, Window("a.md", 1, 2), Window("b.md", 0, 5), Window("gone.md", 0, 9))
    assert [(chunk.key, chunk.ordinal, chunk.text) for chunk in found] == [
        ("a.md", 1, "two "),
        ("a.md", 2, "three "),
        ("b.md", 0, "other "),
        ("b.md", 1, "more "),
    ]
    assert (found[1].start, found[1].tokens, found[1].version) == (8, 3, "v1")
    assert found[1].marks == (PlaceMark(8, Place(heading=("Numbers",))),)


def test_another_tenants_document_of_the_same_key_has_no_chunks_here(
    corpus: Corpus, shared_index: IndexDatabase
) -> None:
    with corpus_of(shared_index, uuid4().hex) as other:
        other.add("a.md", "theirs ", "also theirs ")
        corpus.add("a.md", "ours ")
        assert [chunk.text for chunk in read(corpus, Window("a.md", 0, 9))] == ["ours "]
        assert [chunk.text for chunk in read(other, Window("a.md", 0, 9))] == ["theirs ", "also theirs "]


def test_only_the_role_of_ask_may_call_the_function(corpus: Corpus) -> None:
    call = "SELECT * FROM bucketwise.neighbours('t', '{}', '{}', '{}')"
    with connected(corpus.database.ask) as ask:
        assert ask.execute(call).fetchall() == []
    with connected(corpus.database.ingest) as ingest, pytest.raises(psycopg.errors.InsufficientPrivilege):
        ingest.execute(call)


@pytest.mark.parametrize("overlap", [0, 8])
@pytest.mark.parametrize("reach", [1, 5])
def test_what_ingest_cut_is_joined_as_it_stood(corpus: Corpus, overlap: int, reach: int) -> None:
    document = ParsedDocument(iter([Block(TEXT, Place(page=1))]), separator="", markdown=True)
    chunks = list(Chunker(32, overlap).split(document))
    texts = {chunk.text for chunk in chunks}
    VectorTable(corpus.index.database, corpus.index.tenant).add_embeddings(
        {text_digest(text): QUESTION for text in texts}, deadline=SOON
    )
    corpus.index.replace(
        facts("a.md", "v1"),
        document_of(),
        Listed(chunks),
        EmbeddingReceipt(),
        corpus.index.claim(deadline=SOON),
        deadline=SOON,
    )
    found = corpus.ask("keeper gate", QUESTION, limit=50).passages
    assert len(found) == len(chunks) > 20
    for passage in found:
        windows = windows_around([passage], reach)
        [joined] = joined_with([passage], read(corpus, *windows), reach)
        stood = TEXT[joined.start : joined.start + len(joined.text)]
        assert len(stood) == len(joined.text) > len(passage.text)
        assert joined.text.split() == stood.split()


def test_a_document_that_is_replaced_all_the_time_never_mixes_its_versions(corpus: Corpus) -> None:
    corpus.add("a.md", *(f"Part {part} of version 0. " for part in range(5)))
    stop = threading.Event()

    def replace_it() -> None:
        for number in range(1, 300):
            if stop.is_set():
                return
            # Part 2 stays the same: it alone does not tell that the rest was replaced.
            said = [f"Part {part} of version {number}. " for part in range(5)]
            corpus.add("a.md", *said[:2], "Part 2 of all versions.  ", *said[3:], last_modified=None)

    writer = threading.Thread(target=replace_it)
    writer.start()
    joined_ones = 0
    try:
        for _ in range(150):
            found = corpus.ask("part", QUESTION).passages
            windows = windows_around(found[:1], 4)
            [joined] = joined_with(found[:1], table(corpus).chunks(windows, deadline=SOON), 4)
            assert len(set(re.findall(r"version (\d+)", joined.text))) == 1
            joined_ones += joined.text != found[0].text
    finally:
        stop.set()
        writer.join()
    assert joined_ones > 0


def test_a_document_that_is_deleted_after_the_search_leaves_its_passage_alone(corpus: Corpus) -> None:
    corpus.add("a.md", "one ", "two ", "three ")
    found = corpus.ask("two", QUESTION).passages
    corpus.remove("a.md")
    windows = windows_around(found, 1)
    assert joined_with(found, read(corpus, *windows), 1) == found


def test_a_version_that_comes_after_the_search_is_not_taken_for_the_one_that_was_found(corpus: Corpus) -> None:
    corpus.add("a.md", "one ", "two ", "three ")
    [found] = corpus.ask("two", QUESTION, limit=1).passages
    windows = windows_around([found], 1)
    now = [replace(chunk, version="v2") for chunk in read(corpus, *windows)]
    assert joined_with([found], now, 1) == [found]
