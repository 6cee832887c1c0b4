"""Near-duplicates and a maximum per document, among passages that are ranked already."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask import selection
from bucketwise.search import Passage
from tests.unit.fakes import passage

LEAVE = "Shore staff have twenty-seven days of annual leave a year, plus public holidays and a day for each move."
GATE = "The gate closes at midnight and opens again when the first ferry of the day has been moored at the quay."
SHARE = 0.8

WORDS = st.sampled_from(["gate", "leave", "ferry", "day", "27", "2026", "閉", "门", "x"])
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)
RANKED = st.lists(
    st.builds(lambda text, key: passage(text, key=key), TEXTS, st.sampled_from(["a.md", "b.md", "c.md"])), max_size=15
)


def without_near_duplicates(passages: list[Passage], *, share: float) -> list[Passage]:
    """Those that stay; the others are left out."""
    left_out: list[Passage] = []
    stays = list(selection.without_near_duplicates(passages, share=share, left_out=left_out))
    assert sorted(map(id, [*stays, *left_out])) == sorted(map(id, passages))
    return stays


def at_most_per_document(passages: list[Passage], *, most: int) -> list[Passage]:
    left_out: list[Passage] = []
    stays = list(selection.at_most_per_document(passages, most=most, left_out=left_out))
    assert sorted(map(id, [*stays, *left_out])) == sorted(map(id, passages))
    return stays


def texts(passages: list[Passage]) -> list[str]:
    return [each.text for each in passages]


def kept(*given: str, share: float = SHARE) -> list[str]:
    return texts(without_near_duplicates([passage(text) for text in given], share=share))


def is_subsequence(some: list[Passage], of: list[Passage]) -> bool:
    rest = iter(of)
    return all(any(one is other for other in rest) for one in some)


def test_of_copies_the_better_ranked_one_stays() -> None:
    copies = [passage(LEAVE, key="old.md"), passage(GATE), passage(LEAVE, key="new.md")]
    assert without_near_duplicates(copies, share=SHARE) == copies[:2]


def test_case_white_space_and_punctuation_make_no_other_text() -> None:
    assert kept(LEAVE, LEAVE.upper().replace(",", ";").replace(" ", "\n")) == [LEAVE]


def test_one_word_of_many_makes_no_other_text_and_many_do() -> None:
    assert kept(LEAVE, LEAVE.replace("move", "wedding")) == [LEAVE]
    changed = LEAVE.replace("Shore", "Ship").replace("days", "weeks").replace("public", "bank")
    assert kept(LEAVE, changed) == [LEAVE, changed]


@pytest.mark.parametrize("word", ["28", "2026", "E-4012"])
def test_the_same_words_with_another_number_are_no_copy(word: str) -> None:
    other = LEAVE.replace("twenty-seven", word)
    assert kept(LEAVE, other, share=0.5) == [LEAVE, other]


def test_a_part_of_a_better_passage_goes_and_one_that_says_more_stays() -> None:
    assert kept(f"{LEAVE} {GATE}", GATE) == [f"{LEAVE} {GATE}"]
    assert kept(GATE, f"{LEAVE} {GATE}") == [GATE, f"{LEAVE} {GATE}"]


def test_what_two_passages_say_between_them_is_no_copy_of_either() -> None:
    assert len(kept(LEAVE, GATE, f"{LEAVE} {GATE}")) == 3


def test_scripts_without_spaces_are_compared_by_their_characters() -> None:
    text = "岸上员工每年有二十七天年假另加公共假日"
    assert kept(text, text.replace("另加", "和")) == [text]
    assert len(kept(text, "大门在午夜关闭第一班渡轮停泊后再次打开")) == 2


def test_texts_without_a_word_are_compared_as_they_are() -> None:
    assert kept("...", "---", "...", "") == ["...", "---", ""]


def test_no_more_is_looked_at_than_is_asked_for() -> None:
    left_out: list[Passage] = []
    ranked = iter([passage(LEAVE), passage(LEAVE), passage(GATE), passage(LEAVE)])
    stays = selection.without_near_duplicates(ranked, share=SHARE, left_out=left_out)
    assert texts([next(stays), next(stays)]) == [LEAVE, GATE]
    assert (texts(left_out), texts(list(ranked))) == ([LEAVE], [LEAVE])


def test_a_document_has_its_best_passages_up_to_the_maximum() -> None:
    ranked = [passage(str(n), key=key) for n, key in enumerate(["a", "a", "b", "a", "b", "c"])]
    assert texts(at_most_per_document(ranked, most=2)) == ["0", "1", "2", "4", "5"]
    assert texts(at_most_per_document(ranked, most=1)) == ["0", "2", "5"]


@given(RANKED)
def test_nothing_is_left_out_when_nothing_is_asked_for(ranked: list[Passage]) -> None:
    assert without_near_duplicates(ranked, share=0) == at_most_per_document(ranked, most=0) == ranked


@given(RANKED, st.floats(0.01, 1))
def test_what_stays_is_in_order_is_no_copy_and_stays_again(ranked: list[Passage], share: float) -> None:
    stays = without_near_duplicates(ranked, share=share)
    assert is_subsequence(stays, ranked)
    assert without_near_duplicates(stays, share=share) == stays
    assert stays[:1] == ranked[:1]


@given(RANKED, st.floats(0.01, 1))
def test_of_every_text_there_is_one_that_stays(ranked: list[Passage], share: float) -> None:
    stays = without_near_duplicates(ranked, share=share)
    words = {word for each in stays for word in each.text.split() if word.isdigit()}
    assert words == {word for each in ranked for word in each.text.split() if word.isdigit()}
    assert len(set(texts(stays))) == len(stays)


@given(RANKED, st.floats(0.01, 1))
def test_copies_added_at_the_end_change_nothing(ranked: list[Passage], share: float) -> None:
    copies = [replace(each, key="copy.md") for each in ranked]
    assert without_near_duplicates([*ranked, *copies], share=share) == without_near_duplicates(ranked, share=share)


@given(RANKED, st.integers(1, 4))
def test_a_maximum_leaves_each_document_its_share_in_order(ranked: list[Passage], most: int) -> None:
    stays = at_most_per_document(ranked, most=most)
    assert is_subsequence(stays, ranked)
    assert at_most_per_document(stays, most=most) == stays
    for key in {each.key for each in ranked}:
        of_it = [each for each in ranked if each.key == key]
        assert [each for each in stays if each.key == key] == of_it[:most]
