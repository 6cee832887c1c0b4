import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from tests.unit.make_office import BILLION_LAUGHS, EXTERNAL_ENTITY, ODF, odf, places_of, read, text_of, zipped


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


def p(text: str, style: str = "Standard") -> str:
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def h(level: int, text: str) -> str:
    return f'<text:h text:outline-level="{level}">{text}</text:h>'


def items(*contents: str, style: str = "", more: str = "") -> str:
    named = f' text:style-name="{style}"' if style else ""
    listed = "".join(f"<text:list-item{more}>{each}</text:list-item>" for each in contents)
    return f"<text:list{named}>{listed}</text:list>"


def row(*cells: str, more: str = "") -> str:
    listed = "".join(f"<table:table-cell>{p(each)}</table:table-cell>" for each in cells)
    return f"<table:table-row{more}>{listed}</table:table-row>"


def test_sections_stand_below_their_headings() -> None:
    style = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    body = p("Handbook", "P1") + p("Welcome.") + h(1, "Leave") + h(2, "Annual") + p("25 days.") + h(1, "Pay")
    meta = "<m><initial-creator>Ada</initial-creator><creator>Bob</creator><date>2024-01-02T03:04:05</date></m>"
    blocks, document = read(odf("text", body, automatic=style, meta=meta))
    assert [(block.text, block.place.heading) for block in blocks] == [
        ("# Handbook\n\nWelcome.", ("Handbook",)),
        ("# Leave", ("Leave",)),
        ("## Annual\n\n25 days.", ("Leave", "Annual")),
        ("# Pay", ("Pay",)),
    ]
    assert (document.title, document.author, document.modified) == ("Handbook", "Ada", "2024-01-02T03:04:05+00:00")


def test_lists_are_numbered_and_indented() -> None:
    style = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1"/>'
        '<text:list-level-style-bullet text:level="2"/></text:list-style>'
    )
    inner = items(p("c"), p("d"))
    body = items(p("a") + p("more"), p("b") + inner, style="L") + items(h(2, "A"), p("e"))
    assert text_of(odf("text", body, automatic=style)) == ("1. a\n  more\n2. b\n  - c\n  - d\n\n## A\n\n- e")


def test_a_list_may_start_at_another_number() -> None:
    style = '<text:list-style style:name="L"><text:list-level-style-number text:level="1"/></text:list-style>'
    body = items(p("a"), style="L", more=' text:start-value="4"')
    assert text_of(odf("text", body, automatic=style)) == "4. a"


def test_spaces_tabs_and_breaks_are_read_as_they_are_meant() -> None:
    spans = "<text:span>f <text:span>g</text:span></text:span> h"
    body = p(f"a\n   b<text:s text:c='2'/>c<text:tab/>d<text:line-break/>e {spans}")
    assert text_of(odf("text", body)) == "a b c d\ne f g h"


def test_what_was_deleted_or_is_beside_the_text_is_left_out() -> None:
    body = (
        f"<text:tracked-changes>{p('deleted')}</text:tracked-changes>"
        f"<text:table-of-content>{p('Leave 1')}</text:table-of-content>"
        f"<text:section>{p('kept<office:annotation>' + p('comment') + '</office:annotation> all')}</text:section>"
    )
    assert text_of(odf("text", body)) == "kept all"


def test_a_table_becomes_markdown() -> None:
    repeated = ' table:number-rows-repeated="9"'
    body = (
        f"<table:table><table:table-header-rows>{row('Name', 'Room')}</table:table-header-rows><table:table-rows>"
        f"{row('Ada', '1|2', more=repeated)}</table:table-rows>"
        "<table:table-row><table:table-cell/><table:covered-table-cell/></table:table-row></table:table>"
    )
    assert text_of(odf("text", body)) == "| Name | Room |\n| --- | --- |\n| Ada | 1/2 |"


def test_repetitions_do_not_make_a_text_grow() -> None:
    cells = f'<table:table-cell table:number-columns-repeated="999999999">{p("x")}</table:table-cell>'
    spaces = p("a<text:s text:c='999999999'/>b")
    body = f"<table:table><table:table-row>{cells}</table:table-row></table:table>{spaces}"
    assert len(text_of(odf("text", body))) < 500
    assert text_of(odf("text", body.replace("999999999", "3"))).startswith("| x | x | x |")


def test_notes_and_frames_follow_their_paragraph() -> None:
    note = (
        "<text:note><text:note-citation>1</text:note-citation>"
        f"<text:note-body>{p('in gold')}</text:note-body></text:note>"
    )
    frame = f"<draw:frame><draw:text-box>{p('in a box')}</draw:text-box></draw:frame>"
    link = "<text:a>, here</text:a>"
    assert text_of(odf("text", p(f"Paid{note}{frame} now{link}"))) == "Paid[^1] now, here\n\nin a box\n\n[^1]: in gold"


def test_headers_and_footers_are_read_once() -> None:
    margins = (
        f"<style:header>{p('Secret')}</style:header><style:header-left>{p('Secret')}</style:header-left>"
        f"<style:footer>{p('1')}{p('ACME')}</style:footer>"
    )
    page = f"<office:master-styles><style:master-page>{margins}</style:master-page></office:master-styles>"
    styles = f"<office:document-styles {ODF}>{page}</office:document-styles>"
    assert text_of(odf("text", p("text"), styles=styles)) == "Secret\n\ntext\n\nACME"


def test_a_chart_is_read_where_it_stands_and_once() -> None:
    chart = f"<chart:title>{p('Ducks')}</chart:title><table:table>{row('', 'wild')}{row('2024', '7')}</table:table>"
    content = (
        f'<office:document-content xmlns:chart="c" {ODF}><office:body><office:chart><chart:chart>{chart}</chart:chart>'
        "</office:chart></office:body></office:document-content>"
    )
    frame = '<draw:frame><draw:object xmlns:xlink="x" xlink:href="{}"/></draw:frame>'
    body = p(frame.format("./Object 1") + frame.format("Object 1") + frame.format("./none") + frame.format("./Bad"))
    parts = {"Object 1__content": content, "Bad__content": "<broken>"}
    assert text_of(odf("text", body, **parts)) == "Ducks\n\n|  | wild |\n| --- | --- |\n| 2024 | 7 |"


def test_slides_come_below_their_titles_and_notes_last() -> None:
    def frame(kind: str, content: str) -> str:
        box = f"<draw:text-box>{content}</draw:text-box>"
        return f'<draw:frame presentation:class="{kind}">{box}</draw:frame>'

    notes = f"<presentation:notes>{frame('page', p('1'))}{frame('notes', p('Mention costs'))}</presentation:notes>"
    group = f"<draw:g><draw:custom-shape>{p('in a shape')}</draw:custom-shape></draw:g>"
    first = f"<draw:page>{frame('outline', items(p('one')))}{group}{frame('title', p('Plan'))}{notes}</draw:page>"
    content = odf("presentation", f"{first}<draw:page>{p('last')}</draw:page>")
    blocks, document = read(content)
    assert [block.text for block in blocks] == ["# Plan\n\n- one\n\nin a shape\n\nNotes: Mention costs", "last"]
    assert places_of(content) == [Place(slide=1, heading=("Plan",)), Place(slide=2)]
    assert document.title == "Plan"


@pytest.mark.parametrize("kind", ["text", "presentation"])
def test_pictures_alone_need_text_recognition(kind: str) -> None:
    members = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": "<x/>"}
    assert reason(zipped({**members, "Pictures/1.png": b"."})) is FailureReason.NEEDS_OCR
    assert read(zipped({**members, "Thumbnails/thumbnail.png": b"."}))[0] == []


@pytest.mark.parametrize("kind", ["text", "presentation"])
def test_encrypted_documents_say_so(kind: str) -> None:
    manifest = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    assert reason(odf(kind, "", **{"META-INF__manifest": manifest})) is FailureReason.ENCRYPTED


@pytest.mark.parametrize("before", [BILLION_LAUGHS, EXTERNAL_ENTITY])
def test_entities_are_refused(before: str) -> None:
    assert reason(odf("text", p("&i;"), before=before)) is FailureReason.CORRUPT


@pytest.mark.parametrize(
    "content",
    [
        odf("text", "<text:p>"),
        odf("presentation", "</draw:page>"),
        odf("text", p("x"), styles="<broken>"),
        zipped({"mimetype": "application/vnd.oasis.opendocument.text"}),
        odf("text", p("x"))[:-25],
    ],
)
def test_a_damaged_document_is_corrupt(content: bytes) -> None:
    assert reason(content) is FailureReason.CORRUPT


def test_deep_nesting_is_too_complex() -> None:
    assert reason(odf("text", "<text:section>" * 1_000 + "</text:section>" * 1_000)) is FailureReason.TOO_COMPLEX
    deepest = "<text:list><text:list-item>" * 70 + p("x") + "</text:list-item></text:list>" * 70
    assert text_of(odf("text", deepest)).strip() == "- x"
