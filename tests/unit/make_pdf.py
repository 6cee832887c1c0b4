"""Small PDF files written by hand, for tests."""

from collections.abc import Collection, Mapping, Sequence

Bookmark = tuple[int, str, int, int]
"""Level from 0, title, page, and how far above the page's foot it points to (0: nowhere on it)."""

_DRAWING = b"0 0 100 100 re f\n"
_PICTURE = b"q 612 0 0 792 0 0 cm /I Do Q\n"
_SMALL_PICTURE = b"q 100 0 0 100 0 0 cm /I Do Q\n"


def make_pdf(
    pages: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    info: Mapping[str, str] | None = None,
    drawn: bool = False,
    pictured: Collection[int] = (),
    logos: Collection[int] = (),
    in_form: bool = False,
    bookmarks: Sequence[Bookmark] = (),
) -> bytes:
    """A PDF with one page per item and one line of text per string (ASCII).

    ``drawn`` gives each page a filled rectangle. By their numbers, pages in ``pictured`` are covered by a picture, as
    scans are, and those in ``logos`` have a small one; with ``in_form``, it stands in a form.
    """
    stated = dict(info or {}) | ({"Title": title} if title is not None else {})
    numbers = [6 + 2 * index for index in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: _stream(
            b"\x80", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
        ),
        5: _stream(
            b"q 0.5 0 0 0.5 0 0 cm /I Do Q",
            "/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Matrix [2 0 0 2 0 0]"
            " /Resources << /XObject << /I 4 0 R >> >>",
        ),
    }
    for page, (number, lines) in enumerate(zip(numbers, pages, strict=True), start=1):
        shown = (_DRAWING if drawn else b"") + (
            _PICTURE if page in pictured else _SMALL_PICTURE if page in logos else b""
        )
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R"
            f" /Resources << /Font << /F1 3 0 R >> /XObject << /I {5 if in_form else 4} 0 R >> >> >>"
        ).encode()
        objects[number + 1] = _stream(_content(lines) + shown)
    if bookmarks:
        objects[1] = f"<< /Type /Catalog /Pages 2 0 R /Outlines {len(objects) + 1} 0 R >>".encode()
        objects |= _outline(len(objects) + 1, bookmarks, numbers)
    if stated:
        objects[len(objects) + 1] = f"<< {' '.join(f'/{name} ({value})' for name, value in stated.items())} >>".encode()
    return _file(objects, info=len(objects) if stated else None)


def make_form(lines: Sequence[str], fields: Sequence[str], *, pages: int = 1) -> bytes:
    """Pages with the same lines and the same form fields, each given by its entries."""
    numbers = range(5 + len(fields), 5 + len(fields) + pages)
    widgets = " ".join(f"{number} 0 R" for number in range(5, 5 + len(fields)))
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [{widgets}]"
        " /Resources << /Font << /F1 3 0 R >> >> >>"
    )
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{widgets}] >> >>".encode(),
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: _stream(_content(lines)),
    }
    for number, field in enumerate(fields, start=5):
        objects[number] = f"<< /Type /Annot /Subtype /Widget /Rect [100 100 300 120] {field} >>".encode()
    return _file(objects | {number: page.encode() for number in numbers}, info=None)


def make_encrypted_pdf() -> bytes:
    """A PDF whose standard security handler asks for a password that is not empty."""
    encryption = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % (
        b"41" * 32,
        b"42" * 32,
        b"43" * 16,
        b"43" * 16,
    )
    return make_pdf([["secret"]]).replace(b"/Root 1 0 R", b"/Root 1 0 R " + encryption)


def _outline(root: int, bookmarks: Sequence[Bookmark], pages: Sequence[int]) -> dict[int, bytes]:
    """The objects of an outline, whose root has the number ``root``."""
    entries: dict[int, list[str]] = {root: []}
    latest: dict[int, int] = {-1: root}  # by level
    first_of: set[int] = set()
    for number, (level, title, page, top) in enumerate(bookmarks, start=root + 1):
        parent = latest[level - 1]
        if parent not in first_of:
            first_of.add(parent)
            entries[parent].append(f"/First {number} 0 R")
        else:
            entries[latest[level]].append(f"/Next {number} 0 R")
        where = f"/XYZ 0 {top} 0" if top else "/Fit"
        entries[number] = [f"/Title ({title}) /Parent {parent} 0 R /Dest [{pages[page - 1]} 0 R {where}]"]
        latest[level] = number
    return {number: f"<< {' '.join(parts)} >>".encode() for number, parts in entries.items()}


def _content(lines: Sequence[str]) -> bytes:
    shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    return f"BT /F1 12 Tf 72 720 Td {shown} ET\n".encode() if lines else b""


def _stream(content: bytes, entries: str = "") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries.encode(), len(content), content)


def _file(objects: dict[int, bytes], *, info: int | None) -> bytes:
    written = b"%PDF-1.4\n"
    offsets = []
    for number, body in objects.items():
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    extra = f" /Info {info} 0 R" if info else ""
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R{extra} >>".encode()
    return written + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        trailer,
        len(written),
    )
