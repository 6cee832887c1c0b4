"""What reStructuredText, AsciiDoc and TeX have in common: each is turned into Markdown while it is read."""

from collections.abc import Callable, Iterator
from itertools import chain

from ingest.parsing.document import ParsedDocument
from ingest.parsing.markdown import MOST_LINE_CHARACTERS, markdown_blocks
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile

MAX_MARKS = 6
"""Of ``#``: Markdown has no deeper headings."""


def parse_markup(content: Readable, to_markdown: Callable[[Iterator[str]], Iterator[str]]) -> ParsedDocument:
    """``to_markdown`` takes lines without their ends, and gives lines or paragraphs without their ends."""
    text = TextFile.survey(content)
    lines = (line.rstrip("\n") for line in text.lines(most_characters=MOST_LINE_CHARACTERS))
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = markdown_blocks((f"{line}\n" for part in to_markdown(lines) for line in part.split("\n")), parsed)
    return parsed


def with_neighbours(lines: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """Each line between the one before it and the one after it."""
    before, line = "", next(lines, None)
    for after in chain(lines, [""]):
        if line is not None:
            yield before, line, after
            before = line
        line = after


def heading(level: int, text: str) -> str:
    return f"{'#' * min(level, MAX_MARKS)} {text}"


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())
