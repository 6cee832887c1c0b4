"""A reply in text, from a model that knows no JSON schema."""

import json

import pytest

from ask.replies import GeneratedAnswer, Quotation, read_json, read_text
from bucketwise.errors import ModelReplyInvalid

ANSWER = {"answerable": True, "answer": "25 days [1].", "citations": [{"passage": 1, "quote": "25"}], "reason": ""}


def quotations(content: str) -> list[tuple[int, str]]:
    return [(each.passage, each.quote) for each in read_text(content).citations]


def test_the_quotes_are_those_below_the_answer() -> None:
    read = read_text('Leave is 25 days [1].\n\nGates close [2].\n\nQUOTES\n[1] 25 days\n[2] "close at midnight"\n')
    assert (read.answerable, read.answer) == (True, "Leave is 25 days [1].\n\nGates close [2].")
    assert [(each.passage, each.quote) for each in read.citations] == [(1, "25 days"), (2, "close at midnight")]


@pytest.mark.parametrize("head", ["QUOTES", "QUOTES:", "**QUOTES**", "## QUOTES", "  QUOTES  "])
@pytest.mark.parametrize(
    "line", ["[1] 25 days", "- [1] 25 days", "[1]: 25 days", "* [1] “25 days”", "[1]   «25 days»", "【1】 25 days"]
)
def test_ornaments_make_no_difference(head: str, line: str) -> None:
    assert quotations(f"It is so [1].\n{head}\n{line}\n") == [(1, "25 days")]


def test_a_passage_may_be_quoted_more_than_once() -> None:
    assert quotations("So [1].\nQUOTES\n[1] 25 days\n[1] a year") == [(1, "25 days"), (1, "a year")]


def test_lines_without_a_number_are_no_quotes() -> None:
    assert quotations("So [1].\nQUOTES\n25 days\n[x] 25\n[] 25\n[1]\n[1] \n[99999999999] x") == []


def test_the_last_heading_counts() -> None:
    assert quotations("The word is\nQUOTES\n[1] no\nQUOTES\n[2] yes") == [(2, "yes")]


def test_without_quotes_all_is_the_answer() -> None:
    read = read_text("It is 25 days [1].")
    assert (read.answer, read.citations) == ("It is 25 days [1].", [])


@pytest.mark.parametrize("begin", ["NO ANSWER: ", "**NO ANSWER:** ", "NO ANSWER\n", "NO ANSWER - ", "```\nNO ANSWER: "])
def test_a_refusal_has_its_reason(begin: str) -> None:
    assert read_text(f"{begin}Rent is not mentioned.") == GeneratedAnswer(
        answerable=False, answer="", citations=[], reason="Rent is not mentioned."
    )


@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```", "```\n{}\n```", "  {}\n"])
def test_json_is_read_where_a_model_writes_it_all_the_same(fence: str) -> None:
    read = read_text(fence.replace("{}", json.dumps(ANSWER)))
    assert (read.answer, read.citations) == ("25 days [1].", [Quotation(passage=1, quote="25")])


@pytest.mark.parametrize("content", ["", " \n", "{", '{"answer": 1}', "```json\n{}\n```"])
def test_an_empty_or_broken_reply_is_no_answer(content: str) -> None:
    with pytest.raises(ModelReplyInvalid):
        read_text(content)


@pytest.mark.parametrize(
    "around", ["{}", "```json\n{}\n```", "Here it is:\n{}", "```\n{}\n```\nI hope that this helps."]
)
def test_an_object_is_found_among_other_words(around: str) -> None:
    assert read_json(around.replace("{}", json.dumps(ANSWER))) == GeneratedAnswer.model_validate(ANSWER)


@pytest.mark.parametrize("content", ["", "It is 25 days.", "}{", "{", "[1]", "{} {}"])
def test_what_holds_no_object_of_the_schema_is_no_answer(content: str) -> None:
    with pytest.raises(ModelReplyInvalid):
        read_json(content)


@pytest.mark.parametrize("piece", ["\n", " ", "- \n", "[ \n", "[1] \n", "```\n", "QUOTES\n", "{"])
@pytest.mark.parametrize("beginning", ["x", "```\n", "QUOTES\n[1] a\n"])
def test_a_model_that_repeats_itself_keeps_nobody_waiting(beginning: str, piece: str) -> None:
    """Read in a time that grows with the square of the length, or faster, some of these would take hours."""
    assert read_text(f"{beginning}{piece * (100_000 // len(piece))}x").answerable
