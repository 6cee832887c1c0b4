"""Chunks wait in memory while they are few, else in a file, and come back as they were, as often as asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, UnreadableDocument
from bucketwise.models import Chunk, FailureReason, Place, PlaceMark
from ingest import spool
from ingest.spool import ChunkSpool
from ingest.terms import Analysis, ChunkTerms
from tests.unit.ingest_fakes import SOON, Listed, chunks_of

PLACES = st.builds(Place, page=st.none() | st.integers(1, 9), heading=st.lists(st.text(), max_size=3).map(tuple))
CHUNKS = st.builds(
    Chunk,
    ordinal=st.integers(0, 10**6),
    text=st.text(min_size=1),
    tokens=st.integers(1, 400),
    start=st.integers(0, 10**9),
    end=st.integers(0, 10**9),
    marks=st.lists(st.builds(PlaceMark, start=st.integers(0, 10**9), place=PLACES), max_size=3).map(tuple),
)


ANALYSIS = Analysis("A title", "a/key.txt", "en")


def filled(*chunks: Chunk, most_tokens: int = 10**6) -> ChunkSpool:
    filling = ChunkSpool(most_tokens=most_tokens)
    for chunk in chunks:
        filling.add(chunk)
    return filling


@given(st.lists(CHUNKS, max_size=5))
def test_chunks_come_back_as_they_were_and_in_order(chunks: list[Chunk]) -> None:
    with filled(*chunks) as kept:
        assert list(kept) == chunks
        assert (kept.count, kept.tokens) == (len(chunks), sum(chunk.tokens for chunk in chunks))


def test_they_can_be_read_again_also_after_a_reading_that_was_broken_off() -> None:
    chunks = chunks_of(*"abcdef")
    with filled(*chunks) as kept:
        assert next(iter(kept)) == chunks[0]
        assert list(kept) == list(kept) == chunks


@pytest.mark.parametrize(("characters", "on_disk"), [(1_000_000, False), (1_000, True)])
def test_they_are_in_memory_while_they_are_few_and_in_a_file_after_that(
    monkeypatch: pytest.MonkeyPatch, characters: int, on_disk: bool
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", characters)
    chunks = chunks_of(*(f"Zwölf Boxkämpfer\r\n\u2028 {n}" for n in range(300)))
    with filled(*chunks) as kept:
        kept.make_terms(ANALYSIS, deadline=SOON)
        for file in (kept._file, kept._terms):
            assert file._rolled is on_disk  # type: ignore[attr-defined]  # tempfile's own, for what no method tells
        assert list(kept) == list(kept) == chunks
        assert list(kept.terms(ANALYSIS)) == list(Listed(chunks).terms(ANALYSIS))


def test_as_many_tokens_as_may_be_are_taken_and_one_more_is_too_large() -> None:
    first, second = chunks_of("one", "two", tokens=5)
    with filled(first, second, most_tokens=10) as kept:
        assert kept.tokens == 10
        with pytest.raises(UnreadableDocument) as raised:
            kept.add(replace(second, tokens=1))
    assert raised.value.reason is FailureReason.TOO_LARGE
    assert "MAX_DOCUMENT_TOKENS" in raised.value.hint


@given(st.lists(CHUNKS, max_size=5))
def test_their_terms_are_those_that_each_of_them_has(chunks: list[Chunk]) -> None:
    with filled(*chunks) as kept:
        kept.make_terms(ANALYSIS, deadline=SOON)
        expected = list(Listed(chunks).terms(ANALYSIS))
        assert list(kept.terms(ANALYSIS)) == expected
        assert list(zip(kept, kept.terms(ANALYSIS), strict=True)) == list(zip(chunks, expected, strict=True))


def test_terms_are_made_once_however_often_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Chunk] = []

    def of(analysis: Analysis, chunk: Chunk) -> ChunkTerms:
        made.append(chunk)
        return ChunkTerms(analysis.key, len(made), "{}")

    monkeypatch.setattr(Analysis, "of", of)
    chunks = chunks_of("one", "two")
    with filled(*chunks) as kept:
        kept.make_terms(ANALYSIS, deadline=SOON)
        assert list(kept.terms(ANALYSIS)) == list(kept.terms(ANALYSIS))
    assert made == chunks


def test_terms_of_another_analysis_are_not_taken_for_the_ones_that_are_asked_for() -> None:
    with filled(*chunks_of("Houses")) as kept:
        with pytest.raises(AssertionError):
            next(kept.terms(ANALYSIS))
        kept.make_terms(ANALYSIS, deadline=SOON)
        other = replace(ANALYSIS, title=None, language="de")
        with pytest.raises(AssertionError):
            next(kept.terms(other))
        kept.make_terms(other, deadline=SOON)
        assert list(kept.terms(other)) == list(Listed(list(kept)).terms(other))


def test_no_terms_are_made_after_the_deadline() -> None:
    with filled(*chunks_of("one")) as kept, pytest.raises(DeadlineExceeded):
        kept.make_terms(ANALYSIS, deadline=Deadline.after(0))


def test_nothing_is_left_of_them_afterwards() -> None:
    with filled(*chunks_of("one")) as kept:
        kept.make_terms(ANALYSIS, deadline=SOON)
    with pytest.raises(ValueError, match="closed"):
        next(iter(kept))
    with pytest.raises(ValueError, match="closed"):
        next(kept.terms(ANALYSIS))
