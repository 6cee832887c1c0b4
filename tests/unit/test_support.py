"""Which sentences of an answer have no citation."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask.support import unsupported


@pytest.mark.parametrize(
    ("answer", "without"),
    [
        ("25 days [1].", []),
        ("25 days. [1]", []),
        ("25 days.", ["25 days."]),
        ("25 days", ["25 days"]),
        ("25 days [1]. It is generous. Gates close [2].", ["It is generous."]),
        ("It is generous. 25 days. [1] Gates close.", ["It is generous.", "Gates close."]),
        ("25 days [1, 2][3]. Really? [1] Yes!", ["Yes!"]),
        ("It is 3.5 days, e.g. in May, as Dr. Smith says [1].", []),
        ("It costs $1.50 a day [1]; no. 7 is free.", []),
        ("These are:\n- 25 days [1]\n- a bicycle\n", ["- a bicycle"]),
        ("年次休暇は25日です[1]。門は閉まります。", ["門は閉まります。"]),
        ("25日です。[1]門は閉まります。[2]", []),
        ("He said “25 days.” [1] Then left.", ["Then left."]),
        ("These are:\n1. 25 days [1]\n2. A bicycle.\n3. Gates close [2].", ["2. A bicycle."]),
        ("## Leave\n25 days [1].\n**Gates:**\nThey close [2].", []),
        ("**It is generous.** 25 days [1].", ["**It is generous.**"]),
        ("The answer is 25. It is generous [1].", ["The answer is 25."]),
        ("الإجازة ٢٥ يوما. حقا؟ نعم [1].", ["الإجازة ٢٥ يوما.", "حقا؟"]),
        ("p lies in [0, 1]. So it is [1].", ["p lies in [0, 1]."]),
        ("It was [2015]. So it is [1, 4].", ["It was [2015].", "So it is [1, 4]."]),
        ("It is so [" + "9" * 5000 + "].", ["It is so [" + "9" * 5000 + "]."]),
        ("", []),
        (" \n ", []),
        ("[1]", []),
        ("...", []),
    ],
)
def test_sentences_without_a_marker_are_found(answer: str, without: list[str]) -> None:
    assert [answer[start:end] for start, end in unsupported(answer, {1, 2, 3})] == without


@given(st.text(alphabet="ab .!?。[1]\n:,", max_size=40))
def test_what_is_told_lies_within_the_answer_in_order_and_has_no_marker(answer: str) -> None:
    ranges = unsupported(answer, {1})
    assert all(0 <= start < end <= len(answer) for start, end in ranges)
    assert all(end <= start for (_, end), (start, _) in pairwise(ranges))
    assert all("[1]" not in answer[start:end] for start, end in ranges)


@pytest.mark.parametrize("piece", [".", " ", "\t", "\n", "[1] ", "[1] \n", "e.g. ", ".x", "1. ", "* ", "#", "。"])
@pytest.mark.parametrize("end", ["", "x"])
def test_a_model_that_repeats_itself_keeps_nobody_waiting(piece: str, end: str) -> None:
    """Read in a time that grows with the square of the length, some of these would take minutes."""
    answer = piece * (100_000 // len(piece)) + end
    assert all(0 <= start < end <= len(answer) for start, end in unsupported(answer, {1}))
