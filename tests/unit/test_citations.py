"""What is cited stands in the passage that was named, and is told with its place in the document."""

import pytest

from ask.citations import MOST_QUOTATIONS, verify
from ask.replies import Quotation
from bucketwise.models import Place, PlaceMark
from tests.unit.fakes import passage

TEXT = "Staff may take 25 days of leave. A “carry-over” isn’t paid out."


@pytest.mark.parametrize("number", [-1, 0, 2, 10**30])
def test_a_quotation_from_a_passage_that_was_not_shown_is_dropped(number: int) -> None:
    assert verify([Quotation(passage=number, quote="25 days")], [passage(TEXT)]).citations == []


def test_a_quote_from_another_passage_than_the_named_one_is_dropped() -> None:
    shown_passages = [passage("The gate closes at midnight."), passage(TEXT)]
    assert verify([Quotation(passage=1, quote="25 days")], shown_passages).citations == []


def test_a_citation_holds_the_passages_own_words_at_their_offset_in_the_document() -> None:
    [citation] = verify(
        [Quotation(passage=1, quote='a "carry–over" isn\'t PAID')], [passage(TEXT, start=1000)]
    ).citations
    assert citation.quote == "A “carry-over” isn’t paid"
    at = TEXT.index(citation.quote)
    assert (citation.marker, citation.start, citation.end) == (1, 1000 + at, 1000 + at + len(citation.quote))


@pytest.mark.parametrize("quote", ["if a < b & c", "if a &lt; b &amp; c"])
def test_a_quote_is_found_escaped_as_in_the_prompt_or_not(quote: str) -> None:
    [citation] = verify([Quotation(passage=1, quote=quote)], [passage("Stop if a < b & c.")]).citations
    assert citation.quote == "if a < b & c"


def test_a_passage_that_itself_holds_entities_is_quoted_as_it_is() -> None:
    [citation] = verify(
        [Quotation(passage=1, quote="write &lt;p&gt;")], [passage("To open, write &lt;p&gt; first.")]
    ).citations
    assert citation.quote == "write &lt;p&gt;"


def test_the_same_stretch_is_cited_once_and_citations_keep_their_order() -> None:
    quotations = [Quotation(passage=1, quote=quote) for quote in ("paid out", "25 days", "PAID  out")]
    assert [citation.quote for citation in verify(quotations, [passage(TEXT)]).citations] == ["paid out", "25 days"]


def test_the_place_is_that_of_the_quote_and_not_of_the_chunks_beginning() -> None:
    text = "Leave is 25 days. Sick notes are due on day three. The end."
    marks = (
        PlaceMark(500, Place(page=3, heading=("Leave",))),
        PlaceMark(500 + text.index("Sick"), Place(page=4, heading=("Leave", "Illness"))),
        PlaceMark(500 + text.index("The end"), Place(page=5)),
    )
    found = passage(text, start=500, marks=marks)
    quotes = ("25 days", "Sick notes", "three. The end")
    citations = verify([Quotation(passage=1, quote=quote) for quote in quotes], [found]).citations
    assert [(citation.place.page, citation.place.heading) for citation in citations] == [
        (3, ("Leave",)),
        (4, ("Leave", "Illness")),
        (4, ("Leave", "Illness")),
    ]


def test_what_is_not_found_is_dropped_and_so_is_what_is_said_a_thousand_times() -> None:
    right, wrong = Quotation(passage=1, quote="25 days"), Quotation(passage=2, quote="25 days")
    verified = verify([right, wrong, *[right] * MOST_QUOTATIONS], [passage(TEXT)])
    assert [citation.quote for citation in verified.citations] == ["25 days"]
    assert verified.dropped == [wrong, right, right]
