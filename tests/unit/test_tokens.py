"""Token counts against ones that are known, and against the splitter's own sizes."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from ingest.tokens import MODEL, count_tokens

TRICKY = "'sſ'S'll’ \t\r\n.!?-_19٣½Ⅻaéßж中ไทย\u00a0\u0085\u2003\u3000\u001c\u0301\u200d👩🏽\U0001e030"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("hello world", 2), ("tiktoken is great!", 6), ("antidisestablishmentarianism", 6), ("👩", 3)],
)
def test_the_count_is_that_of_cl100k_base(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), min_size=2, max_size=40))
@example("no-break\u00a0(A")
@example("\u1c89's")  # a letter since Unicode 16
def test_the_splitter_leaves_a_text_whole_from_its_count_on_and_no_sooner(text: str) -> None:
    text = text.strip()
    tokens = count_tokens(text)
    assume(len(text) > 1 < tokens)  # a single character is never split, and no capacity is 0
    assert len(TextSplitter.from_tiktoken_model(MODEL, tokens, trim=False).chunks(text)) == 1
    assert len(TextSplitter.from_tiktoken_model(MODEL, tokens - 1, trim=False).chunks(text)) > 1
