"""A walk over an HTML tree that writes its text as Markdown. It uses no recursion, however deep the tree."""

import re
from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

from ingest.parsing.document import Block
from ingest.parsing.headings import HeadingPath

_NAMES_WITHOUT_TEXT = """
    script style template noscript head title svg canvas iframe object audio video select datalist textarea
    -comment !doctype
"""
_NAMES_OF_BLOCKS = """
    address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr html legend li main ol p pre section summary table tbody td tfoot th thead tr ul
"""
_NO_TEXT = frozenset(_NAMES_WITHOUT_TEXT.split())
_NO_CONTENT = frozenset({"nav", "dialog"})
_BLOCKS = frozenset(_NAMES_OF_BLOCKS.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol"})
_CELLS = frozenset({"td", "th"})
_NOT_IN_DATA = frozenset({"table", "pre", *_HEADINGS})
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_MAX_INDENT = 8  # levels of lists


class Walk:
    """``blocks`` are the sections found, ``size`` their characters, ``first_heading`` the first of level 1."""

    def __init__(self, *, keep_hidden: bool = False) -> None:
        self.blocks: list[Block] = []
        self.size = 0
        self.first_heading: str | None = None
        self._keep_hidden = keep_hidden
        self._path = HeadingPath()
        self._section: list[str] = []
        self._line: list[str] = []
        self._tight = False
        self._lists: list[str] = []
        self._bullet = ""
        self._in_code = 0
        self._rows: list[list[str]] | None = None
        self._layout: set[int] = set()

    def over(self, root: LexborNode) -> "Walk":
        """Read ``root`` and all below it."""
        self._layout = _layout_tables(root)
        for node, entering in _events(root, self._is_skipped):
            tag = node.tag or ""
            if tag == "-text":
                text = node.text(deep=False)
                self._line.append(text if self._in_code else _SPACE.sub(" ", text))
            elif entering:
                self._enter(node, tag)
            else:
                self._leave(node, tag)
        self._end_section()
        return self

    def _is_skipped(self, node: LexborNode) -> bool:
        tag = node.tag or ""
        if tag == "-text":
            return False
        if tag in _NO_TEXT:
            return True
        return not self._keep_hidden and (tag in _NO_CONTENT or _is_hidden(node))

    def _enter(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self._line.append("\n" if self._rows is None else " ")
        elif tag in _BLOCKS:
            self._end_line()
        if tag in _LISTS:
            self._lists.append(tag)
        elif tag == "li":
            self._bullet = "1. " if self._lists[-1:] == ["ol"] else "- "
        elif tag == "pre":
            self._in_code += 1
        elif tag == "table" and node.mem_id not in self._layout:
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in _CELLS and self._rows:
            self._rows[-1].append("")

    def _leave(self, node: LexborNode, tag: str) -> None:
        if tag in _HEADINGS:
            self._end_heading(_HEADINGS[tag])
        elif tag == "pre":
            self._end_code()
        elif tag in _BLOCKS:
            self._end_line()
        if tag in _LISTS:
            self._lists.pop()
        elif tag == "li":
            self._bullet = ""
        elif tag == "table" and node.mem_id not in self._layout:
            self._end_table()

    def _end_line(self) -> None:
        """Close the paragraph, list item or part of a table's cell that has been read."""
        if self._in_code:
            return
        text = self._taken_line()
        if not text:
            return
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {text}".strip()
        elif self._lists:
            indent = "  " * min(len(self._lists) - 1, _MAX_INDENT)
            item = (self._bullet or "  ") + text.replace("\n", f"\n{indent}  ")
            self._write(indent + item, tight=True)
            self._bullet = ""
        else:
            self._write(text)

    def _taken_line(self) -> str:
        lines = "".join(self._line).split("\n")
        self._line.clear()
        return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))

    def _end_heading(self, level: int) -> None:
        text = self._taken_line().replace("\n", " ")
        if not text or self._in_code:
            return
        self._end_section()
        self._path.enter(level, text)
        self._write(f"{'#' * level} {text}")
        if level == 1 and self.first_heading is None:
            self.first_heading = text

    def _end_code(self) -> None:
        self._in_code -= 1
        if self._in_code:
            return
        text = "".join(self._line).strip("\n")
        self._line.clear()
        if text.strip():
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            self._write(f"{fence}\n{text}\n{fence}")

    def _end_table(self) -> None:
        rows = [row for row in self._rows or [] if any(row)]
        self._rows = None
        if rows:
            lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
            lines.insert(1, "|" + " --- |" * len(rows[0]))
            self._write("\n".join(lines))

    def _write(self, text: str, *, tight: bool = False) -> None:
        if self._section:
            self._section.append("\n" if tight and self._tight else "\n\n")
        self._section.append(text)
        self._tight = tight

    def _end_section(self) -> None:
        """Close the stretch of text that stands under the present path of headings."""
        self._end_line()
        text = "".join(self._section)
        self._section.clear()
        if text:
            self.blocks.append(Block(text, self._path.place))
            self.size += len(text)


def _events(root: LexborNode, is_skipped: Callable[[LexborNode], bool]) -> Iterator[tuple[LexborNode, bool]]:
    """(node, True) on the way in and (element, False) on the way out, in the order of the document."""
    pending = [(root, True)]
    while pending:
        node, entering = pending.pop()
        if entering and is_skipped(node):
            continue
        yield node, entering
        if entering and node.tag != "-text":
            pending.append((node, False))
            child = node.last_child
            while child is not None:
                pending.append((child, True))
                child = child.prev


def _layout_tables(root: LexborNode) -> set[int]:
    """The tables that hold tables, headings or code: they arrange a page and hold no rows of data."""
    layout: set[int] = set()
    tables: list[int] = []
    for node, entering in _events(root, lambda node: node.tag in _NO_TEXT):
        if not entering:
            if node.tag == "table":
                tables.pop()
            continue
        if tables and node.tag in _NOT_IN_DATA:
            layout.add(tables[-1])
        if node.tag == "table":
            tables.append(node.mem_id)
    return layout


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return bool(attributes) and (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or _INVISIBLE.search(attributes.get("style") or "") is not None
    )
