"""A quote is found whatever typesetting did to it, and only where it really stands."""

import re
from typing import Literal
from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask.quotes import TYPOGRAPHY, find_quote

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


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("500 EUR a year", "The fee is 1,500 EUR a year."),
        ("500 EUR a year", "The fee is 1.500 EUR a year, 1’500 EUR a year or 1\u00a0500 EUR a year."),
        ("5 Prozent", "Es sind 2,5 Prozent."),
        ("5 days", "It takes 2.5 days, .5 days or 1/5 days."),
        ("30 Uhr", "Um 12:30 Uhr."),
        ("up to 1", "It costs up to 1,000 EUR."),
        ("up to 1", "It costs up to 1.5 EUR, up to 1-5 EUR, up to 1/2 EUR or up to 1\u202f000 EUR."),
        ("up to 1,", "It costs up to 1,000 EUR."),
        ("15 %", "It is 3-15 % or 3–15 %."),
        ("5 °C", "It is -5 °C, −5 °C or ±5 °C."),
        ("$500", "The result is -$500."),
        ("500 is", "The result is (-$500 is less)."),
        ("возможно отменить", "Договор невозможно отменить."),
        ("ágil", "Es frágil."),
        ("έξοδο", "διέξοδος"),
        ("the caf", "the café"),
        ("가능합니다", "불가능합니다"),
        ("मान", "सम्मान"),
        ("五日間", "二十五日間"),
        ("is 25", "It is 25万円."),
        ("allowed", "It is dis\u00adallowed."),
    ],
)
def test_no_number_and_no_word_of_any_spaced_script_is_cut(quote: str, text: str) -> None:
    assert find_quote(quote, text) is None
    assert shown(f"{text} {quote}.", find_quote(quote, f"{text} {quote}.")) == quote


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("1,500 EUR", "The fee is 1,500 EUR a year."),
        ("It is 1,500", "It is 1,500."),
        ("It is 1", "It is 1, not 2."),
        ("It is 1", "It is 1. 2 others are not."),
        ("-5 °C", "It is -5 °C."),
        ("5 °C", "- 5 °C\n- 6 °C"),
        ("5 days", "Leave: 5 days"),
        ("25 days", "Leave—25 days—is granted."),
        ("3-15 %", "It is 3–15 %."),
        ("the 5", "the 5-day week"),
        ("500 people", "In 2020 500 people came."),
        ("eau froide", "L'eau froide"),
        ("retries", "It is max_retries."),
        ("假期有五天", "年假期有五天。"),
        ("年次休暇は27", "年次休暇は27日です。"),
        ("วันลา", "สิทธิวันลาพักร้อน"),
        ("API接口", "使用API接口文档"),
        ("the parties agree", "the parties agree² that"),
        ("500 EUR", "It is 500 EUR³."),
        ("love ❤", "I love ❤️ you"),
    ],
)
def test_between_words_and_numbers_a_quote_begins_and_ends(quote: str, text: str) -> None:
    assert find_quote(quote, text) is not None


DECOMPOSED = normalize("NFD", "Das Büro schließt um fünf. Αθήνα. 한국의 휴가. ガス代")


@pytest.mark.parametrize("quote", ["Das Büro schließt um fünf", "ΑΘΉΝΑ", "한국의 휴가", "ガス代"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_letters_are_the_same(quote: str, form: Literal["NFC", "NFD"]) -> None:
    found = shown(DECOMPOSED, find_quote(normalize(form, quote), DECOMPOSED))
    assert found is not None
    assert found.casefold() == normalize("NFD", quote).casefold()
    composed = normalize("NFC", DECOMPOSED)
    assert shown(composed, find_quote(normalize(form, quote), composed)) == normalize("NFC", found)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("the cafe", "the café"),
        ("the cafe", "the cafe\u0301 is"),
        ("イルカ", "イルガ"),
        ("하루 하", "하루 한"),
        ("l\u0304", "ḹ a"),
        ("กา", "ก้า"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_letter_is_not_cut_from_its_accents(quote: str, text: str, form: Literal["NFC", "NFD"]) -> None:
    assert find_quote(quote, normalize(form, text)) is None


MARKED = st.text(alphabet="aelouc \u0301\u0304\u0323\u0327\u0302éậḹ한한か\u3099がก้ 5.,", max_size=30)


@given(before=MARKED, inside=MARKED, after=MARKED, form=st.sampled_from(["NFC", "NFD"]))
def test_what_is_found_is_canonically_the_quote(
    before: str, inside: str, after: str, form: Literal["NFC", "NFD"]
) -> None:
    quote = normalize(form, inside)
    text = before + inside + after
    span = find_quote(quote, text)
    if span is not None:
        assert normalize("NFD", text[slice(*span)]).split() == normalize("NFD", quote).split()
        assert not any(category(each).startswith("M") for each in text[span[1] : span[1] + 1])
        assert span == find_quote(text[slice(*span)], text)
