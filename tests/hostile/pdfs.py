"""PDF files whose objects, pages and streams lead in circles or to excess."""

import zlib
from collections.abc import Iterator, Mapping

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.hostile.zips import zeros
from tests.unit.make_pdf import make_encrypted_pdf, make_pdf

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
RESOURCES = b"/Resources << /Font << /F1 3 0 R >> >>"
TEXT = b"BT /F1 12 Tf 72 720 Td (The ferry leaves at noon from the pier.) Tj ET"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R " + RESOURCES + b" >>"


def stream(content: bytes, entries: bytes = b"", *, length: int | None = None) -> bytes:
    count = len(content) if length is None else length
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, count, content)


def pdf(changes: Mapping[int, bytes], *, trailer: bytes = b"", after: bytes = b"") -> bytes:
    """One page (4) with the content 5, below the tree 2, but for the objects changed."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        3: FONT,
        4: PAGE,
        5: stream(TEXT),
        **changes,
    }
    written = bytearray(b"%PDF-1.7\n")
    table = bytearray(b"0000000000 65535 f \n")
    for number in range(1, max(objects) + 1):
        table += b"%010d 00000 n \n" % len(written) if number in objects else b"0000000000 00000 f \n"
        if number in objects:
            written += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    size = max(objects) + 1
    start = len(written)
    written += b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R %s >>\n" % (size, table, size, trailer)
    return bytes(written) + after + b"startxref\n%d\n%%%%EOF\n" % start


def flate(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = zlib.compress(content, 9)
    return stream(content, b"/Filter [%s]" % (b"/FlateDecode " * times))


def tree(kids: bytes, count: int) -> bytes:
    return b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)


def files() -> Iterator[HostileFile]:
    unread = ("corrupt", "empty", "needs_ocr", "too_complex")
    read = (INDEXED, PARTIAL, *unread)
    yield hostile("kids-cycle.pdf", pdf({2: tree(b"2 0 R 4 0 R", 2)}), *read)
    yield hostile("parent-cycle.pdf", pdf({4: PAGE.replace(b"/MediaBox [0 0 612 792]", b"/Parent 4 0 R")}), *read)
    yield hostile("prev-loop.pdf", pdf({}, trailer=b"/Prev 9"), *read)
    own = pdf({}, trailer=b"/Prev 00000")
    yield hostile("prev-of-itself.pdf", own.replace(b"/Prev 00000", b"/Prev %05d" % own.index(b"xref")), *read)
    yield hostile("length-lies.pdf", pdf({5: stream(TEXT, length=1 << 31)}), *read)
    yield hostile("length-of-itself.pdf", pdf({5: stream(TEXT).replace(b"/Length 66", b"/Length 5 0 R")}), *read)
    yield hostile("negative-length.pdf", pdf({5: stream(TEXT, length=-5)}), *read)
    huge = PAGE.replace(b"[0 0 612 792]", b"[-1e9 -1e9 1e9 1e9] /UserUnit 75000")
    yield hostile("huge-page.pdf", pdf({4: huge}), *read)
    yield hostile("14400-page.pdf", pdf({4: PAGE.replace(b"612 792", b"14400 14400")}), INDEXED)
    yield hostile("many-pages.pdf", pdf({2: tree(b"4 0 R " * 100_000, 100_000)}), "too_large", "too_complex")
    yield hostile("count-lies.pdf", pdf({2: tree(b"4 0 R", 2_000_000_000)}), "too_large", *read)
    yield hostile("many-claimed-pages.pdf", pdf({2: tree(b"4 0 R", 19_000)}), *read)
    yield hostile("negative-count.pdf", pdf({2: tree(b"4 0 R", -1)}), *read)
    deep = {number: tree(b"%d 0 R" % (number + 1), 1) for number in range(6, 5_000)}
    yield hostile("deep-tree.pdf", pdf({2: tree(b"6 0 R", 1), **deep, 5_000: PAGE}), *read)
    yield hostile(
        "bomb.pdf", pdf({5: stream(zlib.compress(b"")[:2] + zeros(400), b"/Filter /FlateDecode")}), *read, may_lose=True
    )
    yield hostile("bomb-in-bombs.pdf", pdf({5: flate(b"0 " * (20 << 20), 3)}), *read, may_lose=True)
    yield hostile("filters.pdf", pdf({5: stream(TEXT, b"/Filter [%s]" % (b"/ASCIIHexDecode " * 5_000))}), *read)
    operators = b"BT /F1 1 Tf " + b"(a)Tj " * 400_000 + b"ET"
    yield hostile("operators.pdf", pdf({5: flate(operators)}), *read, may_lose=True)
    yield hostile("saved-states.pdf", pdf({5: flate(b"q " * 2_000_000 + TEXT)}), *read, may_lose=True)
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>"
    with_form = PAGE.replace(RESOURCES, b"/Resources << /XObject << /X 6 0 R >> /Font << /F1 3 0 R >> >>")
    forms = {4: with_form, 5: stream(TEXT + b" /X Do"), 6: stream(b"/X Do", form)}
    yield hostile("recursive-form.pdf", pdf(forms), *read, may_lose=True)
    chain = {n: stream(b"/X Do " * 10, form.replace(b"6 0 R", b"%d 0 R" % (n + 1))) for n in range(6, 10)} | {
        10: stream(TEXT, form)
    }
    yield hostile("forms-of-forms.pdf", pdf({4: with_form, 5: stream(b"/X Do"), **chain}), *read, may_lose=True)
    cmap = b"begincmap 1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange 1 beginbfrange " + (
        b"<00000000> <FFFFFFFF> <0000> endbfrange endcmap"
    )
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /F /Encoding /Identity-H /ToUnicode 6 0 R"
        b" /DescendantFonts [7 0 R] >>"
    )
    cid = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /F /CIDSystemInfo << /Registry (A) /Ordering (I) >> >>"
    yield hostile("character-map.pdf", pdf({3: font, 6: stream(cmap), 7: cid}), *read)
    yield hostile("deep-array.pdf", pdf({6: b"[" * 500_000}, trailer=b"/Info 6 0 R"), *read)
    yield hostile("deep-dictionary.pdf", pdf({4: b"<< /A " * 100_000}), *read)
    yield hostile("title.pdf", pdf({6: b"<< /Title (%s) >>" % (b"x" * 5_000_000)}, trailer=b"/Info 6 0 R"), INDEXED)
    launched = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (/bin/sh) >> >>"
    yield hostile("launch.pdf", pdf({1: launched}), INDEXED)
    objects = stream(b"7 0 8 0 ", b"/Type /ObjStm /N 1000000 /First 8 /Extends 6 0 R")
    yield hostile("object-stream-of-itself.pdf", pdf({6: objects}), *read)
    table = b"/Type /XRef /W [0 0 0] /Size 2147483647 /Root 1 0 R"
    yield hostile(
        "cross-references.pdf", b"%PDF-1.7\n1 0 obj\n" + stream(b"", table) + b"\nendobj\nstartxref\n9\n", *unread
    )
    yield hostile("scan.pdf", make_pdf([[]], drawn=True), "needs_ocr")
    yield hostile("blank.pdf", make_pdf([[]]), "empty")
    yield hostile("encrypted.pdf", make_encrypted_pdf(), "encrypted")
    yield hostile("truncated.pdf", make_pdf([["The ferry leaves at noon from the pier."]])[:300], *unread)
    yield hostile("header-alone.pdf", b"%PDF-1.7\n", "corrupt")
    yield hostile("noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 2_000, "corrupt")
