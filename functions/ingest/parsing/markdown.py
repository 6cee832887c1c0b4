"""Markdown: the text as it is, with the headings above each section."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.headings import HeadingPath
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile

MOST_LINE_CHARACTERS = 1 << 18
"""What stands further on in a line has no part in what the line is; with a picture in it a line may be long."""

_BLOCK_CHARACTERS = 1 << 13
_MAX_FRONT_MATTER_LINES = 200
_MAX_FRONT_MATTER_CHARACTERS = 1 << 20
_MAX_SETEXT_LINES = 3  # a longer paragraph above a line of hyphens is more likely prose above a rule

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_PARAGRAPH = re.compile(r" {4}|\t| {0,3}(?:[>|<]|[-+*][ \t]|\d{1,9}[.)][ \t]|(?:[-*_][ \t]*){3,}$)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"[*`]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """``start`` is the offset of the heading's first line."""

    start: int
    level: int
    text: str


def parse_markdown(content: Readable) -> ParsedDocument:
    """Sections, each in one or more blocks. The title is the front matter's, else the first heading of level 1."""
    text = TextFile.survey(content)
    parsed = ParsedDocument(iter(()), separator="", markdown=True, most_tokens=text.most_tokens)
    parsed.blocks = markdown_blocks(text.lines(most_characters=MOST_LINE_CHARACTERS), parsed)
    return parsed


def markdown_blocks(lines: Iterator[str], parsed: ParsedDocument) -> Iterator[Block]:
    """The sections of lines of Markdown, to be joined by nothing. Sets the title of ``parsed``."""
    front, begun = _front_matter(lines)
    parsed.title = _front_matter_title(front)
    path, scanner = HeadingPath(), _Scanner()
    held, start = front, 0  # what may yet belong to the next heading, and where it begins
    for line in chain(begun, lines):
        heading = scanner.read(start + len(held), line)
        held += line
        end = heading.start if heading else scanner.settled(start + len(held))
        if heading or len(held) > _BLOCK_CHARACTERS:
            yield Block(held[: end - start], path.place)
            held, start = held[end - start :], end
        if heading:
            path.enter(heading.level, heading.text)
            if heading.level == 1 and parsed.title is None:
                parsed.title = heading.text or None
    yield Block(held, path.place)


def _front_matter(lines: Iterator[str]) -> tuple[str, list[str]]:
    """A YAML block that begins the text, and the lines that had to be read to see that there is none."""
    read: list[str] = []
    size = 0
    for line in lines:
        read.append(line)
        size += len(line)
        mark = line.rstrip()
        if len(read) == 1 and mark != "---":
            break
        if len(read) > 1 and mark in {"---", "..."}:
            return "".join(read), []
        if len(read) > _MAX_FRONT_MATTER_LINES + 1 or size > _MAX_FRONT_MATTER_CHARACTERS:
            break
    return "", read


def _front_matter_title(front: str) -> str | None:
    for line in front.splitlines():
        name, colon, value = line.partition(":")
        value = value.strip()
        if colon and name == "title" and value[:1] not in tuple("|>[{&*!"):
            return value.strip("\"'").strip() or None
    return None


@dataclass(slots=True)
class _Scanner:
    """What the lines read so far say about the next one. Of a paragraph it keeps as much as a heading may have."""

    fence: str = ""
    paragraph: list[tuple[int, str]] = field(default_factory=list)
    is_within_line: bool = False

    def read(self, start: int, line: str) -> Heading | None:
        """The heading that this line is or completes. A line without an end is the part of one, or the last."""
        is_rest = self.is_within_line
        self.is_within_line = not line.endswith("\n")
        if is_rest:
            self.paragraph = [(start, "")] * (_MAX_SETEXT_LINES + 1)  # too long for a heading
            return None
        return self._read_line(start, line.rstrip("\n"))

    def settled(self, end: int) -> int:
        """Up to where the text that ends at ``end`` can hold no beginning of a heading any more."""
        return self.paragraph[0][0] if 0 < len(self.paragraph) <= _MAX_SETEXT_LINES else end

    def _read_line(self, start: int, line: str) -> Heading | None:
        if self._fenced(line):
            self.paragraph.clear()
            return None
        heading = self._atx(start, line) or self._setext(line)
        if heading or not line.strip():
            self.paragraph.clear()
        elif len(self.paragraph) <= _MAX_SETEXT_LINES:
            self.paragraph.append((start, line))
        return heading

    def _fenced(self, line: str) -> bool:
        """Whether the line opens, closes or stands in a fenced code block."""
        match = _FENCE.match(line)
        if self.fence:
            if match and match[1].startswith(self.fence) and not match[2].strip():
                self.fence = ""
            return True
        if match and not (match[1][0] == "`" and "`" in match[2]):
            self.fence = match[1]
            return True
        return False

    def _atx(self, start: int, line: str) -> Heading | None:
        match = _ATX.match(line)
        if not match:
            return None
        text = (match[2] or "").rstrip()
        closed = text.rstrip("#")
        if not closed or closed[-1] in " \t":
            text = closed
        return Heading(start, len(match[1]), _plain(text))

    def _setext(self, line: str) -> Heading | None:
        match = _UNDERLINE.match(line)
        if not match or not 0 < len(self.paragraph) <= _MAX_SETEXT_LINES:
            return None
        if _NO_PARAGRAPH.match(self.paragraph[0][1]):
            return None
        text = " ".join(line.strip() for _, line in self.paragraph)
        return Heading(self.paragraph[0][0], 1 if match[1][0] == "=" else 2, _plain(text))


def _plain(text: str) -> str:
    """A heading's words, without the marks of links, code and emphasis."""
    return _EMPHASIS.sub("", _LINK.sub(r"\1", text)).strip()
