"""Which words of a question meet which words of a text: the same analysis is used for both."""

import pytest

from bucketwise.analysis import NEUTRAL, STEMMERS, analyse
from bucketwise.stop_words import STOP_WORDS
from tests.unit.multilingual import MULTILINGUAL, Passages
from tests.unit.multilingual import asked as asked_terms


def met(question: str, text: str, language: str) -> int:
    """How many of the question's terms stand in a document in ``language``."""
    asked = asked_terms(question)
    return len(analyse(text, language).counts.keys() & {*asked[NEUTRAL], *asked.get(language, [])})


def same(first: str, second: str, language: str) -> bool:
    return analyse(first, language) == analyse(second, language)


@pytest.mark.parametrize("part", ["FOO_BAR-12.3", "foo_bar-12.3", "foo_bar", "FOO", "bar", "12.3", "12"])
def test_a_code_is_found_whole_and_in_parts(part: str) -> None:
    assert met(part, "Order FOO_BAR-12.3 today", "en")


def test_a_whole_code_meets_more_of_itself_than_a_part_of_it() -> None:
    assert met("ACME-2024/17", "see ACME-2024/17", "en") > met("ACME-2024", "see ACME-2024/17", "en") > 0


@pytest.mark.parametrize("part", ["gate", "controller", "gates", "gate/controller"])
def test_words_held_by_a_slash_are_words(part: str) -> None:
    assert met(part, "the gate/controller board", "en")


@pytest.mark.parametrize("name", ["getUserName", "getusername", "users", "name"])
def test_an_identifier_is_found_by_its_humps(name: str) -> None:
    assert met(name, "call getUserName()", "en")


@pytest.mark.parametrize("name", ["HTTPServer", "http", "server"])
def test_capitals_before_a_hump_are_a_hump(name: str) -> None:
    assert met(name, "an HTTPServer", "en")


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("1000", "1,000"), ("1000.50", "1,000.50"), ("2.10.1", "v2.10.1"), ("a.b.c", "a.b.c"), ("COVID", "COVID19"),
        ("example.com", "https://example.com/a?b"), ("jane", "jane.doe@example.com"), ("100", "30,40,100"),
    ],
)  # fmt: skip
def test_numbers_and_names_with_marks_are_found(asked: str, written: str) -> None:
    assert met(asked, written, "en")


@pytest.mark.parametrize(("one", "other"), [("C++", "C#"), ("C++", "C"), ("1.2", "12"), ("AT&T", "ATT")])
def test_marks_make_another_term(one: str, other: str) -> None:
    assert not same(one, other, "en")


@pytest.mark.parametrize(
    ("asked", "written", "language"),
    [
        ("houses", "one HOUSE", "en"), ("Hauser", "die Häuser", "de"), ("canciones", "una canción", "es"),
        ("cancion", "las canciones", "es"), ("eau", "de l'eau", "fr"), ("acqua", "dell’acqua", "it"),
        ("naive", "naïve", "en"), ("finance", "ﬁnance", "en"), ("Strasse", "Straße", "de"), ("Lodz", "Łódź", "pl"),
        ("किताबें", "एक किताब", "hi"), ("كتاب", "الكِتَاب", "ar"), ("ёлка", "у елки", "ru"), ("ΟΔΟΣ", "οδός", "el"),
        ("全文检索", "系统的全文检索功能", ""), ("天気", "東京の天気は晴れ", ""), ("ค้นหา", "การค้นหาข้อมูล", ""),
        ("검색", "한국어검색엔진", ""), ("ＡＢＣ１２", "abc12", "en"), ("co\u00adoperate", "cooperate", "en"),
    ],
)  # fmt: skip
def test_other_spellings_forms_and_scripts_meet(asked: str, written: str, language: str) -> None:
    assert met(asked, written, language)


@pytest.mark.parametrize("passages", MULTILINGUAL, ids=lambda passages: passages.language)
def test_a_question_meets_the_passage_that_answers_it_with_most_of_its_terms(passages: Passages) -> None:
    answer, *others = (met(passages.question, text, passages.language) for text in passages.texts)
    assert answer >= 2
    assert answer > max(others)


@pytest.mark.parametrize(("one", "other"), [("हिन्दी", "हनद"), ("น้ำ", "นำ"), ("мой", "мои"), ("が", "か")])
def test_signs_that_make_another_letter_stay(one: str, other: str) -> None:
    assert not same(one, other, NEUTRAL)


def test_vowel_signs_do_not_part_a_word() -> None:
    assert analyse("हिन्दी", NEUTRAL).length == 1
    assert analyse("தமிழ்", NEUTRAL).length == 1


def test_hebrew_and_arabic_points_may_be_left_out() -> None:
    assert same("שָׁלוֹם", "שלום", NEUTRAL)
    assert same("مُحَمَّد", "محمد", NEUTRAL)


def test_a_run_without_spaces_is_pairs_of_characters() -> None:
    assert analyse("全文检索", "zh").length == 3
    assert analyse("水", "zh").length == analyse("น้ำ", "th").length == 1
    assert met("文检", "全文检索", "zh") == 1


@pytest.mark.parametrize("contraction", ["don't", "don’t", "can't", "it's", "we've", "I'll", "You're"])
def test_contractions_of_stop_words_are_stop_words(contraction: str) -> None:
    assert analyse(contraction, "en").length == 0


def test_a_possessive_is_its_noun() -> None:
    assert same("the company's rent", "company rent", "en")


def test_stop_words_are_dropped_but_not_names_in_capitals() -> None:
    assert analyse("who is it", "en").length == 0
    assert analyse("The WHO and its IT", "en").length == 2
    assert met("What does the WHO say?", "a report by the WHO", "en") == 1


def test_a_text_all_in_capitals_is_read_as_if_it_were_not() -> None:
    assert same("WHAT IS THE RENT", "what is the rent", "en")


def test_a_single_word_in_capitals_is_a_name() -> None:
    assert met("WHO", "a report by the WHO", "en") == 1


def test_a_stop_word_of_one_language_is_a_word_of_another() -> None:
    assert analyse("die", "de").length == 0
    assert met("Why did they die?", "he died", "en") == 1


def test_a_stem_of_one_language_is_no_term_of_another() -> None:
    assert analyse("Haus", "de").counts.keys().isdisjoint(analyse("Haus", "en").counts)


def test_a_language_without_a_stemmer_keeps_its_words() -> None:
    assert same("thành phố", "thanh pho", "vi")
    assert same("houses", "houses", "vi")
    assert not same("houses", "house", "vi")


@pytest.mark.parametrize("language", STOP_WORDS)
def test_every_stop_word_of_a_language_is_dropped(language: str) -> None:
    assert analyse("\n".join(STOP_WORDS[language]), language).length == 0


def test_every_language_with_stop_words_has_a_stemmer_and_every_other_way_round() -> None:
    assert STOP_WORDS.keys() == STEMMERS.keys()
