import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from tests.unit.make_office import (
    WORD,
    core_properties,
    docx,
    package,
    paragraph,
    read,
    text_of,
)

STYLES = f"""<w:styles {WORD}>
<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H2"/></w:style>
<w:style w:type="paragraph" w:styleId="H2"><w:name w:val="Section"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="C1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="A"><w:basedOn w:val="B"/></w:style>
<w:style w:type="paragraph" w:styleId="B"><w:basedOn w:val="A"/></w:style>
</w:styles>"""
STYLED = {"s": ("styles", "styles")}


def styled(style: str, text: str) -> str:
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def row(*cells: str) -> str:
    """Each cell is text, or XML of its content."""
    contents = (cell if cell.startswith("<") else paragraph(cell) for cell in cells)
    return f"<w:tr>{''.join(f'<w:tc>{content}</w:tc>' for content in contents)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(rows)}</w:tbl>"


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


def test_sections_stand_below_their_headings() -> None:
    body = (
        styled("T", "Handbook")
        + paragraph("Welcome.")
        + styled("H1", "Leave")
        + styled("Mine", "Annual")
        + paragraph("25 days.")
        + paragraph("Sick leave", '<w:outlineLvl w:val="1"/>')
        + styled("H2", "long " * 100)
        + styled("A", "A style that is based on itself.")
    )
    blocks, document = read(docx(body, related=STYLED, styles=STYLES))
    assert [(block.text.split("\n")[0], block.place.heading) for block in blocks] == [
        ("# Handbook", ("Handbook",)),
        ("# Leave", ("Leave",)),
        ("## Annual", ("Leave", "Annual")),
        ("## Sick leave", ("Leave", "Sick leave")),
    ]
    assert blocks[2].text == "## Annual\n\n25 days."
    assert document.markdown
    assert document.title == "Handbook"


def test_metadata_are_taken_as_far_as_they_can_be_believed() -> None:
    properties = core_properties(
        title="Annual leave", creator=" Ada\n Lovelace ", created="2024-01-02T03:04:05Z", modified="yesterday"
    )
    main = {"word/document.xml": f"<w:document {WORD}><w:body>{paragraph('x')}</w:body></w:document>"}
    _, document = read(package("word/document.xml", {**main, **properties}))
    assert (document.title, document.author) == ("Annual leave", "Ada Lovelace")
    assert (document.created, document.modified) == ("2024-01-02T03:04:05+00:00", None)
    _, document = read(package("word/document.xml", {**main, **core_properties(title="untitled", creator="User")}))
    assert (document.title, document.author) == (None, None)
    _, document = read(package("word/document.xml", {**main, "docProps/core.xml": "<core>"}))
    assert document.title is None


def test_the_text_is_what_reads_when_changes_are_accepted() -> None:
    body = f"""<w:p>
    <w:r><w:t xml:space="preserve">We </w:t></w:r>
    <w:del><w:r><w:delText>do not </w:delText><w:t>never </w:t></w:r></w:del>
    <w:ins><w:r><w:t>will </w:t></w:r></w:ins>
    <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>
    <w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>pay</w:t><w:tab/><w:t>x</w:t><w:noBreakHyphen/><w:t>y</w:t></w:r>
    <w:r><w:fldChar/><w:instrText>PAGE</w:instrText><w:br/><w:t>now</w:t></w:r>
    <w:r><w:ruby><w:rt><w:t>above</w:t></w:rt><w:rubyBase><w:t>, base</w:t></w:rubyBase></w:ruby></w:r>
    <w:hyperlink><w:r><w:t>, here</w:t></w:r></w:hyperlink></w:p>
    <w:moveFrom><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:moveFrom>
    <w:ins>{paragraph("inserted")}</w:ins>
    <w:sdt><w:sdtPr><w:t>no</w:t></w:sdtPr><w:sdtContent>{paragraph("controlled")}</w:sdtContent></w:sdt>"""
    assert text_of(docx(body)) == "We will pay x-y\nnow, base, here\n\ninserted\n\ncontrolled"


def test_a_table_of_contents_is_left_out() -> None:
    body = styled("C1", "Leave 1") + styled("H1", "Leave")
    assert text_of(docx(body, related=STYLED, styles=STYLES)) == "# Leave"


def test_a_table_becomes_markdown_and_merged_labels_are_repeated() -> None:
    merged = '<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>' + paragraph("North")
    below = "<w:tcPr><w:vMerge/></w:tcPr><w:p/>"
    wide = '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>' + paragraph("Sales")
    inner = table(row("a", "b")) + paragraph("c|d")
    body = table(
        row("Region", wide),
        row(merged, "1", "2"),
        row(below, "3", inner),
        "<w:tr><w:trPr><w:del/></w:trPr><w:tc/><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr>",
    )
    assert text_of(docx(body)) == (
        "| Region | Sales | Sales |\n| --- | --- | --- |\n| North | 1 | 2 |\n| North | 3 | a b c/d |"
    )


def test_a_long_table_repeats_its_header() -> None:
    body = table(row("Name", "Room"), *(row(f"person {n}", f"{n}") for n in range(120)))
    groups = text_of(docx(body)).split("\n\n")
    assert len(groups) > 2
    assert all(group.startswith("| Name | Room |\n| --- | --- |\n| person ") for group in groups)
    assert all(f"| person {n} | {n} |" in "".join(groups) for n in range(120))


def test_a_header_too_long_to_be_repeated_stands_once() -> None:
    body = table(row("Name", "long " * 200), *(row(f"person {n}", "1") for n in range(120)))
    assert text_of(docx(body)).count("long long") == 100


def test_a_frame_of_one_cell_is_no_table() -> None:
    assert text_of(docx(table(row(styled("H1", "A") + paragraph("b"))), related=STYLED, styles=STYLES)) == "# A\n\nb"


def test_notes_follow_the_paragraph_that_refers_to_them_once() -> None:
    mark = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    body = f"<w:p><w:r><w:t>Paid</w:t></w:r>{mark}<w:r><w:endnoteReference w:id='2'/></w:r></w:p><w:p>{mark}</w:p>"
    note = '<w:footnote w:id="1"><w:p/></w:footnote><w:footnote w:id="2">{}</w:footnote>'
    notes = f"<w:footnotes {WORD}>{note}</w:footnotes>"
    parts = {
        "footnotes": notes.format(paragraph("in gold")),
        "endnotes": notes.format(paragraph("or silver")).replace("footnote", "endnote"),
    }
    related = {"f": ("footnotes", "footnotes"), "e": ("endnotes", "endnotes")}
    assert text_of(docx(body, related=related, **parts)) == (
        "Paid[^2][^e2]\n\n[^2]: in gold\n\n[^e2]: or silver\n\n[^2]"
    )


def test_a_text_box_is_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('in a box')}</w:txbxContent>"
    body = (
        '<w:p xmlns:mc="m"><w:r><mc:AlternateContent>'
        f"<mc:Choice><w:drawing>{box}</w:drawing></mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent><w:t>beside it</w:t></w:r></w:p>"
    )
    assert text_of(docx(body)) == "beside it\n\nin a box"


def test_headers_and_footers_are_read_once() -> None:
    parts = {
        "header1": f"<w:hdr {WORD}>{paragraph('Confidential')}</w:hdr>",
        "header2": f"<w:hdr {WORD}>{paragraph('Confidential')}{paragraph('Draft')}</w:hdr>",
        "header3": "<w:hdr>",
        "footer1": f"<w:ftr {WORD}>{paragraph('12')}{paragraph('ACME')}</w:ftr>",
    }
    related = {name: (name[:-1], name) for name in parts}
    assert text_of(docx(paragraph("text"), related=related, **parts)) == "Confidential\n\nDraft\n\ntext\n\nACME"


def test_charts_and_diagrams_are_read() -> None:
    chart = """<c:chartSpace xmlns:c="c" xmlns:a="a"><c:chart>
    <c:title><c:tx><c:rich><a:p><a:r><a:t>Ducks</a:t></a:r></a:p></c:rich></c:tx></c:title>
    <c:ser><c:tx><c:v>wild</c:v><c:strRef><c:pt idx="0"><c:v>wild</c:v></c:pt></c:strRef></c:tx>
    <c:cat><c:pt idx="0"><c:v>2023</c:v></c:pt><c:pt idx="1"><c:v>2024</c:v></c:pt></c:cat>
    <c:val><c:pt idx="1"><c:v>7</c:v></c:pt><c:pt idx="x"><c:v>8</c:v></c:pt></c:val></c:ser>
    </c:chart></c:chartSpace>"""
    diagram = '<d:dataModel xmlns:d="d" xmlns:a="a"><a:p><a:r><a:t>Plan</a:t></a:r></a:p><a:p/></d:dataModel>'
    body = '<w:p><w:r><w:chart r:id="c"/><w:relIds r:dm="d"/><w:chart r:id="c"/><w:chart r:id="none"/></w:r></w:p>'
    related = {"c": ("chart", "chart1"), "d": ("diagramData", "data1")}
    assert text_of(docx(body, related=related, chart1=chart, data1=diagram)) == (
        "Ducks\n\n|  | wild |\n| --- | --- |\n| 2023 |  |\n| 2024 | 7 |\n\n- Plan"
    )


def test_formulas_read_in_a_line() -> None:
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    fraction = f"<m:f><m:num>{run('1')}</m:num><m:den>{run('2n')}</m:den></m:f>"
    power = f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>"
    body = f'<w:p xmlns:m="m"><m:oMath>{power}{run("=")}{fraction}<m:d><m:e>{run("y")}</m:e></m:d></m:oMath></w:p>'
    assert text_of(docx(body)) == "x^2=1/(2n)(y)"


def test_a_document_of_pictures_needs_text_recognition() -> None:
    main = {"word/document.xml": f"<w:document {WORD}><w:body><w:p/></w:body></w:document>"}
    assert reason(package("word/document.xml", {**main, "word/media/image1.PNG": b"."})) is FailureReason.NEEDS_OCR
    assert read(package("word/document.xml", {**main, "docProps/thumbnail.jpeg": b"."}))[0] == []
