import pytest

from ingest.parsing.markdown import MOST_LINE_CHARACTERS
from tests.unit.parsed_text import WholeDocument, parse_bytes

LONG = "x" * MOST_LINE_CHARACTERS


def read(text: str) -> WholeDocument:
    return parse_bytes(text.encode(), key="a.md")


def places(document: WholeDocument) -> dict[str, tuple[str, ...]]:
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


def test_a_long_section_comes_in_several_blocks_of_one_place() -> None:
    document = read("# A\n\n" + "line\n" * 10_000 + "\nSub\n---\n" + "line\n" * 10_000)
    assert len(document.blocks) > 10
    assert max(len(block.text) for block in document.blocks) < 10_000
    assert places(document) == {"# A": ("A",), "Sub": ("A", "Sub")}


@pytest.mark.parametrize("size", range(8185, 8200))
def test_a_heading_is_found_where_blocks_end(size: int) -> None:
    document = read("x\n\n" + "y" * (size - 10) + "\n\nTop\nline\n===\ntext\n")
    assert places(document) == {"x": (), "Top": ("Top line",)}


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        (f"# A {LONG}\ntext\n", {("A " + LONG)[:200]}),
        (f"{LONG}y\n===\ntext\n", {None}),
        (f"{LONG}# A\ntext\n", {None}),
        (f"```\n{LONG}```\n# A\n```\n# B\n", {None, "B"}),
        (f"text {LONG}\n\n# B\n", {None, "B"}),
    ],
)
def test_what_a_line_is_is_told_from_its_beginning(text: str, headings: set[str | None]) -> None:
    document = read(text)
    assert document.text == text
    assert {next(iter(mark.place.heading), None) for mark in document.marks} == headings


def test_a_front_matter_of_absurd_size_is_none() -> None:
    assert read("---\n" + f"a: {LONG}\n" * 5 + "title: T\n---\n# B\n").title == "B"
