import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing import pptx as bounds
from tests.unit.make_office import (
    BILLION_LAUGHS,
    ole,
    package,
    places_of,
    pptx,
    read,
    relationships,
    shape,
    slide,
    text_of,
)


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


def frame(content: str) -> str:
    return f"<p:graphicFrame><a:graphic><a:graphicData>{content}</a:graphicData></a:graphic></p:graphicFrame>"


def test_slides_come_in_their_order_below_their_titles() -> None:
    slides = {
        "s1": slide(shape("Last words", kind="title"), shape("Thanks", "Bye", kind="body")),
        "s2": slide(shape("free text"), shape("Roadmap", kind="ctrTitle"), shape("Only one", kind="body")),
    }
    blocks, document = read(pptx(slides, order=["s2", "s1"]))
    assert [(block.text, block.place) for block in blocks] == [
        ("# Roadmap\n\nfree text\n\nOnly one", Place(slide=1, heading=("Roadmap",))),
        ("# Last words\n\n- Thanks\n- Bye", Place(slide=2, heading=("Last words",))),
    ]
    assert document.title == "Roadmap"


def test_lists_are_numbered_and_indented_as_shown() -> None:
    def line(text: str, properties: str) -> str:
        return f"{properties}<a:r><a:t>{text}</a:t></a:r>"

    numbered = '<a:pPr lvl="1"><a:buAutoNum type="arabicPeriod"/></a:pPr>'
    body = shape(
        line("one", numbered),
        line("two", numbered),
        line("plain", "<a:pPr><a:buNone/></a:pPr>"),
        line("bullet", '<a:pPr lvl="x"/>'),
        kind="body",
    )
    assert text_of(pptx({"s": slide(body)})) == "  1. one\n  2. two\n\nplain\n\n- bullet"


def test_tables_groups_and_breaks_are_read() -> None:
    rows = (
        '<a:tr><a:tc gridSpan="2">{A}</a:tc><a:tc hMerge="1">{}</a:tc></a:tr>'
        '<a:tr><a:tc rowSpan="2">{b}</a:tc><a:tc>{c}</a:tc></a:tr>'
        '<a:tr><a:tc vMerge="1">{}</a:tc><a:tc>{d}</a:tc></a:tr>'
    )
    for text in ("A", "b", "c", "d", ""):
        rows = rows.replace(f"{{{text}}}", f"<a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody>")
    group = (
        f"<p:grpSp><p:grpSp>{shape('<a:r><a:t>in</a:t></a:r><a:br/><a:r><a:t>group</a:t></a:r>')}</p:grpSp></p:grpSp>"
    )
    assert text_of(pptx({"s": slide(frame(f"<a:tbl>{rows}</a:tbl>"), group)})) == (
        "| A | A |\n| --- | --- |\n| b | c |\n| b | d |\n\nin\ngroup"
    )


def test_diagrams_are_read_where_they_stand() -> None:
    diagram = '<d:dataModel xmlns:d="d" xmlns:a="a"><a:p><a:r><a:t>Plan</a:t></a:r></a:p></d:dataModel>'
    shapes = (frame('<d:relIds xmlns:d="d" r:dm="d1"/>'), shape("after"))
    content = pptx(
        {"s": slide(*shapes)},
        **{
            "slides___rels__s.xml.rels": relationships({"d1": ("diagramData", "../diagrams/data1.xml")}),
            "diagrams__data1.xml": diagram,
        },
    )
    assert text_of(content) == "- Plan\n\nafter"


def test_notes_come_last_without_the_slide_s_number() -> None:
    notes = slide(shape("Mention costs", "and risks", kind="body"), shape("12", kind="sldNum"))
    parts = {
        "slides___rels__s.xml.rels": relationships({"n": ("notesSlide", "../notes/n1.xml")}),
        "notes__n1.xml": notes.replace("p:sld", "p:notes"),
    }
    content = pptx({"s": slide(shape("Budget"), shape("12", kind="sldNum"))}, **parts)
    assert text_of(content) == "Budget\n\nNotes: Mention costs\nand risks"


def test_a_footer_is_read_once_and_fields_that_change_are_not() -> None:
    number = '<a:fld type="slidenum"><a:t>3</a:t></a:fld><a:fld type="other"><a:t>kept</a:t></a:fld>'
    each = slide(shape("ACME", kind="ftr"), shape(number), shape("May 1", kind="dt"))
    assert text_of(pptx({"a": each, "b": each})) == "ACME\n\nkept\n\nkept"


def test_a_hidden_slide_is_read_too() -> None:
    hidden = slide(shape("backup")).replace("<p:sld ", '<p:sld show="0" ')
    assert text_of(pptx({"s": hidden})) == "backup"


def test_a_slide_that_is_shown_again_is_not_repeated() -> None:
    slides = {"a": slide(shape("first")), "b": slide(shape("second"))}
    content = pptx(slides, order=["a"] * 20_000 + ["b"])
    assert places_of(content) == [Place(slide=1), Place(slide=20_001)]


def test_too_many_slides_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_SLIDES", 2)
    assert reason(pptx({name: slide(shape("x")) for name in "abc"})) is FailureReason.TOO_LARGE


def test_a_damaged_slide_is_named_and_the_others_are_read() -> None:
    blocks, document = read(pptx({"a": "<p:sld>", "b": slide(shape("fine"))}))
    assert [block.text for block in blocks] == ["fine"]
    assert document.skipped == ["slide 1: it is damaged"]
    assert reason(pptx({"a": "<p:sld>", "b": BILLION_LAUGHS + slide(shape("&i;"))})) is FailureReason.CORRUPT


def test_a_slide_nested_too_deep_fails_the_presentation() -> None:
    deep = slide("<p:grpSp>" * 1_000 + "</p:grpSp>" * 1_000)
    assert reason(pptx({"a": slide(shape("fine")), "b": deep})) is FailureReason.TOO_COMPLEX


def test_a_presentation_of_pictures_needs_text_recognition() -> None:
    assert reason(pptx({"s": slide()}, **{"media__image1.jpeg": "."})) is FailureReason.NEEDS_OCR
    assert read(pptx({"s": slide()}))[0] == []


def test_slides_that_are_pictures_are_named_as_skipped() -> None:
    def picture(width: int, height: int) -> str:
        return f'<p:pic><p:spPr><a:xfrm><a:ext cx="{width}" cy="{height}"/></a:xfrm></p:spPr></p:pic>'

    slides = {
        "a": slide(shape("Leave")),
        "b": slide(picture(1000, 500)),
        "c": slide(f"<p:grpSp>{picture(600, 400)}{picture(600, 400)}</p:grpSp>"),
        "d": slide(picture(1000, 500), shape("Ports", kind="title")),
        "e": slide(picture(100, 100)),
        "f": slide(),
    }
    content = pptx(slides, size='<p:sldSz cx="1000" cy="1000"/>')
    assert read(content)[1].skipped == ["slides 2-3: no text, they look scanned (needs OCR)"]
    assert read(pptx(slides))[1].skipped == []  # without the slides' size nothing can be told


def test_a_damaged_presentation_is_corrupt() -> None:
    assert reason(package("ppt/presentation.xml", {"ppt/presentation.xml": "<p:presentation"})) is FailureReason.CORRUPT
    assert reason(pptx({"s": slide()})[:-30]) is FailureReason.CORRUPT


def test_an_encrypted_presentation_says_so() -> None:
    assert reason(ole({"EncryptedPackage": b""})) is FailureReason.ENCRYPTED
