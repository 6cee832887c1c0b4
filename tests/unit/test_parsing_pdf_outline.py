"""The outline of a PDF gives its pages' text the headings above it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsing import pdf_outline
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.readable import InMemory
from tests.unit.make_pdf import Bookmark, make_pdf

TOP, MIDDLE = 760, 400


def sections(
    pages: Sequence[Sequence[str]], bookmarks: Sequence[Bookmark]
) -> list[tuple[int | None, tuple[str, ...], str]]:
    """Page, headings and text of each block."""
    blocks = parse_pdf(InMemory(make_pdf(pages, bookmarks=bookmarks))).blocks
    return [(block.place.page, block.place.heading, block.text) for block in blocks]


def test_a_page_is_divided_where_a_title_stands() -> None:
    pages = [["Foreword of the harbour", "1. Leave", "It is paid.", "Sick leave", "So is that."], ["It goes on here."]]
    bookmarks = [(0, "Leave", 1, MIDDLE), (1, "SICK LEAVE", 1, MIDDLE)]
    assert sections(pages, bookmarks) == [
        (1, (), "Foreword of the harbour"),
        (1, ("Leave",), "1. Leave\nIt is paid."),
        (1, ("Leave", "SICK LEAVE"), "Sick leave\nSo is that."),
        (2, ("Leave", "SICK LEAVE"), "It goes on here."),
    ]


def test_a_title_is_found_at_the_beginning_of_a_line_alone() -> None:
    pages = [["All of our Leave is paid.", "Leaves are green.", "Leave", "25 days"]]
    assert sections(pages, [(0, "Leave", 1, MIDDLE)])[1] == (1, ("Leave",), "Leave\n25 days")


def test_a_title_that_the_page_does_not_show_holds_from_the_top_it_points_to() -> None:
    pages = [["Statement of something"], ["Its second page"]]
    for top in (TOP, 0):
        found = sections(pages, [(0, "Statements", 1, top), (1, "Income", 1, top)])
        assert [heading for _, heading, _ in found] == [("Statements", "Income")] * 2


def test_below_a_title_that_is_nowhere_to_be_found_only_what_is_sure_is_told() -> None:
    pages = [["Chapter one", "It is paid."], ["More of this, then of that."], ["More of that."]]
    bookmarks = [(0, "Chapter one", 1, TOP), (1, "This", 1, TOP), (1, "That", 2, MIDDLE)]
    assert [heading for _, heading, _ in sections(pages, bookmarks)] == [
        ("Chapter one",),
        ("Chapter one",),
        ("Chapter one", "That"),
    ]


def test_titles_are_bounded() -> None:
    assert len(sections(PAGES, [(0, "long " * 100, 1, TOP)])[0][1][0]) <= 200


def test_a_page_too_long_to_be_real_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [["Foreword of the harbour", "Leave", "It is paid."]]
    assert len(sections(pages, [(0, "Leave", 1, MIDDLE)])) == 2
    monkeypatch.setattr(pdf_outline, "_LONGEST_PAGE", 10)
    assert len(sections(pages, [(0, "Leave", 1, MIDDLE)])) == 1


PAGES = [["Leave is 25 days.", "Leave", "Sick leave"], ["Sick leave", "Leave", "It is paid."], ["Ask before June."]]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Leave", "Sick leave", "Ask", "Foreword"]), st.integers(1, 3), st.integers(0, 790)),
        max_size=6,
    )
)
def test_no_text_is_lost_or_twice_whatever_the_outline(entries: list[tuple[str, int, int]]) -> None:
    found = sections(PAGES, [(0, *entry) for entry in entries])
    assert "\n".join(text for _, _, text in found if text).split("\n") == [line for page in PAGES for line in page]
