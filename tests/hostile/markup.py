"""XML wherever it stands, and HTML."""

from collections.abc import Callable, Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.unit.make_office import BILLION_LAUGHS, EXTERNAL_ENTITY, docx, odf, paragraph, pptx, slide, xlsx, zipped

CONTAINER = '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'
QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"a" * 60_000}">]>'
EXTERNAL_SUBSET = '<!DOCTYPE x SYSTEM "http://169.254.169.254/latest/meta-data/">'
PARAMETER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///dev/zero"> %p;]>'
DEEP = 50_000


def epub(chapter: str, *, before: str = "", spine: int = 1, manifest: str = "") -> bytes:
    refs = '<itemref idref="a"/>' * spine
    book = (
        f'{before}<package><metadata/><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        f"{manifest}</manifest><spine>{refs}</spine></package>"
    )
    return zipped(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "book.opf": book, "a.xhtml": chapter}
    )


def nested(tag: str, depth: int = DEEP, text: str = "deep") -> str:
    return f"<{tag}>" * depth + text + f"</{tag.split()[0]}>" * depth


# By extension: the file with a DTD before its main part, and text within.
WITH_DTD: dict[str, Callable[[str, str], bytes]] = {
    "xml": lambda before, text: f"{before}<x>{text}</x>".encode(),
    "svg": lambda before, text: f'{before}<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>'.encode(),
    "docx": lambda before, text: docx(paragraph(text), before=before),
    "odt": lambda before, text: odf("text", f"<text:p>{text}</text:p>", before=before),
    "odp": lambda before, text: odf("presentation", f"<draw:page><text:p>{text}</text:p></draw:page>", before=before),
    "pptx": lambda before, text: pptx(
        {"s1": before + slide(f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>")}
    ),
    "xlsx": lambda before, text: xlsx(
        {"S": f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'},
        more={"xl/styles.xml": f"{before}<styleSheet/>"},
    ),
    "epub": lambda before, text: epub(f"<html><body>{text}</body></html>", before=before),
}


def files() -> Iterator[HostileFile]:
    refused = ("corrupt", "unsupported", "too_complex", "empty", PARTIAL)
    for kind, make in WITH_DTD.items():
        # Sheets and chapters are read without the part that holds the entities, or after it.
        states = (*refused, INDEXED) if kind in {"xlsx", "epub"} else refused
        yield hostile(f"laughs.{kind}", make(BILLION_LAUGHS, "&i;" if kind != "xlsx" else "x"), *states)
        yield hostile(f"external.{kind}", make(EXTERNAL_ENTITY, "&i;" if kind != "xlsx" else "x"), *states)
    yield hostile("laughs-in-a-chapter.epub", epub(f"{BILLION_LAUGHS}<html><body>&i;</body></html>"), INDEXED, *refused)
    yield hostile("quadratic.xml", f"{QUADRATIC}<x>{'&a;' * 20_000}</x>", *refused)
    yield hostile("external-subset.xml", f"{EXTERNAL_SUBSET}<x>text</x>", *refused, INDEXED)
    yield hostile("parameter-entity.xml", f"{PARAMETER}<x>text</x>", *refused)
    yield from _deep()
    attributes = " ".join(f'a{n}="{n}"' for n in range(100_000))
    yield hostile("attributes.xml", f"<x {attributes}>text</x>", INDEXED, "too_complex")
    yield hostile("one-attribute.xml", f'<x a="{"a" * 5_000_000}">text</x>', INDEXED, "too_complex")
    yield hostile("namespaces.xml", "".join(f'<x xmlns:n{n}="u{n}">' for n in range(2_000)), "corrupt", "too_complex")
    yield hostile("unknown-encoding.xml", '<?xml version="1.0" encoding="utf-7"?><x>+AGEAYg-</x>', INDEXED, "corrupt")
    yield hostile("siblings.xml", f"<x>{'<y>a</y>' * 200_000}</x>", INDEXED, "too_complex")
    yield from _html()


def _deep() -> Iterator[HostileFile]:
    states = ("too_complex", "corrupt", INDEXED, PARTIAL, "unsupported", "empty")
    yield hostile("deep.xml", nested("x"), *states)
    yield hostile("deep.svg", nested("g"), *states)
    yield hostile("deep.docx", docx(nested("w:sdt", 5_000, paragraph("deep"))), *states)
    yield hostile("deep-tables.docx", docx(nested("w:tbl><w:tr><w:tc", 1, paragraph("a")) * 3_000), *states)
    yield hostile("deep.odt", odf("text", nested("text:section", text="<text:p>deep</text:p>")), *states)
    yield hostile("deep.odp", odf("presentation", nested("draw:g", text="<text:p>deep</text:p>")), *states)
    yield hostile("deep.pptx", pptx({"s1": slide(nested("p:grpSp"))}), *states)
    yield hostile("deep.epub", epub(nested("div")), *states)


def _html() -> Iterator[HostileFile]:
    states = (INDEXED, "too_complex")
    yield hostile("deep.html", nested("div"), *states)
    yield hostile("deep-tables.html", nested("table><tr><td", 5_000), *states)
    yield hostile("deep-lists.html", nested("ul><li", 10_000), *states)
    yield hostile("unclosed.html", "<p>text" + "<b><i><a href=x>" * 30_000, *states)
    yield hostile("misnested.html", "<p>text" + "<b><p><i></b></p></i>" * 20_000, *states)
    yield hostile("comment.html", "<p>text<!--" + "<!-- -" * 300_000, *states)
    yield hostile("attributes.html", f"<p {' '.join(f'a{n}=1' for n in range(15_000))}>text</p>", *states)
    yield hostile("entities.html", "<p>" + "&amp;&#x41;&notanentity" * 100_000, *states)
    yield hostile("spans.html", '<table><tr><td colspan="1000000000" rowspan="1000000000">a</table>' * 50, *states)
    yield hostile("selects.html", "<select><option>a" * 30_000, *states)
    yield hostile("templates.html", "<template>" * 20_000 + "text", *states, "empty")
    yield hostile("scripts.html", "<p>text" + "<script>" * 100_000, *states)
    yield hostile("wide-table.html", f"<table><tr>{'<td>a' * 30_000}<tr>{'<td>b' * 30_000}</table>", *states)
