"""Office documents: references in circles, sizes that lie, containers of old."""

import struct
from collections.abc import Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.hostile.markup import epub
from tests.unit.make_msg import Tree, make_ole
from tests.unit.make_office import OFFICE, docx, odf, ole, package, paragraph, pptx, relationships, shape, slide, zipped
from tests.unit.test_parsing_office_97 import doc, ppt, record, texts

READ = (INDEXED, PARTIAL)
UNREAD = ("corrupt", "too_complex", "too_large", "empty", "unsupported")


def files() -> Iterator[HostileFile]:
    yield from _word()
    yield from _slides()
    yield from _open_documents()
    yield from _old()
    yield from _rtf()


def _word() -> Iterator[HostileFile]:
    text = paragraph("The ferry leaves at noon.")
    for name, target in (
        ("of-itself", "document.xml"),
        ("from-elsewhere", "http://169.254.169.254/"),
        ("up", "../../.."),
    ):
        main = {
            "f": ("footnotes", target),
            "a": ("aFChunk", target),
            "s": ("styles", target),
            "n": ("numbering", target),
        }
        parts = {
            "word/document.xml": f'<w:document xmlns:w="w" xmlns:r="{OFFICE}">'
            f'<w:body>{text}<w:altChunk r:id="a"/></w:body></w:document>',
            "word/_rels/document.xml.rels": relationships(main),
        }
        yield hostile(f"parts-{name}.docx", package("word/document.xml", parts), *READ, *UNREAD)
    cycle = "".join(
        f'<w:style w:type="paragraph" w:styleId="s{n}"><w:name w:val="s{n}"/>'
        f'<w:basedOn w:val="s{(n + 1) % 9}"/></w:style>'
        for n in range(9)
    )
    styled = paragraph("The ferry leaves.", '<w:pStyle w:val="s1"/>')
    styles = f'<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{cycle}</w:styles>'
    yield hostile("style-cycle.docx", docx(styled, related={"s": ("styles", "styles")}, styles=styles), INDEXED)
    span = '<w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>'
    yield hostile("spans.docx", docx(f"<w:tbl><w:tr><w:tc>{span}{text}</w:tc></w:tr></w:tbl>" * 20), INDEXED)
    listed = '<w:numPr><w:ilvl w:val="2000000000"/><w:numId w:val="-1"/></w:numPr>'
    yield hostile("levels.docx", docx(paragraph("The ferry leaves.", listed) * 1_000), INDEXED)
    cells = f"<w:tbl><w:tr>{'<w:tc><w:p/></w:tc>' * 50_000}</w:tr></w:tbl>"
    yield hostile("cells.docx", docx(text + cells), INDEXED, "too_complex")
    yield hostile("paragraphs.docx", docx("<w:p/>" * 100_000 + text), INDEXED, "too_complex")
    yield hostile("no-text.docx", docx(""), "empty")
    yield hostile("no-document.docx", package("word/document.xml", {}), *UNREAD, INDEXED)
    yield hostile("no-relationships.docx", zipped({"word/document.xml": "<w:document/>"}), *UNREAD, INDEXED)
    yield hostile("encrypted.docx", ole({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}), "encrypted")


def _slides() -> Iterator[HostileFile]:
    one = slide(shape("The ferry leaves at noon."))
    yield hostile("one-slide-often.pptx", pptx({"s1": one}, order=["s1"] * 20_000), INDEXED, "too_complex")
    yield hostile("many-slides.pptx", pptx({f"s{n}": one for n in range(1_500)}), INDEXED)
    rows = f"<a:tbl>{'<a:tr>' + '<a:tc/>' * 1_000 + '</a:tr>'}</a:tbl>" * 100
    yield hostile("cells.pptx", pptx({"s1": slide(f"<p:graphicFrame>{rows}</p:graphicFrame>", shape("a"))}), INDEXED)
    yield hostile("no-slides.pptx", pptx({}), "empty")
    yield hostile("missing-slides.pptx", pptx({"s1": one}, order=["s1", "s2", "../../s3"]), *READ, "corrupt")


def _open_documents() -> Iterator[HostileFile]:
    spaces = '<text:p>a<text:s text:c="2000000000"/>b</text:p>'
    yield hostile("spaces.odt", odf("text", spaces * 50), INDEXED)
    cell = '<table:table-cell table:number-columns-repeated="{0}"><text:p>a</text:p></table:table-cell>'
    row = '<table:table-row table:number-rows-repeated="{0}">{1}</table:table-row>'
    table = f"<table:table>{row.format(1 << 30, cell.format(1 << 30))}</table:table>"
    yield hostile("cells.odt", odf("text", "<text:p>text</text:p>" + table), *READ, "too_complex")
    level = '<text:h text:outline-level="2000000000">A</text:h>'
    yield hostile("level.odt", odf("text", level + "<text:p>text</text:p>"), INDEXED)
    encrypted = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    yield hostile("encrypted.odt", odf("text", "x", **{"META-INF__manifest": encrypted}), "encrypted")
    chapter = "<html><body><p>The ferry leaves.</p></body></html>"
    yield hostile("spine.epub", epub(chapter, spine=50_000), INDEXED)
    items = "".join(f'<item id="i{n}" href="../../../{n}.xhtml"/>' for n in range(50_000))
    yield hostile("manifest.epub", epub(chapter, manifest=items), INDEXED, "too_complex")
    yield hostile("of-itself.epub", epub(chapter, manifest='<item id="a" href="book.opf"/>'), *READ, *UNREAD)
    yield hostile("no-book.epub", zipped({"mimetype": "application/epub+zip"}), "corrupt", "empty", INDEXED)


def _old() -> Iterator[HostileFile]:
    unread = (*UNREAD, INDEXED)
    good = doc("The ferry leaves at noon.\r")
    yield hostile("fat-loop.doc", _looped(good), *unread)
    yield hostile("fat-loop.ppt", _looped(ppt()), *unread)
    far = bytearray(good)
    struct.pack_into("<3I", far, 0x44, 5, 1 << 30, 0)  # of the table's own table
    yield hostile("difat-lies.doc", bytes(far), *unread)
    many = bytearray(good)
    struct.pack_into("<I", many, 0x2C, 0xFFFFFFFF)
    yield hostile("fat-lies.doc", bytes(many), *unread)
    shift = bytearray(good)
    struct.pack_into("<2H", shift, 0x1E, 31, 31)
    yield hostile("sector-lies.doc", bytes(shift), *unread)
    yield hostile("directory-loop.doc", _circle(good), *unread)
    yield hostile("directory-loop.msg", _circle(make_ole({"__properties_version1.0": b""})), *unread)
    storages: dict[str, Tree] = {str(number): {} for number in range(5_000)}
    yield hostile("long-directory.msg", make_ole({"__properties_version1.0": bytes(32), **storages}), *unread)
    pieces = struct.pack("<BI", 2, 4 + 12 * 100_000) + struct.pack("<100001I", *range(100_001))
    same = struct.pack("<HIH", 0, 0, 0) * 100_000
    yield hostile("pieces.doc", doc("x" * 200_000, clx=pieces + same), *unread)
    yield hostile("fields.doc", doc("\x13" * 50_000 + "text\r"), *unread)
    deep = texts((4, "deep"))
    for _ in range(3_000):
        deep = record(0x03EE, deep, container=True)
    yield hostile("deep.ppt", ppt(last=deep), *unread, PARTIAL)
    yield hostile("one-slide-often.ppt", ppt([2] * 20_000), *unread)


def _looped(container: bytes) -> bytes:
    """The last chain of sectors leads back to its beginning."""
    table = bytearray(container)
    entries = struct.unpack_from("<128I", table, 512)
    last = max(number for number, entry in enumerate(entries) if entry == 0xFFFFFFFE)
    struct.pack_into("<I", table, 512 + 4 * last, last - 1)
    return bytes(table)


def _circle(container: bytes) -> bytes:
    """An entry of the directory has itself for a sibling and for a child."""
    found = bytearray(container)
    (first,) = struct.unpack_from("<I", found, 0x30)
    start = 512 + first * 512 + 128
    struct.pack_into("<3I", found, start + 68, 1, 1, 1)
    return bytes(found)


def _rtf() -> Iterator[HostileFile]:
    states = (INDEXED, "too_complex", "corrupt", "empty")
    top = b"{\\rtf1\\ansi "
    yield hostile("deep.rtf", top + b"{" * 200_000 + b"text" + b"}" * 200_000 + b"}", *states)
    yield hostile("binary.rtf", top + b"\\bin2000000000 text}", *states)
    yield hostile("negative-binary.rtf", top + b"\\bin-5 text\\bin99999999999999999999 more}", *states)
    yield hostile("code-points.rtf", top + b"\\u99999999?\\u-99999?\\u55357? text}" * 999, *states)
    yield hostile("skips.rtf", top + b"\\uc2000000000\\u65 text " * 999 + b"}", *states)
    yield hostile("pages.rtf", top + b"\\ansicpg99999\\'ff\\'zz text}", *states)
    yield hostile("words.rtf", top + b"\\a" * 500_000 + b" text}", *states)
    yield hostile("long-word.rtf", top + b"\\" + b"a" * 1_000_000 + b" text}", *states)
    yield hostile("open.rtf", top + b"\\'" * 300_000, *states)
    yield hostile("picture.rtf", top + b"{\\pict " + b"ff" * 2_000_000 + b"} text}", *states)
    yield hostile("digits.rtf", top + b"\\fs" + b"9" * 500_000 + b" text}", *states)
    yield hostile("cells.rtf", top + b"\\trowd" + b"\\cell " * 200_000 + b"\\row text}", *states)
