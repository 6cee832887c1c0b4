"""XML of any kind."""

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.xml_text import parse_xml
from ingest.parsing.xml_walk import MAX_DEPTH
from tests.unit.parsed_parts import read, refusal

BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


def test_short_values_stand_behind_their_names_and_long_texts_alone() -> None:
    story = "A text about <b>bold</b> things that is longer than a value. " * 3
    reading = read(
        parse_xml, f"<shop><item><name>Tea</name><price cur='EUR'>2</price><note>{story}</note></item></shop>"
    )
    assert reading.lines[:3] == ["item", "name: Tea", "price (cur: EUR): 2"]
    assert reading.lines[3].startswith("A text about bold things")


def test_attributes_count_and_those_for_machines_do_not() -> None:
    content = "<r><fact contextRef='FY24' unitRef='usd' id='f1'>1000</fact><unit code='usd' xml:space='default'/></r>"
    assert read(parse_xml, content).lines == ["r", "fact (contextRef: FY24, unitRef: usd): 1000", "unit (code: usd)"]


def test_titles_are_headings_and_end_with_their_element() -> None:
    reading = read(
        parse_xml,
        "<book><title>Tides</title><sec><title>Springs</title><p>Twice.</p></sec><sec><p>No title.</p></sec></book>",
    )
    assert reading.document.title == "Tides"
    assert reading.text == "# Tides\n\n## Springs\n\nTwice.\n\nNo title."
    assert reading.place_of("Twice.").heading == ("Tides", "Springs")
    assert reading.place_of("No title.").heading == ("Tides",)


def test_tables_are_tables() -> None:
    content = "<r><table><tr><th>a</th><th>b</th></tr><tr><td><p>1</p><p>2</p></td><td>3</td></tr></table></r>"
    assert read(parse_xml, content).text == "| a | b |\n| --- | --- |\n| 1 2 | 3 |"


def test_pages_within_a_feed_are_read_as_pages() -> None:
    item = "<item><title>News</title><description><![CDATA[<p>One <i>two</i></p><p>three</p>]]></description></item>"
    assert "One two\n\nthree" in read(parse_xml, f"<rss><channel>{item}</channel></rss>").text


@pytest.mark.parametrize(
    "content",
    [
        "<?xml version='1.0' encoding='shift_jis'?><a>日本</a>".encode("cp932"),
        "<?xml version='1.0' encoding='iso-8859-1'?><a>é日本</a>".encode("iso-8859-1", "xmlcharrefreplace"),
        "<a>日本</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='utf-16'?><a>日本</a>".encode(),
        "<?xml version='1.0' encoding='unknown'?><a>日本</a>".encode(),
        "<!DOCTYPE a SYSTEM 'http://x.example/a.dtd'><a>日本&nbsp;</a>".encode(),
    ],
)
def test_any_encoding_and_the_entities_of_html_are_read(content: bytes) -> None:
    assert "日本" in read(parse_xml, content).text


@pytest.mark.parametrize(
    "content",
    [
        f"<!DOCTYPE a [<!ENTITY e0 'ha'>{BOMB}]><a>&e9;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://x.example/a'>%x;]><a/>",
    ],
)
def test_entities_of_a_file_s_own_are_refused(content: str) -> None:
    assert refusal(parse_xml, content) is FailureReason.UNSUPPORTED


@pytest.mark.parametrize("content", ["<a>", "<a></b>", "plain", "<a>&nbsp;</a>", "<a b=1/>", b"\xff\xfe\x00"])
def test_broken_xml_is_refused(content: str | bytes) -> None:
    assert refusal(parse_xml, content) is FailureReason.CORRUPT


def test_xml_nested_without_bounds_is_refused() -> None:
    assert refusal(parse_xml, "<a>" * 100_000) is FailureReason.TOO_COMPLEX
    assert read(parse_xml, "<a>" * MAX_DEPTH + "x" + "</a>" * MAX_DEPTH).lines == ["a", "a: x"]


def test_titles_within_titles_do_not_fill_every_place() -> None:
    reading = read(parse_xml, "<s><title>t</title>" * 400 + "<p>x</p>" + "</s>" * 400)
    assert len(reading.place_of("x").heading) < 20


@pytest.mark.parametrize("element", ["<x a='1'/>", "<x>1</x>", "<sec><title>t</title></sec>", "<p>text</p>"])
def test_many_elements_are_no_problem(element: str) -> None:
    reading = read(parse_xml, f"<r>{element * 50_000}</r>")
    assert len(reading.lines) >= 50_000
    assert len(reading.blocks) > 10


def test_of_a_drawing_only_the_words_are_read() -> None:
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg'><title>Orders</title><style>.a {fill: red}</style>"
        "<g><path d='M0 0L9 9'/><text x='1'>Order <tspan>received</tspan></text></g></svg>"
    )
    assert read(parse_xml, drawing).lines == ["# Orders", "Order received"]
