"""Mails and mailboxes: parts in parts, headers without end, and encodings that are none."""

from collections.abc import Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.hostile.zips import Member, zeros, zip_of
from tests.unit.make_msg import Tree, binary_property, make_ole, numbers, unicode_property

TOP = b"From: ann@example.com\nSubject: Minutes\nMIME-Version: 1.0\n"
MIXED = b'Content-Type: multipart/mixed; boundary="b"\n\n'


def mixed(*parts: bytes) -> bytes:
    return TOP + MIXED + b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"


def nested_multiparts(depth: int) -> bytes:
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth))
    return TOP + opened + b"\ntext"


def files() -> Iterator[HostileFile]:
    states = (INDEXED, PARTIAL, "too_complex", "too_large")
    yield hostile("deep.eml", nested_multiparts(1_000), *states)
    yield hostile("deeper.eml", nested_multiparts(6_000), *states)
    forwarded = b"".join(TOP + b"Content-Type: message/rfc822\n\n" for _ in range(500)) + TOP + b"\ntext"
    yield hostile("forwarded.eml", forwarded, *states)
    yield hostile("parts.eml", mixed(*[b"\ntext"] * 20_000), *states)
    attached = b"Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\ntext"
    yield hostile("attachments.eml", mixed(*[attached] * 5_000), PARTIAL)
    yield hostile("headers.eml", b"X-A: b\n" * 100_000 + TOP + b"\ntext", *states)
    yield hostile("header.eml", b"Subject: " + b"a" * 5_000_000 + b"\n\ntext", *states)
    yield hostile("folded-header.eml", b"Subject: a" + b"\n a" * 500_000 + b"\n\ntext", *states)
    yield hostile("encoded-words.eml", b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\ntext", *states)
    yield hostile("words-without-end.eml", b"Subject: " + b"=?" * 300_000 + b"\n\ntext", *states)
    yield hostile(
        "addresses.eml", b"To: " + b"a@b.example, " * 100_000 + b"\nFrom: " + b"(" * 50_000 + b"\n\na", *states
    )
    pieces = b"".join(b" filename*%d=a;" % n for n in range(20_000))
    yield hostile("name-in-pieces.eml", mixed(b"Content-Disposition: attachment;" + pieces + b"\n\ntext"), *states)
    parameters = b"Content-Type: text/plain" + b"; a=b" * 25_000 + b"\n\ntext"
    yield hostile("parameters.eml", TOP + parameters, *states)
    for charset in (b"hex", b"zip", b"unicode_escape", b"idna", b"utf-7", b"punycode", b"\xff", b"x" * 10_000):
        body = b"Content-Type: text/plain; charset=" + charset + b"\n\n+ADw-text \\u0000 \\ud800"
        yield hostile(f"charset-{charset[:14].decode('ascii', 'replace')[:14]}.eml", TOP + body, *states)
    garbage = b"Content-Transfer-Encoding: base64\n\n" + b"A=B=\xff!" * 100_000
    yield hostile("garbage.eml", TOP + garbage, *states)
    uue = b"Content-Transfer-Encoding: x-uuencode\n\nbegin 666 /etc/passwd\n" + b"M" * 500_000
    yield hostile("uuencode.eml", TOP + uue, *states)
    yield hostile("dates.eml", TOP + b"Date: Mon, 99 Foo 99999999999 99:99:99 +999999\n\ntext", INDEXED)
    yield hostile("no-body.eml", TOP, INDEXED)
    yield hostile("no-mail.eml", b"This is no mail at all.\n", "corrupt")
    yield hostile("html.eml", TOP + b"Content-Type: text/html\n\n" + b"<div>" * 50_000 + b"text", *states)
    bomb = b"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: 8bit\n\n"
    yield hostile(
        "bomb-attached.eml", mixed(b"\ntext", bomb + zip_of(Member(b"a.txt", zeros(300), 300 << 20))), PARTIAL
    )
    sealed = b"Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n"
    yield hostile("encrypted.eml", TOP + sealed, "encrypted")
    mail = b"From ann Mon\n" + TOP + b"\ntext\n\n"
    yield hostile("mails.mbox", mail * 4_000, *states)
    yield hostile("beginnings.mbox", b"From \n\n" * 10_000, *states, "empty", "corrupt")
    yield hostile("one-line.mbox", b"From a\nSubject: b\n\n" + b"a" * 10_000_000, *states)
    yield hostile("damaged-mails.mbox", (mail + b"From bob Mon\n\xff\0\n\n") * 500, *states)
    yield from _outlook()


def _outlook() -> Iterator[HostileFile]:
    top = {**numbers({}), **unicode_property("0037", "Minutes")}
    rtf = b"\xff\xff\xff\x7f\xff\xff\xff\x7fLZFu\0\0\0\0" + b"\xff\0\0" * 30_000
    yield hostile("rtf-bomb.msg", make_ole({**top, **binary_property("1009", rtf)}), INDEXED, "corrupt", "too_large")
    odd = {0x00390040: (1 << 64) - 1, 0x3FFD0003: 0xFFFFFFFF}
    yield hostile("odd-numbers.msg", make_ole({**top, **numbers(odd), **unicode_property("1000", "text")}), INDEXED)
    nul = {**unicode_property("0C1A", "Ann\0Bob"), **unicode_property("0037", "a\0b"), **numbers({})}
    yield hostile("nul-within.msg", make_ole({**nul, **unicode_property("1000", "te\0xt")}), INDEXED)
    inner: Tree = {**top, **unicode_property("1000", "deep")}
    for _ in range(40):
        inner = {**top, "__attach_version1.0_#00000000": {**numbers({}, header=8), "__substg1.0_3701000D": inner}}
    yield hostile("deep.msg", make_ole(inner), INDEXED, PARTIAL, "too_complex", "corrupt")
    many = {f"__attach_version1.0_#{n:08X}": {**numbers({}, header=8)} for n in range(1_500)}
    yield hostile("attachments.msg", make_ole({**top, **many}), PARTIAL, INDEXED, "corrupt")
