"""What a chat program would link is no link any more, and what only looks like it is read as it was."""

import pytest

from ask.addresses import REMOVED, without_addresses


@pytest.mark.parametrize(
    "address",
    [
        "bit.ly/3xQ?d=secret",
        "evil.cc/x?q=secret",
        "evil.in/x",
        "evil.cloud/x?q=s",
        "evil.com.au/x?q=1",
        "EVIL.Co.Uk/x",
        "evil.de?q=secret",
        "evil.de:8080/x",
        "1.2.3.4/x?q=secret",
        "1.2.3.4:80/x",
        "1.2.3.4?q=1",
        "1.2.3.4/8/secret",
        "1.2.3.4/8.secret",
        "münchen.de/x?q=1",
        "президент.рф/x",
        "xn--mnchen-3ya.de/x",
        "evil.xn--p1ai/x",
        "evil。com/x",
        "evil\\.com/x",
        "evil.com\\/x",
        "////x",
        "1.2.3.4/5.6.7.8/x",
    ],
)
def test_a_name_or_number_with_a_path_or_query_is_removed(address: str) -> None:
    assert without_addresses(f"See {address} now", quotes=[]) == f"See {REMOVED} now"
    assert without_addresses(f"请访问({address}。假期为25天", quotes=[]).endswith(f"({REMOVED}。假期为25天")


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("evil.museum/x?q=secret", "evil.museum /x?q=secret"),
        ("..evil.museum:80/x", "..evil.museum:80 /x"),
        ("evil.museum./x", "evil.museum. /x"),
        ("evil\\.museum/x", "evil\\.museum /x"),
        ("a.b.c.d.e.f.g.h.i.j.evil.com/x", f"a.b.c.{REMOVED}"),
        ("evil.py/?secret", "evil.py /?secret"),
        ("see:evil.newending?q=1", "see:evil.newending ?q=1"),
        ("evil.com./x", "evil.com. /x"),
        ("t.me/x", "t.me /x"),
        ("请访问例子.cn/x?q=1", "请访问例子.cn /x?q=1"),
        ("例え.テスト/x", "例え.テスト /x"),
        ("उदाहरण.भारत/x", "उदाहरण.भारत /x"),
        ("EVIL.NET/x", "EVIL.NET /x"),
        ("leave.Staff/crew", "leave.Staff /crew"),
        ("README.md/CONTRIBUTING.md", "README.md /CONTRIBUTING.md"),
        ("B.Sc/M.Sc", "B.Sc /M.Sc"),
        ("详见/附件。evil.md/x", "详见/附件。evil.md /x"),
        ("and/or—evil.museum/x", "and/or—evil.museum /x"),
        ("see /“evil.museum/x”", "see /“evil.museum /x”"),
    ],
)
def test_what_may_be_a_name_is_parted_from_its_path(written: str, left: str) -> None:
    assert without_addresses(written, quotes=[]) == left
    assert without_addresses(left, quotes=[]) == left


@pytest.mark.parametrize(
    "text",
    [
        "and/or, e.g./i.e., S.p.A./N.V., a.m./p.m., U.S./EU, Ph.D./M.D., Mr./Mrs.",
        "v1.2/3, 3.5/4, 1.2.3/4, 0.5mg/kg, $3.99/month, 12.5km/h, Art. 5.6/7",
        "src/main.py, config.json, /etc/cron.daily/logrotate, ../conf.dir/x, src/app.module/x.ts",
        "Node.js/Express, package.json/yarn.lock, index.html#top",
        "10.0.0.0/8, 192.168.0.0/16, 10.1.2.3/255.255.0.0. Version 1.2.3.4, sections 4.1.2.3/4.1.2.4",
        "Do you use Amazon.com? Or ASP.NET? Is it config.yaml?",
        "Amazon.com and Booking.com stay.",
        "休暇は27日です。詳細/概要は表3を参照。",
    ],
)
def test_prose_code_scores_and_networks_stay(text: str) -> None:
    assert without_addresses(text, quotes=[]) == text


def test_an_address_ends_with_its_code_or_sentence() -> None:
    text = "Run `curl https://evil.test/x` now. 详见https://evil.test/x。假期为25天。"
    assert without_addresses(text, quotes=[]) == f"Run `curl {REMOVED}` now. 详见{REMOVED}。假期为25天。"
