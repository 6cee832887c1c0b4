"""The markers that stay in an answer are those of its citations."""

import pytest

from ask.markers import keep_markers


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("It is 25 days [1].", "It is 25 days [1]."),
        ("It is 25 days [2].", "It is 25 days."),
        ("It is 25 days [1, 2].", "It is 25 days [1]."),
        ("It is 25 days [2,3].", "It is 25 days [3]."),
        ("It is 25 days [1][2][3].", "It is 25 days [1][3]."),
        ("It is 25 days[1].", "It is 25 days[1]."),
        ("One [2]\n\n[3] Two [12]", "One\n\n[3] Two"),
        ("First:\n[1] days", "First:\n[1] days"),
        ("[2] Leave", "Leave"),
        ("See [the list] and [a1].", "See [the list] and [a1]."),
        ("It is 25 days [ 1 ], [1-3] and [2;3].", "It is 25 days [1], [1, 3] and [3]."),
        ("25日です［１］。門【2】【３】。", "25日です[1]。門[3]。"),
        ("Many [" + "9" * 5000 + "]", "Many [" + "9" * 5000 + "]"),
    ],
)
def test_only_markers_of_citations_that_hold_stay_in_the_answer(answer: str, kept: str) -> None:
    assert keep_markers(answer, {1, 3}, shown=3) == kept


@pytest.mark.parametrize("piece", ["[", "[1", "1,", "[1,", " ", "［", "[ ", "[1-"])
def test_a_model_that_repeats_itself_keeps_nobody_waiting(piece: str) -> None:
    answer = "[1" + piece * (100_000 // len(piece))
    assert keep_markers(answer, {1}, shown=1) == answer.strip()


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("A [1-3] b [2-4] c [1, 3].", "A [1, 2, 3] b [2, 3, 4] c [1, 3]."),
        ("A [1–3, 2] b [4; 1−2].", "A [1, 2, 3] b [4, 1, 2]."),
        ("A [1-5] b [6].", "A [1, 2, 3, 4] b."),
        ("الإجازة [١].", "الإجازة [1]."),
    ],
)
def test_a_range_is_of_all_its_passages(answer: str, kept: str) -> None:
    assert keep_markers(answer, {1, 2, 3, 4}, shown=6) == kept


@pytest.mark.parametrize(
    "text",
    [
        "p lies in [0, 1] [1].",
        "between [5, 95] per cent [1]",
        "args[0], args[00] and x[100]",
        "[2015] UKSC 11, [1990-2000] and [1-99999]",
        "[3-1] and [1-2-3]",
    ],
)
def test_a_bracket_with_a_number_of_no_passage_is_text(text: str) -> None:
    assert keep_markers(text, {1}, shown=6) == text


@pytest.mark.parametrize("number", [7, 12, 99])
def test_a_lone_number_that_reads_as_a_marker_of_no_passage_goes(number: int) -> None:
    assert keep_markers(f"It is so [1][{number}].", {1}, shown=6) == "It is so [1]."


@pytest.mark.parametrize("marker", ["[1, 7]", "[1-9]"])
def test_a_number_too_high_costs_no_marker_its_citation(marker: str) -> None:
    assert keep_markers(f"It is so {marker}.", {1}, shown=6) == "It is so [1]."
