"""Token counts against ones that are known, against the splitter's own sizes, and against each other."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from ingest.tokens import MODEL, CountedText, count_tokens

TRICKY = "'sS’ \t\r\n.!?-_();{}19٣½Ⅻaéßж中ไทย\u00a0\u0085\u2003\u3000\u001c\u0301\u200d👩🏽\u1c89\ufffd"
RUN = "\n" * 100


TEXTS = st.text(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), max_size=40)


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
        ("\n" * 32, 1),
        ("\n" * 33, 2),
        ("x" + "\n" * 100 + "y", 6),
        ("leave " * 1000, 1001),
    ],
)
def test_the_count_is_that_of_cl100k_base(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@settings(max_examples=300, deadline=None)
@given(TEXTS)
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


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data())
@example("a   b", None)
@example("no-break\u00a0(A", None)
@example("\u1c89's 12\u1c8934", None)
@example("'s''s ll've", None)
@example("x" + "\n" * 40 + " \n y", None)
def test_a_stretch_of_a_text_counts_as_it_does_alone(text: str, data: st.DataObject | None) -> None:
    counted = CountedText(text)
    ends = [(start, end) for start in range(len(text) + 1) for end in range(start, len(text) + 1)]
    if data is not None:
        ends = data.draw(st.lists(st.sampled_from(ends), min_size=1, max_size=20))
    for start, end in ends:
        assert counted.count(start, end) == count_tokens(text[start:end])


@pytest.mark.parametrize(
    "character", ["\u1c89", "\U0001ccf0", "\U0001fae8", "\U0001fffe"], ids=["letter", "digit", "emoji", "none"]
)
@pytest.mark.parametrize("follower", ["'s", "123", "12 ", "ab'll"])
def test_a_character_that_is_newer_than_python_is_of_the_class_it_has_for_the_splitter(
    character: str, follower: str
) -> None:
    text = f"x {character}{follower}."
    assert CountedText(text).count(0, len(text)) == count_tokens(text)
