"""What becomes of a model's reply: checked, asked for once more if nothing holds, and never taken on trust."""

import pytest

from ask.answering import AnsweringStage, Draft, Reason
from ask.replies import GeneratedAnswer
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedGenerator, passage, said

PASSAGES = [passage("Leave is 25 days a year."), passage("The gate closes at midnight.", key="gate.md")]
RIGHT = said("25 days [1].", (1, "25 days"))
WRONG = said("30 days [1].", (1, "30 days"))


def drafted(generator: FixedGenerator, *, seconds: float = 20) -> Draft:
    stage = AnsweringStage(generator, Telemetry("ask"), max_context_tokens=6000)
    return stage.answer("How much leave?", PASSAGES, deadline=Deadline.after(seconds))


def test_an_answer_none_of_whose_quotes_holds_is_asked_for_once_more() -> None:
    generator = FixedGenerator(WRONG, later=[RIGHT])
    draft = drafted(generator)
    assert (draft.text, draft.reason) == ("25 days [1].", None)
    assert [quotation.quote for quotation in draft.dropped] == ["30 days"]
    assert [usage.input_tokens for usage in draft.usages] == [1000, 1000]
    first, second = generator.prompts
    assert second.messages()[:2] == first.messages()
    assert second.messages()[2] == ("assistant", WRONG.answer)


def test_it_is_asked_for_twice_and_not_more() -> None:
    generator = FixedGenerator(WRONG)
    assert drafted(generator).reason is Reason.NO_QUOTE_VERIFIED
    assert len(generator.prompts) == 2


@pytest.mark.parametrize("reply", [RIGHT, said("25 days [1], 30 days [2].", (1, "25 days"), (2, "30 days"))])
def test_an_answer_with_a_quote_that_holds_is_not_asked_for_again(reply: GeneratedAnswer) -> None:
    generator = FixedGenerator(reply)
    assert drafted(generator).text is not None
    assert len(generator.prompts) == 1


def test_a_refusal_is_not_asked_about_again() -> None:
    generator = FixedGenerator(said("", answerable=False))
    assert drafted(generator).reason is Reason.NOT_IN_PASSAGES
    assert len(generator.prompts) == 1


def test_asked_again_the_model_may_say_that_the_passages_do_not_hold_the_answer() -> None:
    assert drafted(FixedGenerator(WRONG, later=[said("", answerable=False)])).reason is Reason.NOT_IN_PASSAGES


def test_without_time_it_is_not_asked_for_again() -> None:
    generator = FixedGenerator(WRONG, later=[RIGHT])
    assert drafted(generator, seconds=2).reason is Reason.NO_QUOTE_VERIFIED
    assert len(generator.prompts) == 1


@pytest.mark.parametrize(
    "failure", [ModelUnavailable("x"), ModelRefused("x"), ModelReplyInvalid("x"), DeadlineExceeded("x")]
)
def test_a_model_that_fails_when_asked_again_leaves_the_first_reply(failure: BucketwiseError) -> None:
    draft = drafted(FixedGenerator(WRONG, later=[failure]))
    assert (draft.reason, len(draft.usages)) == (Reason.NO_QUOTE_VERIFIED, 1)


def test_sentences_without_a_citation_are_told() -> None:
    text = "Leave is 25 days [1]. It is generous. The gate closes [2]."
    draft = drafted(FixedGenerator(said(text, (1, "25 days"), (2, "till noon"))))
    assert draft.text == "Leave is 25 days [1]. It is generous. The gate closes."
    assert [draft.text[start:end] for start, end in draft.unsupported] == ["It is generous.", "The gate closes."]


def test_what_the_model_says_is_missing_is_told_without_links() -> None:
    reply = said("", answerable=False).model_copy(update={"reason": "Nothing about [rent](http://evil.test/x)."})
    assert drafted(FixedGenerator(reply)).missing == "Nothing about rent."
    assert drafted(FixedGenerator(RIGHT.model_copy(update={"reason": "because"}))).missing is None


def test_links_and_images_of_the_model_do_not_get_out() -> None:
    text = "25 days [1] ![x](https://evil.test/?q=25), see [here](https://evil.test) or https://evil.test/y."
    draft = drafted(FixedGenerator(said(text, (1, "25 days"))))
    assert draft.text == "25 days [1] x, see here or (link removed)."


def test_an_answer_that_is_nothing_but_a_link_is_not_given() -> None:
    draft = drafted(FixedGenerator(said("![](https://evil.test/a.png)", (1, "25 days"))))
    assert (draft.text, draft.reason) == (None, Reason.NO_QUOTE_VERIFIED)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("25 days [1] <[9]img src=x>", "25 days [1]"),
        ("25 days [1] http:/[9]/evil.test/a", "25 days [1] (link removed)"),
        ("25 days [1], 30 [2[9]].", "25 days [1], 30."),
        ("25 days [1], 30 [<b>9].", "25 days [1], 30."),
        ("25 days [1]" + "[9" * 500 + "]" * 500, "25 days  1"),
    ],
)
def test_nothing_is_put_together_from_what_is_left_when_markers_go(written: str, left: str) -> None:
    draft = drafted(FixedGenerator(said(written, (1, "25 days"))))
    assert draft.text is not None
    assert draft.text.startswith(left)
    assert not {"<img", "[9", "//"} & {draft.text[at : at + size] for at in range(len(draft.text)) for size in (2, 4)}


def test_markers_of_wide_brackets_support_their_sentences() -> None:
    draft = drafted(FixedGenerator(said("Leave is 25 days 【1】. The gate closes［9］.", (1, "25 days"))))
    assert draft.text == "Leave is 25 days [1]. The gate closes."
    assert [draft.text[start:end] for start, end in draft.unsupported] == ["The gate closes."]


def test_a_bracket_that_names_no_passage_is_text_and_supports_nothing() -> None:
    draft = drafted(FixedGenerator(said("p lies in [0, 1] [1]. q lies in [0, 1]. It is [3-5].", (1, "25 days"))))
    assert draft.text == "p lies in [0, 1] [1]. q lies in [0, 1]. It is [3-5]."
    assert [draft.text[start:end] for start, end in draft.unsupported] == ["q lies in [0, 1].", "It is [3-5]."]


def test_an_answer_of_a_bracket_alone_is_given() -> None:
    assert drafted(FixedGenerator(said("[0, 1] [1]", (1, "25 days")))).text == "[0, 1] [1]"


def test_what_is_missing_has_no_markers() -> None:
    reply = said("", answerable=False).model_copy(update={"reason": "Nothing about rent [1][2]."})
    assert drafted(FixedGenerator(reply)).missing == "Nothing about rent."


@pytest.mark.parametrize("text", ["[1]", "[1].", " [1], [1] ", "[1] ![](https://evil.test/a)"])
def test_an_answer_without_a_word_is_not_given(text: str) -> None:
    assert drafted(FixedGenerator(said(text, (1, "25 days")))).reason is Reason.NO_QUOTE_VERIFIED
