"""Set ``annual-report-2025.txt`` as a PDF with nothing but the standard library.

The source is plain text in UTF-8: ``# title``, ``## heading``, paragraphs between empty lines, tables of
lines that begin with ``|`` (the first row is the head, ``|*`` makes a row bold), and ``---`` for a new page.
The same source gives the same bytes everywhere: the file holds no dates, and its streams are not compressed,
because builds of zlib differ in what they write.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "annual-report-2025.txt"
TARGET = FOLDER / "documents" / "reports" / "annual-report-2025.pdf"

PAGE_WIDTH, PAGE_HEIGHT = 595, 842  # A4 in points
LEFT, RIGHT, TOP, BOTTOM = 68, 527, 768, 74

# Advance widths of the characters 32 to 126, in thousandths of the size: Adobe's metrics of the standard fonts.
REGULAR_WIDTHS = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278
584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944
667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500
278 556 500 722 500 500 500 334 260 334 584"""
BOLD_WIDTHS = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333
584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944
667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556
333 611 556 778 556 556 500 389 280 389 584"""
BEYOND_ASCII = {"–": (556, 556), "“": (333, 500), "”": (333, 500), "é": (556, 556)}


@dataclass(frozen=True, slots=True)
class Font:
    """One of the fonts that every PDF reader has; ``name`` is what a page's resources call it."""

    name: str
    base: str
    widths: dict[str, int]

    def width(self, text: str, size: float) -> float:
        """Width in points. A character without a known width raises KeyError."""
        return sum(self.widths[character] for character in text) * size / 1000


def _widths(ascii_widths: str, beyond: int) -> dict[str, int]:
    known = {chr(code): int(width) for code, width in enumerate(ascii_widths.split(), start=32)}
    return known | {character: both[beyond] for character, both in BEYOND_ASCII.items()}


REGULAR = Font("F1", "Helvetica", _widths(REGULAR_WIDTHS, 0))
BOLD = Font("F2", "Helvetica-Bold", _widths(BOLD_WIDTHS, 1))

INK, SEA, PALE = "0.13 0.15 0.18", "0.05 0.33 0.42", "0.90 0.94 0.95"


@dataclass(frozen=True, slots=True)
class Style:
    """How a block of text is set: sizes in points, ``before`` being the space above it."""

    font: Font
    size: float
    leading: float
    before: float
    colour: str = INK


TITLE = Style(BOLD, 25, 30, 0, SEA)
HEADING = Style(BOLD, 13, 17, 17, SEA)
BODY = Style(REGULAR, 10.5, 15.5, 7)
CELL = Style(REGULAR, 9.5, 17, 0)
STRONG_CELL = Style(BOLD, 9.5, 17, 0)
FOOT = Style(REGULAR, 8, 10, 0, "0.40 0.43 0.46")


@dataclass(slots=True)
class Page:
    """Drawing operators of one page, and how far down it is filled."""

    operators: list[str] = field(default_factory=list)
    y: float = TOP

    def text(self, text: str, x: float, y: float, style: Style) -> None:
        self.operators.append(
            f"BT {style.colour} rg /{style.font.name} {style.size:g} Tf {x:.2f} {y:.2f} Td ({_escaped(text)}) Tj ET"
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.operators.append(f"{colour} rg {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")


def _escaped(text: str) -> str:
    """The text as the inside of a PDF string, in ASCII; UnicodeEncodeError outside WinAnsi."""
    return "".join(
        chr(code) if 32 <= code < 127 and code not in b"()\\" else f"\\{code:03o}" for code in text.encode("cp1252")
    )


def wrapped(text: str, width: float, style: Style) -> Iterator[str]:
    """Lines no wider than ``width`` points, broken at spaces only."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and style.font.width(longer, style.size) > width:
            yield line
            longer = word
        line = longer
    yield line


def _draw_text(page: Page, text: str, style: Style) -> None:
    page.y -= style.before
    for line in wrapped(text, RIGHT - LEFT, style):
        page.y -= style.leading
        page.text(line, LEFT, page.y, style)


def _draw_title(page: Page, text: str) -> None:
    _draw_text(page, text, TITLE)
    page.y -= 12
    page.box(LEFT, page.y, 64, 3, SEA)
    page.y -= 6


def _draw_table(page: Page, lines: Sequence[str]) -> None:
    """The first column is set left and takes the room; the others are 92 points wide and set right."""
    page.y -= 12
    for number, line in enumerate(lines):
        strong = number == 0 or line.startswith("|*")
        style = STRONG_CELL if strong else CELL
        page.y -= style.leading
        if strong:
            page.box(LEFT, page.y - 5, RIGHT - LEFT, style.leading, PALE)
        else:
            page.box(LEFT, page.y - 5, RIGHT - LEFT, 0.5, PALE)
        _draw_row(page, [cell.strip() for cell in line.lstrip("|*").split("|")], style)
    page.y -= 8


def _draw_row(page: Page, cells: Sequence[str], style: Style) -> None:
    page.text(" ".join(cells[0].split()), LEFT + 6, page.y, style)
    for place, cell in enumerate(reversed(cells[1:])):
        edge = RIGHT - 6 - 92 * place
        page.text(cell, edge - style.font.width(cell, style.size), page.y, style)


def _draw_foot(page: Page, title: str, number: int, count: int) -> None:
    page.box(LEFT, 52, RIGHT - LEFT, 0.5, SEA)
    page.text(title, LEFT, 39, FOOT)
    label = f"Page {number} of {count}"
    page.text(label, RIGHT - FOOT.font.width(label, FOOT.size), 39, FOOT)


def _blocks(text: str) -> Iterator[list[str]]:
    """Stretches of lines between empty lines."""
    for empty, lines in groupby(text.splitlines(), key=lambda line: not line.strip()):
        if not empty:
            yield list(lines)


def _draw_page(text: str) -> Page:
    page = Page()
    for lines in _blocks(text):
        match lines[0].split(maxsplit=1)[0]:
            case "#":
                _draw_title(page, lines[0].removeprefix("# "))
                if lines[1:]:
                    _draw_text(page, " ".join(lines[1:]), HEADING)
            case "##":
                _draw_text(page, lines[0].removeprefix("## "), HEADING)
            case "|" | "|*":
                _draw_table(page, lines)
            case _:
                _draw_text(page, " ".join(lines), BODY)
    if page.y < BOTTOM:
        raise ValueError(f"a page is {BOTTOM - page.y:.0f} points too long: {text[:40]!r}")
    return page


def _stream(page: Page) -> str:
    content = "\n".join(page.operators)
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def _font(font: Font) -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{font.base} /Encoding /WinAnsiEncoding >>"


def _objects(pages: Sequence[Page], title: str) -> list[str]:
    """Catalogue, page tree, two fonts and the title are objects 1 to 5; then a page and its stream in turn."""
    kids = " ".join(f"{6 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] /MediaBox [0 0 {PAGE_WIDTH} {PAGE_HEIGHT}]"
        " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
        _font(REGULAR),
        _font(BOLD),
        f"<< /Title ({_escaped(title)}) >>",
    ]
    for index, page in enumerate(pages):
        objects += [f"<< /Type /Page /Parent 2 0 R /Contents {7 + 2 * index} 0 R >>", _stream(page)]
    return objects


def _file(objects: Sequence[str]) -> bytes:
    """A PDF 1.7 file with a classic cross-reference table, whose entries are 20 bytes each."""
    parts, entries, offset = ["%PDF-1.7\n"], ["0000000000 65535 f \n"], len("%PDF-1.7\n")
    for number, content in enumerate(objects, start=1):
        entries.append(f"{offset:010d} 00000 n \n")
        parts.append(f"{number} 0 obj\n{content}\nendobj\n")
        offset += len(parts[-1])
    parts.append(f"xref\n0 {len(entries)}\n{''.join(entries)}")
    parts.append(f"trailer\n<< /Size {len(entries)} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{offset}\n%%EOF\n")
    return "".join(parts).encode("ascii")


def pdf_bytes(source: str, title: str) -> bytes:
    """The whole PDF file; ``title`` goes into its properties and the foot of each page.

    ValueError when the text between two page breaks does not fit on a page.
    """
    pages = [_draw_page(text) for text in source.split("\n---\n")]
    for number, page in enumerate(pages, start=1):
        _draw_foot(page, title, number, len(pages))
    return _file(_objects(pages, title))


def main() -> None:
    TARGET.write_bytes(pdf_bytes(SOURCE.read_text(encoding="utf-8"), "Orrin Sound Ferries: Annual report 2025"))


if __name__ == "__main__":
    main()
