"""Neighbours of passages, joined to them as they stand in the document."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask.citations import verify
from ask.neighbours import NeighbourChunk, Window, join_neighbours, windows_around
from ask.replies import Quotation
from bucketwise.models import Place, PlaceMark
from bucketwise.search import Passage
from tests.unit.fakes import passage

TEXT = "Leave is 25 days.\n\nThe gate closes at midnight.\nIt opens at six.  Ferries run all day."
SPANS = [(0, 17), (19, 47), (48, 64), (66, 86)]


def chunk(ordinal: int, start: int, end: int, text: str = TEXT, version: str | None = "v1") -> NeighbourChunk:
    marks = (PlaceMark(start, Place(page=1 + ordinal)),)
    return NeighbourChunk("a.md", ordinal, text[start:end], 10, start, marks, version)


CHUNKS = [chunk(ordinal, *span) for ordinal, span in enumerate(SPANS)]


def hit(of: NeighbourChunk, *, score: float = 1.0) -> Passage:
    found = passage(of.text, key=of.key, start=of.start, marks=of.marks, tokens=of.tokens)
    return replace(found, ordinal=of.ordinal, version=of.version, score=score)


def joined(hits: list[Passage], reach: int, stored: list[NeighbourChunk] = CHUNKS) -> list[Passage]:
    windows = windows_around(hits, reach)
    inside = [each for each in stored if any(w.key == each.key and w.first <= each.ordinal <= w.last for w in windows)]
    return join_neighbours(hits, inside, reach=reach, most_tokens=6000)


def without_white_space(text: str) -> str:
    return "".join(text.split())


def test_a_passage_is_joined_with_the_chunks_around_it_and_keeps_its_scores() -> None:
    [found] = joined([hit(CHUNKS[1], score=0.7)], 1)
    assert (found.start, len(found.text), found.tokens, found.score) == (0, 64, 30, 0.7)
    assert found.text == "Leave is 25 days.\n\nThe gate closes at midnight.\nIt opens at six."


def test_the_first_and_last_chunks_have_neighbours_on_one_side() -> None:
    assert [(each.start, len(each.text)) for each in joined([hit(CHUNKS[0])], 1)] == [(0, 47)]
    assert [(each.start, len(each.text)) for each in joined([hit(CHUNKS[3])], 5)] == [(0, 86)]


def test_each_character_stands_where_it_stands_in_the_document_also_after_gaps() -> None:
    [found] = joined([hit(CHUNKS[1])], 3)
    assert len(found.text) == len(TEXT)
    assert all(
        ours == theirs or (ours.isspace() and theirs.isspace()) for ours, theirs in zip(found.text, TEXT, strict=True)
    )


def test_a_place_in_the_joined_text_is_that_of_its_chunk() -> None:
    [found] = joined([hit(CHUNKS[1])], 2)
    assert [found.place_at(start).page for start, _ in SPANS] == [1, 2, 3, 4]
    assert [found.place_at(end - 1).page for _, end in SPANS] == [1, 2, 3, 4]


def test_a_quote_of_a_neighbour_or_across_chunks_is_cited_where_it_stands() -> None:
    [found] = joined([hit(CHUNKS[1])], 2)
    [of_neighbour, across] = verify(
        [
            Quotation(passage=1, quote="Ferries run all day."),
            Quotation(passage=1, quote="at midnight. It opens at six"),
        ],
        [found],
    ).citations
    assert (TEXT[of_neighbour.start : of_neighbour.end], of_neighbour.place.page) == ("Ferries run all day.", 4)
    assert (TEXT[across.start : across.end], across.place.page) == ("at midnight.\nIt opens at six", 2)


def test_what_neighbouring_chunks_share_stands_once() -> None:
    overlapping = [chunk(0, 0, 30), chunk(1, 19, 50), chunk(2, 20, 40), chunk(3, 48, 86)]
    assert [each.text for each in joined([hit(overlapping[1])], 2, overlapping)] == [TEXT]


def test_passages_whose_neighbourhoods_overlap_become_one_in_the_place_of_the_best() -> None:
    other = replace(passage("Other."), key="b.md")
    hits = [hit(CHUNKS[2], score=0.9), other, hit(CHUNKS[0], score=0.1)]
    [first, second] = joined(hits, 1)
    assert (first.start, len(first.text), first.score, first.ordinal) == (0, 86, 0.9, 2)
    assert second == other


def test_passages_that_are_far_apart_stay_two() -> None:
    many = [chunk(ordinal, 10 * ordinal, 10 * ordinal + 9, "ten chars." * 9) for ordinal in range(9)]
    assert windows_around([hit(many[7]), hit(many[1])], 1) == [Window("a.md", 0, 2), Window("a.md", 6, 8)]
    assert [(each.start, each.tokens) for each in joined([hit(many[7]), hit(many[1])], 1, many)] == [(60, 30), (0, 30)]


@given(
    ordinals=st.lists(st.integers(0, 29), min_size=1, max_size=12, unique=True),
    reach=st.integers(0, 4),
)
def test_with_room_enough_each_passage_has_all_its_neighbours_in_whatever_order_they_are_ranked(
    ordinals: list[int], reach: int
) -> None:
    many = [chunk(ordinal, 10 * ordinal, 10 * ordinal + 9, "ten chars." * 30) for ordinal in range(30)]
    stretches = joined([hit(many[ordinal]) for ordinal in ordinals], reach, many)
    windows = [
        (window.first, min(window.last, 29)) for window in windows_around([hit(many[o]) for o in ordinals], reach)
    ]
    assert sorted((each.start // 10, (each.start + len(each.text)) // 10) for each in stretches) == windows


@pytest.mark.parametrize(
    "now",
    [
        [replace(CHUNKS[0], version="v2"), replace(CHUNKS[1], version="v2"), replace(CHUNKS[2], version="v2")],
        [CHUNKS[0], replace(CHUNKS[1], text="The gate closes at noon."), CHUNKS[2]],
        [CHUNKS[0], replace(CHUNKS[1], start=20), CHUNKS[2]],
        [CHUNKS[0]],
        [],
    ],
    ids=["version", "text", "start", "shorter", "deleted"],
)
def test_a_passage_of_a_document_that_was_replaced_stays_as_it_was_found(now: list[NeighbourChunk]) -> None:
    found = hit(CHUNKS[1])
    assert joined([found], 1, now) == [found]


def test_of_passages_that_would_be_one_all_stay_alone_if_one_does_not_stand_any_more() -> None:
    hits = [hit(CHUNKS[0]), hit(CHUNKS[1])]
    assert joined(hits, 1, [CHUNKS[0], replace(CHUNKS[1], text="New."), CHUNKS[2]]) == hits


def test_an_unversioned_bucket_has_neighbours_too() -> None:
    stored = [replace(each, version=None) for each in CHUNKS]
    assert joined([hit(stored[1])], 1, stored)[0].tokens == 30


@given(
    text=st.text(st.sampled_from("ab .\n"), min_size=1, max_size=60).filter(str.strip),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    overlap=st.integers(0, 3),
    chosen=st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True),
    reach=st.integers(1, 3),
)
def test_joined_text_is_the_documents_but_for_white_space_between_chunks(
    text: str, cuts: list[int], overlap: int, chosen: list[int], reach: int
) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    spans = []
    for first, last in pairwise(edges):
        start = max(0, first - overlap)
        body = text[start:last]
        spans.append((start + len(body) - len(body.lstrip()), start + len(body.rstrip())))
    stored = [chunk(ordinal, *span, text) for ordinal, span in enumerate(span for span in spans if span[0] < span[1])]
    hits = [hit(stored[place]) for place in chosen if place < len(stored)]
    for found in joined(hits, reach, stored):
        original = text[found.start : found.start + len(found.text)]
        assert len(original) == len(found.text)
        assert without_white_space(found.text) == without_white_space(original)
        assert [mark.start for mark in found.marks] == sorted({mark.start for mark in found.marks})
    covered = [(each.start, each.start + len(each.text)) for each in joined(hits, reach, stored)]
    assert all(
        any(start <= each.start and each.start + len(each.text) <= end for start, end in covered) for each in hits
    )
