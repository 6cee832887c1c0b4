"""Writes small office documents: only what a parser looks at, so that a test shows what it depends on."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.office import office_parser
from ingest.parsing.ole import MAGIC
from ingest.parsing.readable import InMemory

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CORE = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
WORD = f'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="{OFFICE}"'
SLIDE = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    f' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{OFFICE}"'
)
SHEET = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{OFFICE}"'
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "draw", "style", "presentation", "meta")
)
BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
EXTERNAL_ENTITY = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def read(content: bytes) -> tuple[list[Block], ParsedDocument]:
    """The blocks of an office document of any kind, and what was found beside them."""
    parser = office_parser(InMemory(content))
    assert parser is not None
    document = parser(InMemory(content))
    return list(document.blocks), document


def text_of(content: bytes) -> str:
    blocks, document = read(content)
    return document.separator.join(block.text for block in blocks)


def places_of(content: bytes) -> list[Place]:
    return [block.place for block in read(content)[0]]


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    """By id: kind and target."""
    return "".join(
        [
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">',
            *(
                f'<Relationship Id="{name}" Type="{kind if ":" in kind else f"{OFFICE}/{kind}"}" Target="{target}"/>'
                for name, (kind, target) in targets.items()
            ),
            "</Relationships>",
        ]
    )


def package(main: str, parts: Mapping[str, str | bytes]) -> bytes:
    root = {"d": ("officeDocument", main), "c": (CORE, "docProps/core.xml")}
    return zipped({"[Content_Types].xml": "<Types/>", "_rels/.rels": relationships(root), **parts})


def core_properties(**values: str) -> dict[str, str]:
    return {"docProps/core.xml": "<core>" + "".join(f"<{k}>{v}</{k}>" for k, v in values.items()) + "</core>"}


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def docx(body: str, *, before: str = "", related: Mapping[str, tuple[str, str]] | None = None, **parts: str) -> bytes:
    """``related`` is by id: kind and name of a part, which is one of ``parts`` (without ``.xml``)."""
    listed = {name: (kind, f"{target}.xml") for name, (kind, target) in (related or {}).items()}
    return package(
        "word/document.xml",
        {
            "word/document.xml": f"{before}<w:document {WORD}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relationships(listed),
            **{f"word/{name}.xml": content for name, content in parts.items()},
        },
    )


def shape(*paragraphs: str, kind: str = "") -> str:
    """``kind`` is that of a placeholder; each paragraph is text, or XML of runs."""
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
    runs = (each if each.startswith("<") else f"<a:r><a:t>{each}</a:t></a:r>" for each in paragraphs)
    return f"<p:sp>{placeholder}<p:txBody>{''.join(f'<a:p>{run}</a:p>' for run in runs)}</p:txBody></p:sp>"


def slide(*shapes: str) -> str:
    return f"<p:sld {SLIDE}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:sld>"


def pptx(slides: Mapping[str, str], order: Iterable[str] | None = None, *, size: str = "", **parts: str) -> bytes:
    """Slides by name, shown in their order or the one given. ``parts`` are by name, with "__" for "/"."""
    listed = "".join(f'<p:sldId id="{n}" r:id="{name}"/>' for n, name in enumerate(order or slides, start=256))
    return package(
        "ppt/presentation.xml",
        {
            "ppt/presentation.xml": f"<p:presentation {SLIDE}><p:sldIdLst>{listed}</p:sldIdLst>{size}</p:presentation>",
            "ppt/_rels/presentation.xml.rels": relationships({n: ("slide", f"slides/{n}.xml") for n in slides}),
            **{f"ppt/slides/{name}.xml": content for name, content in slides.items()},
            **{f"ppt/{name.replace('__', '/')}": content for name, content in parts.items()},
        },
    )


def cell(reference: str, value: str | float | bool, style: int = 0) -> str:
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'
    kind = ' t="b"' if isinstance(value, bool) else ""
    return f'<c r="{reference}"{kind} s="{style}"><v>{int(value) if isinstance(value, bool) else value}</v></c>'


def sheet_rows(*rows: Sequence[str | float | bool | None]) -> str:
    """Rows from the first on, with cells from column A on (at most 26)."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = (
            cell(f"{letter}{number}", value)
            for letter, value in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", row, strict=False)
            if value is not None
        )
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return "".join(lines)


def xlsx(
    sheets: Mapping[str, str],
    *,
    hidden: Iterable[str] = (),
    after: str = "",
    more: Mapping[str, str] | None = None,
    **parts: str,
) -> bytes:
    """Sheets by name: the rows' XML. ``after`` follows each sheet's data; ``more`` are parts by their whole names."""
    names = list(sheets)
    states = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"{states.get(name, "")}/>'
        for n, name in enumerate(names, start=1)
    )
    related = {f"r{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(names) + 1)}
    return package(
        "xl/workbook.xml",
        {
            "xl/workbook.xml": f"<workbook {SHEET}><sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": relationships({**related, "s": ("styles", "styles.xml")}),
            **{
                f"xl/worksheets/sheet{n}.xml": f"<worksheet {SHEET}><sheetData>{rows}</sheetData>{after}</worksheet>"
                for n, rows in enumerate(sheets.values(), start=1)
            },
            **{f"xl/{name}.xml": content for name, content in parts.items()},
            **(more or {}),
        },
    )


def odf(kind: str, body: str, *, automatic: str = "", before: str = "", **parts: str) -> bytes:
    """``kind`` is text, presentation or spreadsheet; ``automatic`` are styles. ``parts`` are by name, "__" for "/"."""
    content = (
        f"{before}<office:document-content {ODF}><office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": "<m:manifest xmlns:m='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>",
            "content.xml": content,
            **{f"{name.replace('__', '/')}.xml": part for name, part in parts.items()},
        }
    )


def ole(streams: Mapping[str, bytes]) -> bytes:
    """A container of streams, which are padded with zeros to 4,096 bytes or more: shorter ones are stored otherwise."""
    padded = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    sectors = {name: -(-len(content) // _SECTOR) for name, content in padded.items()}
    folder = -(-(len(streams) + 1) // 4)
    table = -(-(sum(sectors.values()) + folder + 8) // 128)  # sectors of the table itself, one of them to spare
    fat = [_FAT] * table + [*range(table + 1, table + folder), _END]
    entries = [_entry("Root Entry", 5, child=1, start=_END, size=0)]
    body = b""
    for number, (name, content) in enumerate(padded.items(), start=1):
        entries.append(
            _entry(name, 2, right=number + 1 if number < len(streams) else _FREE, start=len(fat), size=len(content))
        )
        fat += [*range(len(fat) + 1, len(fat) + sectors[name]), _END]
        body += content.ljust(sectors[name] * _SECTOR, b"\0")
    fat += [_FREE] * (table * 128 - len(fat))
    difat = [number if number < table else _FREE for number in range(109)]
    header = struct.pack(
        "<8s16x5H6x9I109I", MAGIC, 0x3E, 3, 0xFFFE, 9, 6, 0, table, table, 0, 4096, _END, 0, _END, 0, *difat
    )
    return header + struct.pack(f"<{len(fat)}I", *fat) + b"".join(entries).ljust(folder * _SECTOR, b"\0") + body


def _entry(name: str, kind: int, *, start: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ", encoded.ljust(64, b"\0"), len(encoded), kind, 1, _FREE, right, child, start, size
    )
