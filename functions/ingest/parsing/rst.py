"""reStructuredText: its sections, literal blocks and words, without directives that show or build something."""

import re
from collections.abc import Iterator

from ingest.parsing.document import ParsedDocument
from ingest.parsing.markup import heading, indent_of, parse_markup, with_neighbours
from ingest.parsing.readable import Readable

# What may be long is bounded: a line may have a quarter of a million characters.
_MIN_ADORNMENT = 4  # characters; a shorter line below a longer title is no underline
_ADORNMENT = re.compile(r"([=\-`:'\"~^_*+#<>.!$%&,;?@\\/|()\[\]{}])\1*\s*$")
_BORDER = re.compile(r"[=+\-][ =+\-]*[=+\-]\s*$")  # of tables, and transitions
_DIRECTIVE = re.compile(r"\s*\.\.\s+(?:\|[^|]*\|\s+)?([\w:+-]+)::\s*(.*)$")
_FOOTNOTE = re.compile(r"\s*\.\.\s+(\[[^\]]*\].*)$")
_COMMENT = re.compile(r"\s*\.\.(?:\s|$)")
_OPTION = re.compile(r"\s+:[\w -]+:")
_ITEM = re.compile(r"(\s*)(?:[*+-]|\(?(?:\d+|#|[a-zA-Z])[.)])\s+(.*)$")
_ROLE = re.compile(r":[\w:+.-]{1,60}:`~?!?([^`<]{0,500}?)(?:\s*<[^`<>]*>)?`")
_LINK = re.compile(r"`([^`<]{1,500}?)\s*<[^`<>]*>`__?|`([^`]+)`__?")
_LITERAL = re.compile(r"``(.+?)``")
_ADDRESS = re.compile(r" ?<https?://[^<>\s]*>`__?")  # of a link that began on the line before
_ESCAPE = re.compile(r"\\(\S)")

_CODE = {"code", "code-block", "sourcecode", "parsed-literal", "prompt", "doctest", "testcode", "math", "ipython"}
_SHOWS_NO_TEXT = """
    toctree contents image include literalinclude raw highlight index currentmodule module meta sectnum role
    default-role automodule autoclass autofunction automethod autosummary bibliography graphviz target-notes
"""
_DROPPED = frozenset(_SHOWS_NO_TEXT.split())


def parse_rst(content: Readable) -> ParsedDocument:
    """The title is the first section's of the outermost level."""
    return parse_markup(content, lambda lines: _Converter().convert(lines))


class _Converter:
    def __init__(self) -> None:
        self._levels: list[tuple[str, bool]] = []  # of adornments and whether they stand above too, outermost first
        self._block = ""  # what the lines indented deeper than _indent are: "code", "dropped" or nothing special
        self._indent = 0
        self._is_open = False
        self._in_options = False

    def convert(self, lines: Iterator[str]) -> Iterator[str]:
        is_underline = False
        for before, line, after in with_neighbours(lines):
            if is_underline:
                is_underline = False
                continue
            if self._block and (not line.strip() or indent_of(line) > self._indent):
                yield from self._within_block(line)
                continue
            yield from self._end_block()
            if level := self._level(before, line, after):
                is_underline = True
                yield f"\n{heading(level, _plain(line.strip()))}\n"
            else:
                yield from self._line(line)
        yield from self._end_block()

    def _level(self, before: str, line: str, after: str) -> int:
        """Of the section whose title the line is; 0 if it is none."""
        underline = _ADORNMENT.match(after)
        if not underline or not line.strip() or _ADORNMENT.match(line):
            return 0
        if len(after.rstrip()) < min(len(line.rstrip()), _MIN_ADORNMENT):
            return 0
        above = _ADORNMENT.match(before)
        is_over = bool(above) and above[1] == underline[1] if above else False
        if line[0].isspace() and not is_over:
            return 0
        style = (underline[1], is_over)
        if style not in self._levels:
            self._levels.append(style)
        return self._levels.index(style) + 1

    def _line(self, line: str) -> Iterator[str]:
        if self._in_options and _OPTION.match(line):
            return
        self._in_options = False
        if directive := _DIRECTIVE.match(line):
            yield from self._directive(directive[1], directive[2], indent_of(line))
        elif footnote := _FOOTNOTE.match(line):
            yield _plain(footnote[1])
        elif _COMMENT.match(line):
            self._begin_block("dropped", indent_of(line))
        elif not (_BORDER.match(line) or (_ADORNMENT.match(line) and len(line.strip()) >= _MIN_ADORNMENT)):
            if line.rstrip().endswith("::"):
                self._begin_block("code", indent_of(line))
                line = line.rstrip()[:-1].removesuffix(" :").rstrip()
            yield _text(line)

    def _directive(self, name: str, argument: str, indent: int) -> Iterator[str]:
        if name in _CODE:
            self._begin_block("code", indent)
            self._in_options = True
            if name == "math" and argument:
                yield argument
        elif name in _DROPPED:
            self._begin_block("dropped", indent)
        else:
            self._in_options = True
            if argument or name != "figure":
                yield f"{name}: {_plain(argument)}".rstrip() + "\n"

    def _begin_block(self, kind: str, indent: int) -> None:
        self._block, self._indent, self._is_open, self._in_options = kind, indent, False, False

    def _within_block(self, line: str) -> Iterator[str]:
        if self._block == "dropped" or (self._in_options and _OPTION.match(line)):
            return
        self._in_options = False
        if not self._is_open and line.strip():
            self._is_open = True
            yield "```"
        if self._is_open:
            yield line

    def _end_block(self) -> Iterator[str]:
        if self._block and self._is_open:
            yield "```\n"
        self._block, self._is_open = "", False


def _text(line: str) -> str:
    item = _ITEM.match(line)
    return f"{item[1][:8]}- {_plain(item[2])}" if item else _plain(line.strip())


def _plain(text: str) -> str:
    """Without the marks of roles, links and literals."""
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(lambda link: link[1] or link[2], text)
    return _ESCAPE.sub(r"\1", _LITERAL.sub(r"`\1`", _ADDRESS.sub("", text)))
