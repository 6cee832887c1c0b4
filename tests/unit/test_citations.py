"""A quote is found whatever typesetting did to it, and only where it really stands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask.citations import MOST_QUOTATIONS, TYPOGRAPHY, find_quote, verify
from ask.replies import Quotation
from bucketwise.models import Place, PlaceMark
from tests.unit.fakes import passage

TEXT = "Staff may take 25 days of leave. A “carry-over” isn’t paid out."


def shown(text: str, span: tuple[int, int] | None) -> str | None:
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    "quote",
    [
        "Staff may take 25 days of leave.",
        "STAFF MAY take 25 days of leave.",
        "Staff  may\ttake\n25\u00a0days of leave.",
        "  Staff may take 25 days of leave.\n",
        "Sta\u00adff may take 25 d\u200bays of leave.",
        "Staﬀ may take 25 days of leave.",
    ],
)
def test_space_case_and_invisible_characters_make_no_difference(quote: str) -> None:
    assert shown(TEXT, find_quote(quote, TEXT)) == "Staff may take 25 days of leave."


@pytest.mark.parametrize("dash", "-‐‑–—−")
@pytest.mark.parametrize("apostrophe", "'’‘`")
@pytest.mark.parametrize("quotation_mark", '"“„«')
def test_dashes_and_quotation_marks_may_be_of_another_kind(dash: str, apostrophe: str, quotation_mark: str) -> None:
    quote = f"A {quotation_mark}carry{dash}over{quotation_mark} isn{apostrophe}t paid"
    assert shown(TEXT, find_quote(quote, TEXT)) == "A “carry-over” isn’t paid"


def test_ligatures_and_an_ellipsis_in_the_passage_are_found_by_plain_letters() -> None:
    assert shown("The oﬃce ﬂoor … first.", find_quote("office floor ... first", "The oﬃce ﬂoor … first.")) == (
        "oﬃce ﬂoor … first"
    )


def test_a_quote_that_begins_within_an_ellipsis_is_found_to_its_end() -> None:
    assert shown("And … so it goes on", find_quote(".. so it goes", "And … so it goes on")) == "… so it goes"


@pytest.mark.parametrize(
    "quote",
    [
        "Staff may take 26 days of leave.",
        "Staff may take 2 5 days of leave.",
        "Staff may not take 25 days of leave.",
        "Staff must take 25 days of leave.",
        "Staff may take 25 days ... isn’t paid out.",
        "of leave A “carry-over”",
        "Stafff may take",
    ],
)
def test_a_changed_word_digit_or_stop_is_not_found(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


@pytest.mark.parametrize("quote", ["", " ", "25", "\u00ad\u00ad\u00ad\u00ad", " \n a \t"])
def test_a_quote_that_is_found_anywhere_proves_nothing(quote: str) -> None:
    assert find_quote(quote, TEXT + " a") is None


def test_nothing_is_found_in_an_empty_text() -> None:
    assert find_quote("leave", "") is None


def test_a_quote_may_span_lines_of_the_passage() -> None:
    text = "The gate is\n   closed at\r\n\r\nmidnight."
    assert find_quote("is closed at midnight", text) == (9, len(text) - 1)


RESET = str.maketrans({character: plain for character, plain in TYPOGRAPHY.items() if plain})
VARIANTS = {"'": "'’‘", '"': '"“”', "-": "-–—", " ": [" ", "\n", "  ", "\u00a0"]}
LETTERS = st.text(alphabet="aäéßñЖ漢字bz019.,;:()'\"-–’“ \n\tﬁ…😀\u00ad", max_size=60)


def same_words(text: str) -> str:
    """An account of equivalence that shares no code with the search."""
    visible = text.replace("\u00ad", "").translate(RESET).casefold()
    return re.sub(r"\s+", " ", visible).strip()


@given(data=st.data(), before=LETTERS, inside=LETTERS, after=LETTERS)
def test_any_stretch_of_any_text_is_found_after_changes_of_typography(
    data: st.DataObject, before: str, inside: str, after: str
) -> None:
    text = f"{before} {inside} {after}"  # a quote is whole words
    quote = "".join(data.draw(st.sampled_from(list(VARIANTS.get(each, each)))) for each in inside)
    if data.draw(st.booleans()):
        quote = quote.swapcase() if "ß" not in quote else quote.upper()
    span = find_quote(quote, text)
    if len(same_words(inside)) < 3:
        assert span is None
    else:
        assert span is not None
        assert same_words(text[slice(*span)]) == same_words(inside)


@given(text=st.text(max_size=80), quote=st.text(max_size=20))
def test_what_is_found_reads_as_the_quote_does(text: str, quote: str) -> None:
    span = find_quote(quote, text)
    if span is not None:
        assert find_quote(quote, text[slice(*span)]) == (0, span[1] - span[0])


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


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("5 days", "Leave is 25 days.", None),
        ("25 day", "Leave is 25 days.", None),
        ("5 days", "Not 25 days but 5 days.", "5 days"),
        ("is 25", "Leave is 25.", "is 25"),
        ("假期有五天", "年假期有五天。", "假期有五天"),
    ],
)
def test_a_quote_does_not_begin_or_end_inside_a_word_or_number(quote: str, text: str, found: str | None) -> None:
    span = find_quote(quote, text)
    assert (text[slice(*span)] if span else None) == found


def test_what_is_not_found_is_dropped_and_so_is_what_is_said_a_thousand_times() -> None:
    right, wrong = Quotation(passage=1, quote="25 days"), Quotation(passage=2, quote="25 days")
    verified = verify([right, wrong, *[right] * MOST_QUOTATIONS], [passage(TEXT)])
    assert [citation.quote for citation in verified.citations] == ["25 days"]
    assert verified.dropped == [wrong, right, right]
