"""What a model writes is text by the time that it leaves: no image to load, no link to follow."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ask.cleaning import cleaned

EVIL = "evil.test/x?q=secret"


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("![chart](https://evil.test/a.png)", "chart"),
        ("![](https://evil.test/a.png)", ""),
        ("![chart][ref]\n[ref]: https://evil.test/a.png", "chart"),
        ("![chart](https://evil.test/a.png", "chart"),
        ("See [the page](https://evil.test).", "See the page."),
        ("See [the page](javascript:alert(1)).", "See the page)."),
        ("See [the page](//evil.test)", "See the page"),
        ("See <https://evil.test>.", "See ."),
        ("See https://evil.test/a?b=c.", "See (link removed)."),
        ("See HTTPS://EVIL.TEST, now", "See (link removed), now"),
        ("See www.evil.test!", "See (link removed)!"),
        ("See ftp://evil.test", "See (link removed)"),
        ("See example.com/offer now", "See (link removed) now"),
        ("Write to mailto:x@evil.test", "Write to (link removed)"),
        ("Write to x@evil.test.", "Write to (link removed)."),
        ("<img src=x onerror=alert(1)>25 days", "25 days"),
        ("<a href='https://evil.test'>here</a>", "here"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=https://evil.test/a", "< img src=(link removed)"),
        ("All n <k of them", "All n < k of them"),
        ("&lt;img src=x&gt;25 days", "25 days"),
        ("htt\u200bps://evil.test", "(link removed)"),
        ("ht\u00adtps://evil.test", "(link removed)"),
        ("![a](![b](https://evil.test))", "a)"),
        ("[[a](https://evil.test)](https://evil.test)", "[a] ((link removed))"),
        ("[1](https://evil.test/1), [2](#c2)", "[1], [2]"),
        ("[[1]](#cite)", "[[1]] (#cite)"),
        ("![[x]](http:/evil.test/a.png)", "![[x]] ((link removed))"),
        ("[a\\]b](https:evil.test)", "[a\\]b] ((link removed))"),
        ("[`]`](/x)", "[`]`] (/x)"),
        ("![x]\n\n> [x]: https://evil.test/a.png", "![x]\n\n> [x] : (link removed)"),
        ("So [1].\n\n[1]: evil.test/a", "So [1].\n\n[1] : evil.test /a"),
        ("Write to <#@evil.test>", "Write to < #@evil.test>"),
        ("Write to x&commat;evil.test", "Write to (link removed)"),
        ("data:text/html;base64,AAAA", "(link removed)"),
        ("\x1b]8;;https://evil.test\x07here\x1b]8;;\x07", "]8;;(link removed);;"),
    ],
)  # fmt: skip
def test_addresses_images_and_markup_are_gone(written: str, left: str) -> None:
    assert cleaned(written) == left


@pytest.mark.parametrize(
    "text",
    [
        "Shore staff have 27 days [1], masters 30 [2, 3].",
        "If a < b and b > c, then x <= y & z.",
        "Use **bold**, `code`, lists:\n- one\n- two",
        "It costs $12/day and 5 km/h; see section 3.2/4.",
        "ASP.NET, Amazon.com and Node.js are names.",
        "Write &lt; for a less-than sign.",
        "قیمت‌ها ۲۷ روز است.",
        "年次休暇は27日です[1]。",
        "The ratio is 3:4, and/or C:\\temp\\file.txt.",
        "Call 030-1234; data: none; tel: 5.",
        "As told in [1]: 25 days [2][3].",
    ],
)
def test_text_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Run git checkout <branch> first [1].", "Run git checkout < branch> first [1]."),
        (
            "Set <timeout>30</timeout>, not <title> or <source>",
            "Set < timeout>30< /timeout>, not < title> or < source>",
        ),
        ('Write <property name="a" value="b"/>.', 'Write < property name="a" value="b"/>.'),
        ("Discard if pH<x and T>y [1].", "Discard if pH< x and T>y [1]."),
        ("It is so if a<b and c>d.", "It is so if a< b and c>d."),
        ("Use Map<String, List<Integer>> here [1].", "Use Map< String, List< Integer>> here [1]."),
        ("Use vector<std::string>.", "Use vector< std::string>."),
        ("[Note]: the fee is 5 EUR [1].\nSo pay.", "[Note] : the fee is 5 EUR [1].\nSo pay."),
        ("[Due]: 30/06/2024", "[Due] : 30/06/2024"),
        ("[^1]: The fee is 5 EUR.", "[^1] : The fee is 5 EUR."),
        ("Doses [1](adults only) are 5 mg.", "Doses [1] (adults only) are 5 mg."),
        ("Doses [1](mg/kg) and [2](3:4) [max](see 5)", "Doses [1] (mg/kg) and [2] (3:4) [max] (see 5)"),
        ("It is 25![1][2] Or 30![1](adults)", "It is 25! [1][2] Or 30! [1] (adults)"),
        ("Stop![adults](only they)", "Stop! [adults] (only they)"),
        ("See [1, 2](https://evil.test) and [1-3](#c).", "See [1, 2] and [1-3]."),
        ("5<br>10<p class=x>15<td>20", "5 10 15 20"),
        ("<b>25</b> <i>days</i> of <span style='x'>leave</span><br/>", "25 days of leave"),
        ('See [here](evil.com "title") and [there](../x).', "See here and there."),
    ],
)
def test_words_that_look_like_markup_or_links_stay_and_open_none(written: str, left: str) -> None:
    assert cleaned(written) == left


def test_a_mail_address_stays_if_a_verified_quote_has_it() -> None:
    text = "Send it to Travel@example.com, not to x@evil.test."
    quotes = ["Send receipts to travel@example.com"]
    assert cleaned(text, quotes=quotes) == "Send it to Travel@example.com, not to (link removed)."


# What browsers, GitHub's Markdown and HTML would load or lead to.
LEADS_AWAY = re.compile(
    r"https?://|//evil|\bwww\.\S|!\[[^\]]*\]\(|\[[^\]]*\]\([^)]|<[a-z]|\bmailto:\S|\bjavascript:\S"
    r"|(?<![\w/.-])[\w-]+\.[^\W\d_]{2,}[/?#]\w",
    re.IGNORECASE,
)
LINK_OR_MARKUP = re.compile(r"<(?:a|img|script|b|i)\b", re.IGNORECASE)
PIECES = st.sampled_from(
    ["![", "](", "[", "]", ")", "(", "<", ">", "a", " ", "\n", "http", "https:", "//", EVIL, "www.", "\u200b", "&lt;",
     "&amp;", "&#x3c;", "img", "src=", "javascript:", "mailto:", "x@evil.test", "'", '"', "[1]", ".", "!", "ref]: ",
     "[1]: ", "> ", "- ", "`", "\\", "&#91;", "&commat;", "http:/evil.test/",
     "bit.ly/x", "1.2.3.4/x", "münchen.de/x", "<branch>", "<b>", "=", "&#46;", "evil.museum", "?q=", "/", "![",
     "。", "“", "—", "evil.md/x"]
)  # fmt: skip


@given(text=st.lists(PIECES, max_size=14).map("".join))
@example(text="<<a>img src=//evil.test>")
@example(text="ww<b>w.evil.test/")
@example(text="htt<i></i>ps://evil.test")
@example(text="&amp;lt;img src=x&amp;gt;")
@example(text="&am<b>p;lt;a href=x>")
@example(text="![[a]](http:/evil.test/)")
@example(text="![a]\n\n> [a]: http:/evil.test/")
@example(text="[a\\](`](x)")
def test_nothing_put_together_from_pieces_leads_away(text: str) -> None:
    left = cleaned(text)
    assert cleaned(left) == left
    assert not LEADS_AWAY.search(left), left
    assert not LINK_OR_MARKUP.search(MarkdownIt("commonmark").render(left)), left


@pytest.mark.parametrize(
    "piece",
    ["[", "![", "[a](", "](b)", "<!--", "<a", "a.", ".x", "a-", "a+", "a@", "\n", "[\n", "&amp;", "&lt;b ", "(", "://",
     "<b ", "<p =", "<p a=", "![1][", "!", "[a]: ", "[a]: x", "[a](b.cc/", "[a](: ", "a.bb/", "a.bb?", "é.", "1.",
     "1.2.3.4/", "::::", "?", "<a:/", "<<b>", "b>", "a.b-", "/", "a\\."],
)  # fmt: skip
def test_a_model_that_repeats_itself_keeps_nobody_waiting(piece: str) -> None:
    """Read in a time that grows with the square of the length, these would take minutes."""
    for end in ("", "x"):
        left = cleaned(piece * (100_000 // len(piece)) + end)
        assert cleaned(left) == left
