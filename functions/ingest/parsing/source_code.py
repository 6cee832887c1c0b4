"""Source code and settings: the text as it is, with the definition or section that each line stands in."""

import re
from collections.abc import Iterator

from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.headings import HeadingPath
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile

_MAX_LINE = 1 << 16  # characters
_REACH = 200  # characters of a line that can define something
_BLOCK_CHARACTERS = 1 << 13

# Of a definition that begins at the margin, the words before the name, and the name.
_DEFINITION = re.compile(
    r"(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|sealed|partial|async|unsafe"
    r"|pub(?:\(\w+\))?|create|or|replace|data|open)\s+){0,5}"
    r"(?:def|class|interface|enum|struct|record|trait|impl|module|mod|namespace|object|func|fun|fn|function|type|sub"
    r"|procedure|table|view|index|trigger)"
    r"\s+(?:if\s+not\s+exists\s+|\([^()]*\)\s*)?[\w.:<>$]+",
    re.IGNORECASE,
)
_C_DEFINITION = re.compile(
    r"(?:(?:typedef\s+)?(?:struct|enum|union|class|namespace)\s+\w+(?=[^;]*$)"
    r"|(?!(?:if|for|while|switch|return|else|do|case|extern)\b)[A-Za-z_][\w:<>,*&~ \t]{0,150}(?=\([^;]*$))"
)
_SECTION = re.compile(r"(?:\[{1,2}([^\[\]]+)\]{1,2}\s*(?:[#;].*)?$|([\w.\"'-]+):\s*(?:[|>&#].*)?$)")


def parse_code(content: Readable) -> ParsedDocument:
    """Programs of any language that defines things with a word, such as ``def`` or ``class``."""
    return _parse(content, _DEFINITION)


def parse_c_code(content: Readable) -> ParsedDocument:
    """C and what looks like it, where a function has no such word."""
    return _parse(content, _C_DEFINITION)


def parse_settings(content: Readable) -> ParsedDocument:
    """INI, TOML and YAML, whose sections and outermost names are the places."""
    return _parse(content, _SECTION)


def _parse(content: Readable, heading: re.Pattern[str]) -> ParsedDocument:
    text = TextFile.survey(content)
    return ParsedDocument(_blocks(text, heading), separator="", most_tokens=text.most_tokens)


def _blocks(text: TextFile, heading: re.Pattern[str]) -> Iterator[Block]:
    path = HeadingPath()
    held: list[str] = []
    size = 0
    for line in text.lines(most_characters=_MAX_LINE):
        found = heading.match(line[:_REACH])
        if found or size > _BLOCK_CHARACTERS:
            yield Block("".join(held), path.place)
            held, size = [], 0
        if found:
            name = next(filter(None, found.groups()), found[0]) if found.re.groups else found[0]
            path.enter(1, " ".join(name.split()).strip("\"'"))
        held.append(line)
        size += len(line)
    yield Block("".join(held), path.place)
