"""AsciiDoc: its sections, lists, tables and code as Markdown."""

import re
from collections.abc import Iterator

from ingest.parsing.document import ParsedDocument
from ingest.parsing.markup import heading, indent_of, parse_markup, with_neighbours
from ingest.parsing.readable import Readable

_MAX_INDENT = 8  # levels of lists
_LONGEST_HEADING = 500  # characters of its line
_MAX_CELLS_HELD = 10_000  # a row that is longer is given out unfinished

# What may be long is bounded: a line may have a quarter of a million characters.
_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(.+?)(?:[ \t]{1,9}\1)?\s*$")
_UNDERLINE = re.compile(r"([=\-~^+])\1{2,}\s*$")
_UNDERLINES = "=-~^+"
_FENCE = re.compile(r"(-{4,}|\.{4,}|`{3,})(?:\w*)\s*$")
_COMMENT_BLOCK = re.compile(r"(/{4,}|\+{4,})\s*$")
_FRAME = re.compile(r"(?:={4,}|\*{4,}|_{4,}|--|\+|'{3,}|<{3,})\s*$")
_ATTRIBUTE = re.compile(r":!?[\w-]+!?:(?:\s|$)")
_ABOVE_BLOCK = re.compile(r"\[.*\]\s*$")
_NOT_SHOWN = re.compile(r"//(?!/)|(?:include|ifdef|ifndef|ifeval|endif|toc|image|video|audio)::")
_BLOCK_TITLE = re.compile(r"\.(?=[^\s.])(.+)$")
_ITEM = re.compile(r"\s*(\*{1,6}|-|\.{1,6}|\d+\.)\s+(.*)$")
_TABLE = re.compile(r"[|,:!]={3,}\s*$")
_COLUMNS = re.compile(r"\bcols\s*=\s*\"([^\"]*)\"")
_REPEATED = re.compile(r"(\d{1,4})\*")
_CELL = re.compile(r"(?:(?<=\s)|^)(?:[\d.]+[+*])?[<^>]?(?:\.[<^>])?[adehlmsv]?(?<!\\)\||(?<!\\)\|")
_CALL = re.compile(
    r"\b(?:link|xref|mailto|https?|btn|kbd|menu|footnote|image|icon|pass|stem):[^\s\[\]]{0,300}\[([^\[\]]{0,300})\]"
)
_REFERENCE = re.compile(r"<<([^<>,]*)(?:,\s*([^<>]*))?>>")
_ANCHOR = re.compile(r"\[\[[^\[\]]*\]\]")


def parse_asciidoc(content: Readable) -> ParsedDocument:
    """The title is the first heading of level 1."""
    return parse_markup(content, lambda lines: _Converter().convert(lines))


class _Converter:
    def __init__(self) -> None:
        self._end = ""  # the line that ends a block of code or a comment
        self._is_comment = False
        self._columns = 0  # as declared for the next table
        self._table: _Table | None = None

    def convert(self, lines: Iterator[str]) -> Iterator[str]:
        is_underline = False
        for before, line, after in with_neighbours(lines):
            if self._end:
                yield from self._within_block(line)
            elif self._table:
                yield from self._within_table(self._table, line)
            elif is_underline:
                is_underline = False
            elif level := _underlined(before, line, after):
                is_underline = True
                yield heading(level, _plain(line.strip()))
            else:
                yield from self._line(line)
        if self._end and not self._is_comment:
            yield "```"
        if self._table:
            yield from self._table.rest()

    def _line(self, line: str) -> Iterator[str]:
        if found := _HEADING.match(line) if len(line) < _LONGEST_HEADING else None:
            yield f"\n{heading(len(found[1]), _plain(found[2]))}\n"
        elif found := _FENCE.match(line):
            self._end, self._is_comment = found[1], False
            yield "```"
        elif found := _COMMENT_BLOCK.match(line):
            self._end, self._is_comment = found[1], True
        elif _TABLE.match(line):
            self._table, self._columns = _Table(self._columns), 0
            yield ""
        elif _ABOVE_BLOCK.match(line):
            self._columns = _declared_columns(line) or self._columns
        elif found := _BLOCK_TITLE.match(line):
            yield f"\n{_plain(found[1])}\n"
        elif found := _ITEM.match(line):
            yield _item(line, found[1], found[2])
        elif not (_FRAME.match(line) or _ATTRIBUTE.match(line) or _NOT_SHOWN.match(line)):
            yield _plain(line.strip())

    def _within_block(self, line: str) -> Iterator[str]:
        if line.rstrip() == self._end:
            self._end = ""
            line = "```"
        if not self._is_comment:
            yield line

    def _within_table(self, table: "_Table", line: str) -> Iterator[str]:
        if _TABLE.match(line):
            self._table = None
            yield from table.rest()
            yield ""
        else:
            yield from table.add(line)


class _Table:
    """Cells come one after the other; how many make a row is declared, or the first line says."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._cells: list[str] = []
        self._is_first = True

    def add(self, line: str) -> Iterator[str]:
        if not line.strip() or line.startswith("//"):
            return
        rest, *cells = (_plain(cell.strip()).replace("\\|", "/").replace("|", "/") for cell in _CELL.split(line))
        if self._columns and len(self._cells) >= self._columns and cells:
            yield from self._complete_rows()
        if rest and self._cells:
            self._cells[-1] = f"{self._cells[-1]} {rest}".strip()
        elif rest:
            yield rest
        if len(cells) == self._columns + 1 and not cells[-1]:
            del cells[-1]  # some close a row as Markdown does
        self._cells.extend(cells)
        self._columns = self._columns or len(cells)
        if len(self._cells) > _MAX_CELLS_HELD:
            yield from self.rest()

    def rest(self) -> Iterator[str]:
        yield from self._complete_rows()
        if self._cells:
            yield self._row(self._cells)
            self._cells = []

    def _complete_rows(self) -> Iterator[str]:
        while self._columns and len(self._cells) >= self._columns:
            yield self._row(self._cells[: self._columns])
            del self._cells[: self._columns]

    def _row(self, cells: list[str]) -> str:
        row = f"| {' | '.join(cells)} |"
        if self._is_first:
            self._is_first = False
            row += "\n|" + " --- |" * len(cells)
        return row


def _underlined(before: str, line: str, after: str) -> int:
    """The level of a title that has a line of its own length below it, the older form; 0 if it is none."""
    underline = _UNDERLINE.match(after)
    if not underline or before.strip() or not line[:1].isalnum() or abs(len(after.rstrip()) - len(line.rstrip())) > 1:
        return 0
    return _UNDERLINES.index(underline[1]) + 1


def _declared_columns(attributes: str) -> int:
    declared = _COLUMNS.search(attributes)
    if not declared:
        return 0
    counts = (_REPEATED.match(column.strip()) for column in declared[1].split(","))
    return min(sum(int(count[1]) if count else 1 for count in counts), _MAX_CELLS_HELD)


def _item(line: str, mark: str, text: str) -> str:
    depth = max(len(mark) - 1 if mark[0] in "*." else 0, indent_of(line) // 2)
    bullet = "- " if mark[0] in "*-" else "1. "
    return "  " * min(depth, _MAX_INDENT) + bullet + _plain(text)


def _plain(text: str) -> str:
    """Without the marks of links, macros and anchors."""
    text = _REFERENCE.sub(lambda found: found[2] or found[1], _ANCHOR.sub("", text))
    return _CALL.sub(r"\1", text)
