import time

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.html_nesting import MAX_DEPTH, cap_nesting
from tests.unit.parsed_text import WholeDocument, parse_bytes


def read(html: str | bytes) -> WholeDocument:
    return parse_bytes(html.encode() if isinstance(html, str) else html, key="a.html")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one\n  <b>two</b> three<br>four</p>five", "one two three\nfour\n\nfive"),
        ("<ul><li>a<li><p>b</p><ul><li>c</ul></ul>", "- a\n- b\n  - c"),
        ("<ol><li>a</li><li>b<p>more</p></li></ol>", "1. a\n1. b\n  more"),
        ("<pre>x = 1\n  y</pre>", "```\nx = 1\n  y\n```"),
        ("<table><tr><th>a<th>b|c<tr><td>1<td><p>2</p><p>3</p></table>", "| a | b/c |\n| --- | --- |\n| 1 | 2 3 |"),
        ("<table><tr><td><h2>A</h2>text</td></tr></table>", "## A\n\ntext"),
        ("<table><tr><td>x<table><tr><td>1<td>2</table></table>", "x\n\n| 1 | 2 |\n| --- | --- |"),
        ("a<script>s()</script><style>p{}</style><template>t</template><!-- c --><noscript>n</noscript>b", "ab"),
        ("<nav>menu</nav><p hidden>h<p style='display: none'>i<p aria-hidden=true>j<p>text", "text"),
        ("<div hidden>all of it</div>", "all of it"),
    ],
)
def test_html_becomes_markdown(html: str, text: str) -> None:
    assert read(html).text == text


def test_each_section_stands_below_its_headings() -> None:
    document = read("<p>before<h1>A</h1><p>a<h3>B <i>b</i></h3><p>b<h2>C</h2>")
    assert [(document.text[m.start :].split("\n")[0], m.place.heading) for m in document.marks] == [
        ("before", ()),
        ("# A", ("A",)),
        ("### B b", ("A", "B b")),
        ("## C", ("A", "C")),
    ]


def test_the_most_tokens_are_the_bytes_of_the_text() -> None:
    document = read("<table><tr><td>ä<td><td><tr><td>1</table><h1>A</h1><p>&euro;")
    assert len(document.text.encode()) <= (document.most_tokens or 0) <= len(document.text.encode()) + 2


def test_the_title_is_the_page_s_or_its_first_heading() -> None:
    assert read("<title> Staff\nhandbook </title><h1>Leave</h1>").title == "Staff handbook"
    assert read("<h2>Early</h2><h1>Leave</h1>").title == "Leave"
    assert read("<svg><title>icon</title></svg>text").title is None


def test_the_main_part_is_taken_when_it_holds_most_of_the_text() -> None:
    assert read(f"<header>site</header><main>{'word ' * 20}</main>").text == ("word " * 20).strip()
    assert "site" in read(f"<header>{'site ' * 20}</header><main>word</main>").text


@pytest.mark.parametrize(
    "content",
    [
        '<meta charset="windows-1251"><p>Привет, мир</p>'.encode("cp1251"),
        b"<?xml version='1.0' encoding='koi8-r'?><p>" + "Привет, мир".encode("koi8-r"),
        '<meta charset="no-such-set"><p>Привет, мир</p>'.encode(),
        '<meta charset="shift_jis"><p>Привет, мир</p>'.encode("utf-16"),
        "<p>Привет, мир</p>".encode(),
    ],
)
def test_the_character_set_is_found(content: bytes) -> None:
    assert read(content).text == "Привет, мир"


@pytest.mark.parametrize("name", ["hex", "zlib", "rot13", "unicode_escape", "idna", "utf-7"])
def test_a_codec_that_is_no_character_set_is_ignored(name: str) -> None:
    assert read(f'<meta charset="{name}"><p>plain \\u0041 text</p>').text == "plain \\u0041 text"


def test_a_page_without_text_is_empty() -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read("<title>App</title><body><div id=root></div><script>run()</script>")
    assert caught.value.reason is FailureReason.EMPTY


def test_absurd_nesting_is_flattened_and_keeps_its_text_and_time() -> None:
    began = time.process_time()
    document = read("<html>" + "<div>" * 100_000 + "deep" + "</div>" * 100_000 + "<h1>After</h1>")
    assert document.text == "deep\n\n# After"
    assert time.process_time() - began < 10  # 45 s without the cap


def test_usual_nesting_is_left_alone() -> None:
    html = "<p>a<li>b<br>" * MAX_DEPTH + "<div>" * 100 + "</div>" * 100
    assert cap_nesting(html) is html


@pytest.mark.parametrize("key", ["a.xhtml", "a.html"])
@pytest.mark.parametrize(
    "empty", ["<title/>", "<title />", "<script src='a.js'/>", '<title/><a id="top"/><h1/><TEXTAREA/>']
)
def test_an_element_that_ends_at_once_does_not_swallow_the_page(key: str, empty: str) -> None:
    page = f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head>{empty}</head><body><p>Leave</p></body></html>"
    assert parse_bytes(page.encode(), key=key).text == "Leave"


def test_a_slash_that_belongs_to_an_address_ends_no_element() -> None:
    assert read("<h2 id=http://a.example/>Leave</h2><p>paid").text == "## Leave\n\npaid"


def test_an_encoding_that_is_not_declared_is_told_by_what_is_beyond_ascii() -> None:
    german = "Die Größe der Straße hängt vom Gebäude ab; für Ämter gelten übliche Maße. " * 5
    page = f"<p>{'All of this is plain. ' * 20_000}</p><p>{german}</p>"
    assert read(page.encode("cp1252")).text.endswith(german.strip())
