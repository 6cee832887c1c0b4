"""The lines of a PDF's page as paragraphs: a page knows lines, a reader sentences and rows."""

import re
from itertools import pairwise

_MIN_WIDTH = 40  # in letters of Latin script; a narrower line is a heading, an item or a table's
_FULL_SHARE = 0.85  # of the usual width of the page's wider lines
_HALF_SHARE = 0.5
_PROSE_SHARE = 0.85  # of letters and spaces; a table's row has figures
_LEAST_PROSE_SHARE = 0.7
_NEITHER_LETTER_NOR_SPACE = re.compile(r"[^\w ]|[\d_]")
_FIRST_WIDE = "\u2e80"  # from here on Chinese, Japanese and Korean, which break words at a line's end
_WIDE = re.compile(f"[{_FIRST_WIDE}-\U0010ffff]")
_ITEM = re.compile(r"(?:[lnqrv]\s|[^\w\s(\"'\u2018\u201c]|\(?\w{1,3}[.)])\s")
_SENTENCE_END = tuple(".!?:;\u3002\uff01\uff1f\uff1a")
_FIGURE = re.compile(r"[\d,.%()$-]+")
_MIN_AFTER_FIGURE = 20  # characters; a shorter line that begins with a figure is a page's number or a cell


def with_joined_lines(text: str) -> str:
    """The text of a page, in which a line ends only where a sentence, an item, a heading or a row may end."""
    lines = text.split("\n")
    usual = _usual_width(lines)
    pieces = lines[:1]
    for before, line in pairwise(lines):
        if _goes_on(before.rstrip(), line.lstrip(), usual):
            space = "" if before[-1:] >= _FIRST_WIDE and line[:1] >= _FIRST_WIDE else " "
            pieces[-1] = pieces[-1].rstrip()
            pieces += space, line.lstrip()
        else:
            pieces += "\n", line
    return "".join(pieces)


def _usual_width(lines: list[str]) -> int:
    """The third quartile of the lines that are not narrow."""
    widths = sorted(width for width in map(_width, lines) if width >= _MIN_WIDTH)
    return widths[len(widths) * 3 // 4] if widths else _MIN_WIDTH


def _width(line: str) -> int:
    return len(line) if line.isascii() else len(line) + len(_WIDE.findall(line))


def _goes_on(line: str, after: str, usual: int) -> bool:
    """Whether the text of a line continues on the one after it."""
    width = _width(line)
    if width < usual * _HALF_SHARE or not after or line.endswith(_SENTENCE_END) or _ITEM.match(after):
        return False
    is_full = width >= max(_MIN_WIDTH, usual * _FULL_SHARE)
    letters = 1 - len(_NEITHER_LETTER_NOR_SPACE.findall(line)) / len(line)
    if after[0].islower() and not line[-1].isdigit():
        return letters >= (_LEAST_PROSE_SHARE if is_full else _PROSE_SHARE)
    if after[0].isdigit() and len(after) < _MIN_AFTER_FIGURE:
        return False
    return is_full and letters >= _PROSE_SHARE and not _FIGURE.fullmatch(line.rpartition(" ")[2])
