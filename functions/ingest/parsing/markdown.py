"""Markdown: the text as it is, with the headings above each section."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.headings import HeadingPath
from ingest.parsing.text import decode

_MAX_FRONT_MATTER_LINES = 200
_MAX_SETEXT_LINES = 3  # a longer paragraph above a line of hyphens is more likely prose above a rule

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
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


def parse_markdown(content: bytes) -> ParsedDocument:
    """One block per section. The title is the front matter's, else the first heading of level 1."""
    text = decode(content)
    front = _front_matter_end(text)
    headings = list(_headings(text, front))
    first = next((heading.text for heading in headings if heading.level == 1 and heading.text), None)
    return ParsedDocument.from_blocks(
        _sections(text, headings),
        separator="",
        title=_front_matter_title(text[:front]) or first,
        markdown=True,
    )


def _sections(text: str, headings: list[Heading]) -> Iterator[Block]:
    path = HeadingPath()
    start = 0
    for heading in headings:
        yield Block(text[start : heading.start], path.place)
        path.enter(heading.level, heading.text)
        start = heading.start
    yield Block(text[start:], path.place)


def _front_matter_end(text: str) -> int:
    """The offset after a YAML block that begins the text; 0 when there is none."""
    for number, match in enumerate(_LINE.finditer(text)):
        line = match.group().rstrip()
        if number == 0 and line != "---":
            return 0
        if number > 0 and line in {"---", "..."}:
            return match.end()
        if number > _MAX_FRONT_MATTER_LINES:
            return 0
    return 0


def _front_matter_title(front: str) -> str | None:
    for line in front.splitlines():
        name, colon, value = line.partition(":")
        value = value.strip()
        if colon and name == "title" and value[:1] not in tuple("|>[{&*!"):
            return value.strip("\"'").strip() or None
    return None


@dataclass(slots=True)
class _Scanner:
    """What the lines read so far say about the next one."""

    fence: str = ""
    paragraph: list[tuple[int, str]] = field(default_factory=list)

    def read(self, start: int, line: str) -> Heading | None:
        """The heading that this line is or completes."""
        if self._fenced(line):
            self.paragraph.clear()
            return None
        heading = self._atx(start, line) or self._setext(line)
        if heading or not line.strip():
            self.paragraph.clear()
        else:
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


def _headings(text: str, start: int) -> Iterator[Heading]:
    scanner = _Scanner()
    for match in _LINE.finditer(text, start):
        heading = scanner.read(match.start(), match.group().rstrip("\n"))
        if heading:
            yield heading


def _plain(text: str) -> str:
    """A heading's words, without the marks of links, code and emphasis."""
    return _EMPHASIS.sub("", _LINK.sub(r"\1", text)).strip()
