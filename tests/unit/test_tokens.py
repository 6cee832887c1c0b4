"""Token counts against ones that are known, and against the splitter's own sizes."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from ingest.tokens import MODEL, count_tokens

TRICKY = "'sS’ \t\r\n.!?-_();{}19٣½Ⅻaéßж中ไทย\u00a0\u0085\u2003\u3000\u001c\u0301\u200d👩🏽\u1c89\ufffd"
RUN = "\n" * 100


def is_whole(text: str, capacity: int) -> bool:
    """Whether the splitter finds that ``text`` fits: before the longest run of line ends it is tried as a whole."""
    first = TextSplitter.from_tiktoken_model(MODEL, capacity, trim=False).chunks(text + RUN)[0]
    return first in {text, text + RUN}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("👩", 3),
        ("hello world", 2),
        ("tiktoken is great!", 6),
        ("antidisestablishmentarianism", 6),
        ("\n \n", 1),
        ("a\n\nb", 3),
    ],
)
def test_the_count_is_that_of_cl100k_base(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), min_size=2, max_size=40))
@example("no-break\u00a0(A")
@example("\u1c89's")  # a letter since Unicode 16
@example("0 # A\n \n # A\n 25")
@example("f(a.);d")
@example("in ../../x")
def test_a_text_fits_a_chunk_of_its_count_and_none_that_is_smaller(text: str) -> None:
    text = text.strip()
    tokens = count_tokens(text)
    assume(len(text) > 1 < tokens)  # a single character is never split, and no capacity is 0
    assert is_whole(text, tokens)
    assert not is_whole(text, tokens - 1)
