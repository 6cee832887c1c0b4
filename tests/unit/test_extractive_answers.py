"""The stand-in for a language model: what it reads from a prompt, quotes, and refuses to answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.model_server.answers import parted
from local.model_server.completions import NOT_ANSWERED, complete, without_markdown
from local.model_server.embeddings import Embedder
from local.model_server.json_schema import fill, require_strict
from local.model_server.prompt import read_prompt
from local.model_server.sentences import split_units
from local.model_server.wire import RequestRefused

HANDBOOK = """\
# Leave

Every employee has 25 days of paid leave a year. Unused days expire on 31 March of the next year.

## Benefits

| Benefit | Amount |
|---------|-------:|
| Lunch | $12 a day |
| Gym membership | $40 a month |

To book a trip:
- Ask your **manager** for approval
  at least two weeks ahead.
- Send the receipts to `travel@example.com`.
"""
WARRANTY = "How long is the warranty?\nTwo years from the date of purchase. Batteries & chargers <5 V are excluded."
WEATHER = "The monsoon reaches the coast in June. Rainfall is heaviest in the western hills."
PASSAGES = f"""\
<passages>
<passage id="7" title="Handbook" key="a&gt;b.md">{HANDBOOK}</passage>
<passage id="9" key='warranty.txt'>
{WARRANTY.replace("&", "&amp;").replace("<", "&lt;")}
</passage>
<passage id="12">{WEATHER}</passage>
</passages>
"""
ANSWER_SCHEMA = {
    "type": "object",
    "properties": {
        "answerable": {"type": "boolean"},
        "answer": {"type": "string"},
        "citations": {"type": "array", "items": {"$ref": "#/$defs/Citation"}},
        "reason": {"type": "string"},
    },
    "$defs": {
        "Citation": {
            "type": "object",
            "properties": {"passage": {"type": "integer"}, "quote": {"type": "string"}},
        }
    },
}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def messages(user: str) -> list[dict[str, str]]:
    system = 'Answer from the passages only, such as <passage id="1">, and cite them like [1].'
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def ask(embedder: Embedder, question: str) -> Mapping[str, Any]:
    prompt = messages(f"{PASSAGES}\n<question>{question}</question>\nAnswer with quotations.")
    reply: Mapping[str, Any] = json.loads(complete(prompt, embedder, schema=ANSWER_SCHEMA))
    return reply


def quotes(reply: Mapping[str, Any]) -> Sequence[tuple[int, str]]:
    return [(citation["passage"], citation["quote"]) for citation in reply["citations"]]


def test_the_best_sentence_is_quoted_with_its_passage(embedder: Embedder) -> None:
    reply = ask(embedder, "How many days of paid leave do employees have?")
    assert reply["answerable"] is True
    assert quotes(reply) == [(7, "Every employee has 25 days of paid leave a year.")]
    assert reply["answer"] == "Every employee has 25 days of paid leave a year [7]."


def test_a_table_row_is_found_through_its_header_and_quoted_whole(embedder: Embedder) -> None:
    reply = ask(embedder, "What is the amount of the gym membership benefit?")
    assert quotes(reply)[0] == (7, "| Gym membership | $40 a month |")
    assert reply["answer"].startswith("Gym membership, $40 a month [7].")


def test_a_list_item_is_one_quote_over_its_lines_and_clean_prose_in_the_answer(embedder: Embedder) -> None:
    reply = ask(embedder, "Whose approval do I need to book a trip?")
    assert quotes(reply)[0] == (7, "- Ask your **manager** for approval\n  at least two weeks ahead.")
    assert reply["answer"].startswith("Ask your manager for approval at least two weeks ahead [7].")


def test_a_question_inside_a_passage_leads_to_the_sentence_below_it(embedder: Embedder) -> None:
    reply = ask(embedder, "How long is the warranty?")
    assert quotes(reply)[0] == (9, "Two years from the date of purchase.")


def test_what_stands_before_a_colon_says_where_and_is_not_what_is_asked(embedder: Embedder) -> None:
    reply = ask(embedder, "In the Handbook about benefits, batteries and chargers: when do unused days expire?")
    assert quotes(reply) == [(7, "Unused days expire on 31 March of the next year.")]
    assert parted("In the lease: who pays for repairs?") == ("In the lease", "who pays for repairs?")
    assert parted("What is the ratio 3: 4?") == ("", "What is the ratio 3: 4?")


LEASES = """\
<passages>
<passage id="1" source="Alder.pdf">This lease is between Alder Timber and Quill House. Rent is due monthly.</passage>
<passage id="2" source="Birch.pdf">Each party shall keep such cover as is usual against fire and theft.</passage>
<passage id="3" source="Alder.pdf">Each party shall keep such cover as is usual against fire and theft.</passage>
</passages>
<question>{}</question>"""


def test_of_the_document_that_is_named_less_is_asked_to_quote_it(embedder: Embedder) -> None:
    asked = "must each side take out insurance against theft?"
    named = f"In the lease between Alder Timber and Quill House: {asked}"
    of_it, of_another, of_none = (
        quotes(json.loads(complete(messages(LEASES.format(question)), embedder, schema=ANSWER_SCHEMA)))
        for question in (named, f"In the loan of Cedar Bank: {asked}", asked)
    )
    assert of_it == [(3, "Each party shall keep such cover as is usual against fire and theft.")]
    assert (of_another, of_none) == ([], [])


def test_escapes_of_the_prompt_are_undone_before_quoting(embedder: Embedder) -> None:
    reply = ask(embedder, "Which batteries and chargers are excluded?")
    assert quotes(reply)[0] == (9, "Batteries & chargers <5 V are excluded.")


@pytest.mark.parametrize("question", ["Who wrote the novel Moby-Dick?", "What is the boiling point of mercury?"])
def test_a_question_the_passages_do_not_touch_is_not_answered(embedder: Embedder, question: str) -> None:
    assert ask(embedder, question) == {
        "answerable": False,
        "answer": "",
        "citations": [],
        "reason": NOT_ANSWERED,
    }


def test_without_passages_nothing_is_answered(embedder: Embedder) -> None:
    assert complete(messages("What is the capital of France?"), embedder, schema=None) == NOT_ANSWERED


def test_plain_numbered_blocks_and_a_last_line_are_understood(embedder: Embedder) -> None:
    prompt = messages(f"Passages:\n[1] {WEATHER}\n[2] {WARRANTY}\n\nWhen does the monsoon reach the coast?")
    assert complete(prompt, embedder, schema=None) == "The monsoon reaches the coast in June [1]."


def test_a_follow_up_question_comes_back_unchanged(embedder: Embedder) -> None:
    prompt = messages("<history>user: How much leave?</history>\n<question>And when does it expire?</question>")
    assert complete(prompt, embedder, schema=None) == "And when does it expire?"
    schema = {"type": "object", "properties": {"standalone": {"type": "string"}}}
    assert json.loads(complete(prompt, embedder, schema=schema)) == {"standalone": "And when does it expire?"}


def test_a_follow_up_is_joined_to_the_question_before_it(embedder: Embedder) -> None:
    turns = "<turn>\n<question>How much leave &amp; pay?</question>\n<answer>25 days</answer>\n</turn>"
    prompt = messages(f"<history>\n{turns}\n</history>\n<question>And in winter?</question>")
    assert complete(prompt, embedder, schema=None) == "How much leave & pay? And in winter?"


def test_a_reply_in_text_ends_with_its_quotes_where_they_are_asked_for(embedder: Embedder) -> None:
    asked = messages(f"{PASSAGES}\n<question>How many days of paid leave do employees have?</question>")
    told = [{"role": "system", "content": "Below it write QUOTES."}, *asked[1:]]
    quote = "Every employee has 25 days of paid leave a year"
    assert complete(told, embedder, schema=None) == f"{quote} [7].\n\nQUOTES\n[7] {quote}."
    unasked = [told[0], {"role": "user", "content": f"{PASSAGES}\n<question>Who wrote Moby-Dick?</question>"}]
    assert complete(unasked, embedder, schema=None) == f"NO ANSWER: {NOT_ANSWERED}"


def test_asked_once_more_it_answers_the_question_that_was_asked(embedder: Embedder) -> None:
    asked = messages(f"{PASSAGES}\n<question>How many days of paid leave do employees have?</question>")
    again = [*asked, {"role": "assistant", "content": "?"}, {"role": "user", "content": "Quote word for word."}]
    assert complete(again, embedder, schema=ANSWER_SCHEMA) == complete(asked, embedder, schema=ANSWER_SCHEMA)


def test_every_unit_is_an_exact_part_of_its_passage() -> None:
    text = f"{HANDBOOK}\r\nDr. Smith, b. 3 May 1950, paid 3.5 dollars.[4] 天空是蓝色的。草是绿色的。\n```\nx = 1\n```\n"
    units = split_units(text)
    assert all(unit.text in text for unit in units)
    assert [unit.text for unit in units][-4:] == [
        "Dr. Smith, b. 3 May 1950, paid 3.5 dollars.[4]",
        "天空是蓝色的。",
        "草是绿色的。",
        "x = 1",
    ]


def test_units_carry_the_heading_the_lead_and_the_table_header_above_them() -> None:
    contexts = {unit.text: unit.context for unit in split_units(HANDBOOK)}
    assert contexts["| Lunch | $12 a day |"] == "## Benefits\n| Benefit | Amount |"
    assert contexts["- Send the receipts to `travel@example.com`."] == "## Benefits\nTo book a trip:"


def test_passages_are_numbered_by_their_id_or_else_by_their_place() -> None:
    prompt = read_prompt(messages("<passage>a</passage><passage id='x'>b</passage><passage id='5'>c</passage>\nq?"))
    assert [(passage.number, passage.text) for passage in prompt.passages] == [(1, "a"), (2, "b"), (5, "c")]
    assert prompt.question == "q?"


def test_a_passage_that_closes_its_own_element_in_escapes_stays_one_passage() -> None:
    prompt = read_prompt(messages("<passage id='1'>a&lt;/passage&gt; b</passage>\n<question>a &amp; b?</question>"))
    assert [passage.text for passage in prompt.passages] == ["a</passage> b"]
    assert prompt.question == "a & b?"


def test_numbers_in_brackets_of_the_passage_are_not_taken_for_citations() -> None:
    assert without_markdown("## The *sky*[3] is `blue`, see [here](https://example.com) 2 * 3.") == (
        "The sky is blue, see here 2 * 3."
    )


def test_properties_that_nobody_knows_are_filled_by_their_type() -> None:
    schema = {
        "properties": {
            "answer": {"type": "integer"},
            "score": {"type": "number"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "mood": {"enum": ["calm", "glad"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        }
    }
    assert fill(schema, {"answer": "text"}) == {"answer": 0, "score": 0, "note": None, "mood": "calm", "tags": []}


def test_a_strict_schema_must_be_closed_at_every_depth() -> None:
    item = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    closed = {**item, "additionalProperties": False}
    require_strict({"type": "array", "items": closed})
    with pytest.raises(RequestRefused):
        require_strict({"type": "array", "items": item})
