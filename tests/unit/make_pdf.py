"""Small PDF files written by hand, for tests."""

from collections.abc import Sequence

_DRAWING = b"0 0 100 100 re f"


def make_pdf(pages: Sequence[Sequence[str]], *, title: str | None = None, drawn: bool = False) -> bytes:
    """A PDF with one page per item and one line of text per string (ASCII).

    ``drawn`` gives each page a filled rectangle, as a scan has a picture.
    """
    numbers = [4 + 2 * index for index in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, lines in zip(numbers, pages, strict=True):
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        objects[number + 1] = _stream(_content(lines) + (_DRAWING if drawn else b""))
    if title is not None:
        objects[len(objects) + 1] = f"<< /Title ({title}) >>".encode()
    return _file(objects, info=len(objects) if title is not None else None)


def make_encrypted_pdf() -> bytes:
    """A PDF whose standard security handler asks for a password that is not empty."""
    encryption = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % (
        b"41" * 32,
        b"42" * 32,
        b"43" * 16,
        b"43" * 16,
    )
    return make_pdf([["secret"]]).replace(b"/Root 1 0 R", b"/Root 1 0 R " + encryption)


def _content(lines: Sequence[str]) -> bytes:
    shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    return f"BT /F1 12 Tf 72 720 Td {shown} ET\n".encode() if lines else b""


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


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
