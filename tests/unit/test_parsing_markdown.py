import pytest

from ingest.parsing import parse
from ingest.parsing.document import ParsedDocument


def read(text: str) -> ParsedDocument:
    return parse(text.encode(), key="a.md", content_type=None)


def places(document: ParsedDocument) -> dict[str, tuple[str, ...]]:
    """The heading path of each mark, by the first word or line that stands there."""
    return {document.text[mark.start :].split("\n", 1)[0]: mark.place.heading for mark in document.marks}


def test_the_text_stays_as_it_is() -> None:
    text = "---\ntitle: x\n---\n\n# A\n\n* b  \n\n```\n# c\n```\n"
    assert read(text).text == text


def test_each_section_stands_below_its_headings() -> None:
    document = read("before\n# A\na\n## B ##\nb\n### C\n## D\nd\n# E\n")
    assert places(document) == {
        "before": (),
        "# A": ("A",),
        "## B ##": ("A", "B"),
        "### C": ("A", "B", "C"),
        "## D": ("A", "D"),
        "# E": ("E",),
    }


def test_underlined_headings_count_and_begin_at_their_first_line() -> None:
    document = read("Top\nline\n===\ntext\n\nSub\n---\nmore\n")
    assert places(document) == {"Top": ("Top line",), "Sub": ("Top line", "Sub")}


@pytest.mark.parametrize(
    "text",
    [
        "```\n# a\n```\n",
        "~~~ sh\n# a\n```\n# b\n~~~\n",
        "````\n```\n# a\n````\n",
        "  ```py\n  # a\n",
        "    # indented code\n",
        "#hashtag\n",
        "####### seven\n",
        "- item\n---\n",
        "| a |\n---\n",
        "text\n\n---\n",
        "---\n# a: comment\n---\n",
    ],
)
def test_what_only_looks_like_a_heading_is_none(text: str) -> None:
    assert [mark.place.heading for mark in read(text).marks] == [()]


def test_a_heading_after_a_closed_code_block_counts() -> None:
    assert places(read("```\n# a\n```\n# B\n"))["# B"] == ("B",)


def test_a_heading_is_named_by_its_words() -> None:
    assert read("# The `code` of [us](http://x.y) *now*\n").title == "The code of us now"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('---\nlang: en\ntitle: "Hours"\n---\n# Other\n', "Hours"),
        ("---\ntitle: |\n  folded\n---\n# Other\n", "Other"),
        ("## Second\n# First\n# Next\n", "First"),
        ("text\n", None),
    ],
)
def test_the_title_is_that_of_the_front_matter_or_the_first_heading(text: str, title: str | None) -> None:
    assert read(text).title == title
