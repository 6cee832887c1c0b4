"""What holds for the terms of any text."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bucketwise.analysis import LONGEST_TERM, NEUTRAL, STEMMERS, TERM_BITS, analyse
from tests.unit.multilingual import asked as asked_terms

TEXTS = st.text() | st.text("aB1ß-_./,'+# \u0301\u0915\u094dคำ全") | st.lists(st.sampled_from(
    ["gate/controller", "FOO_BAR-12.3", "l'eau", "don't", "WHO", "1,000", "हिन्दी", "全文检索", "ค้นหา", "C++"]
)).map(" ".join)  # fmt: skip
LANGUAGES = st.sampled_from(["", "zh", *STEMMERS])
WIDEST = 1 << (TERM_BITS - 1)


@given(TEXTS, LANGUAGES)
@example("a-" * 5000, "en")
@example("\u0301" * 5000, "en")
@example("क" * 5000 + "\u094d" * 5000, "hi")
@example("x" * 5000, "en")
@example("aB" * 2500, "en")
@example("," * 5000 + "1,000" * 1000, "en")
@example("'" * 5000 + "n't" * 1000, "en")
def test_any_text_has_terms_in_proportion_to_its_length(text: str, language: str) -> None:
    terms = analyse(text, language)
    assert terms.length == sum(terms.counts.values()) <= 3 * len(unicodedata.normalize("NFKC", text))
    assert all(-WIDEST <= term < WIDEST and count > 0 for term, count in terms.counts.items())


@given(TEXTS, LANGUAGES)
def test_a_text_asked_as_a_question_meets_each_of_its_terms(text: str, language: str) -> None:
    asked = asked_terms(text)
    assert {*asked[NEUTRAL], *asked.get(language, [])} >= analyse(text, language).counts.keys()


@given(TEXTS)
def test_no_term_of_a_question_stands_twice(text: str) -> None:
    every = [term for terms in asked_terms(text).values() for term in terms]
    assert len(every) == len(set(every))


@given(TEXTS, LANGUAGES)
def test_composed_and_decomposed_letters_are_the_same(text: str, language: str) -> None:
    assert analyse(unicodedata.normalize("NFD", text), language) == analyse(
        unicodedata.normalize("NFC", text), language
    )


@given(st.lists(TEXTS.filter(lambda text: not text.isupper()), max_size=4), LANGUAGES)
def test_paragraphs_have_the_terms_that_each_of_them_has(texts: list[str], language: str) -> None:
    whole = analyse("\n".join(texts), language)
    assert whole.length == sum(analyse(text, language).length for text in texts)


def test_a_question_is_analysed_in_every_language() -> None:
    asked = asked_terms("Houses")
    assert asked.keys() == {NEUTRAL, *STEMMERS}
    assert all(asked.values())


def test_terms_are_the_same_in_every_process() -> None:
    assert sorted(analyse("House 12", "en").counts) == [-35976130166450652, 28880075812714762]


def test_encoded_data_is_no_term_but_a_long_path_has_its_parts() -> None:
    assert analyse("x" * (LONGEST_TERM + 1), "en").length == 0
    assert analyse("/".join(["folder"] * 20), "en").length == 1


@pytest.mark.parametrize("part", ["a-", "क\u094d", "1,", "aB", "n't", "全", "\u0301", "a'", "ก\u0e31", "++", "x.y/z:"])
def test_a_long_text_without_a_space_is_worked_through(part: str) -> None:
    """It would not come to an end if a pattern tried its parts in every combination."""
    assert analyse(part * 50_000, "en").length <= 3 * 50_000 * len(part)
