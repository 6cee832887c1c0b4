"""Text formats: depth, lines without an end, and what slow patterns stumble over."""

from collections.abc import Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile

MEGA = 1_000_000


def files() -> Iterator[HostileFile]:
    yield from _plain()
    yield from _data()
    yield from _light_markup()
    yield from _code()


def _plain() -> Iterator[HostileFile]:
    yield hostile("empty.txt", b"", "empty")
    yield hostile("blank.txt", b" \n\t\r\n" * 10_000, "empty")
    yield hostile("nul.txt", bytes(MEGA), "corrupt", "empty", "unsupported")
    yield hostile("nul-within.txt", b"The ferry\0leaves at\0noon. " * 40, INDEXED, "corrupt")
    yield hostile("one-line.txt", b"a" * (5 * MEGA), INDEXED)
    yield hostile("one-line-of-words.txt", b"word " * (2 * MEGA), INDEXED)
    yield hostile("blank-lines.txt", b"a" + b"\n" * (5 * MEGA) + b"b", INDEXED)
    yield hostile("latin-1.txt", "Fähre nach Überlingen: sie fährt täglich früh. ".encode("latin-1") * 9, INDEXED)
    yield hostile("utf-16.txt", "Die Fähre legt um zwölf Uhr ab. ".encode("utf-16") * 9, INDEXED, "corrupt")
    yield hostile("bad-utf-8.txt", "Die Fähre legt ab. ".encode()[:-14] * 99, INDEXED, "corrupt")
    yield hostile("overlong-utf-8.txt", b"text \xc0\x80\xed\xa0\x80\xf4\x90\x80\x80 " * 99, INDEXED, "corrupt")
    yield hostile("combining.txt", ("a" + "\u0301" * 100_000).encode(), INDEXED)
    yield hostile("directions.txt", "\u202etxt.exe\u202c\u200b\ufeff text ".encode() * 999, INDEXED)
    yield hostile("controls.txt", bytes(range(1, 32)) * 999 + b"text", INDEXED, "corrupt")
    yield hostile("noise.bin", bytes(range(256)) * 999, "unsupported")


def _data() -> Iterator[HostileFile]:
    yield hostile("deep.json", b"[" * 100_000 + b"]" * 100_000, "too_complex", "corrupt", "empty")
    yield hostile("deep-objects.json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_complex", "corrupt")
    yield hostile("deep-unclosed.json", b'[{"a":' * 100_000, "too_complex", "corrupt")
    yield hostile("long-number.json", b"[" + b"9" * MEGA + b"]", INDEXED, "corrupt", "empty")
    yield hostile("exponent.json", b'{"a": 1e999999999, "b": -1E-999999999, "c": NaN}', INDEXED, "corrupt")
    yield hostile("one-text.json", b'{"a": "' + b"a" * (5 * MEGA) + b'"}', INDEXED, "empty")
    yield hostile("keys.json", b"{" + b",".join(b'"k%d": %d' % (n, n) for n in range(100_000)) + b"}", INDEXED)
    yield hostile("unpaired.json", b'{"a": "\\ud800 \\udfff \\u0000 text"}', INDEXED)
    yield hostile("unclosed.json", b'{"a": "text', "corrupt", INDEXED)
    yield hostile(
        "one-line.jsonl", b'{"a": "' + b"a" * (5 * MEGA), "corrupt", INDEXED, PARTIAL, "too_complex", "too_large"
    )
    yield hostile("bad-lines.jsonl", b'{"a": 1}\n{"a": \n' * 20_000, "corrupt", INDEXED, PARTIAL)
    yield hostile("deep.ipynb", b'{"cells": ' + b"[" * 100_000, "too_complex", "corrupt")
    yield hostile("no-cells.ipynb", b'{"cells": {"a": 1}, "nbformat": 4}', "empty", "corrupt")
    odd = b'{"cells": [1, null, {"cell_type": 5, "source": {"a": []}}, {"cell_type": "code", "source": ["x", 1]}]}'
    yield hostile("odd-cells.ipynb", odd, INDEXED, PARTIAL, "corrupt", "empty")
    yield hostile("columns.csv", b",".join(b"c%d" % n for n in range(200_000)), INDEXED, "too_complex", PARTIAL)
    yield hostile("open-quote.csv", b'a,b\n"' + b"x,y\n" * 60_000, INDEXED, "corrupt", "too_complex")
    yield hostile("quotes.csv", b"a,b\n" + b'"""' * 300_000, INDEXED, "corrupt", "too_complex")
    yield hostile("commas.csv", b"a,b\n" + b"," * MEGA, INDEXED, "too_complex")
    yield hostile("nul.csv", b"a,b\n1\0,2\n" * 999, INDEXED, "corrupt")
    yield hostile("tabs.tsv", b"\t" * MEGA + b"a", INDEXED, "too_complex")


def _light_markup() -> Iterator[HostileFile]:
    states = (INDEXED, "too_complex")
    yield hostile("brackets.md", b"[" * 100_000 + b"a", *states)
    yield hostile("emphasis.md", b"*a **a " * 50_000, *states)
    yield hostile("ticks.md", b"".join(b"`" * n + b" " for n in range(1_000)) + b"a", *states)
    yield hostile("quotes.md", b">" * 100_000 + b" a", *states)
    yield hostile("fences.md", b"```\n~~~\n" * 50_000, *states)
    yield hostile("lists.md", b"".join(b" " * n + b"- a\n" for n in range(1_500)), *states)
    yield hostile("pipes.md", b"|" * 500_000 + b"\n" + b"|-" * 250_000 + b"\n|a|\n", *states)
    yield hostile("headings.md", b"# a\n" * 12_000, *states)
    yield hostile("heading.md", b"# " + b"# " * MEGA, *states)
    yield hostile("properties.md", b"---\n" + b"a: &a [*a, *a]\n" * 50_000, *states)
    yield hostile("links.md", b"[a]: <" * 100_000, *states)
    yield hostile("entities.md", b"&#" * 300_000 + b"<a " * 100_000, *states)
    yield hostile("lines.rst", b"a\n" + b"=" * MEGA + b"\n", *states)
    yield hostile("titles.rst", b"".join(b"a\n%c\n\n" % mark for mark in b"=-~^\"'`#*+.:_") * 500, *states)
    yield hostile("grid.rst", b"+" + b"-+" * 100_000 + b"\n" + b"|" + b"a|" * 100_000 + b"\n", *states)
    yield hostile("roles.rst", b":a:`" * 200_000, *states)
    yield hostile("directives.rst", b"".join(b" " * n + b".. a::\n" for n in range(1_500)) + b"text", *states, "empty")
    yield hostile("substitutions.rst", b".. |a| replace:: |a| |a|\n\n|a|\n" * 10_000, *states, "empty")
    yield hostile("open-table.adoc", b"|===\n" + b"|a" * 100_000, *states)
    yield hostile("tables.adoc", b"|===\n" * 100_001 + b"a", *states)
    yield hostile("marks.adoc", b"*_`#^~+" * 100_000 + b"a", *states)
    yield hostile("attributes.adoc", b":a: {a}{a}\n" * 20_000 + b"{a}" * 1_000 + b" text", *states)
    yield hostile("includes.adoc", b"include::/etc/passwd[]\ninclude::a.adoc[]\n" * 9_999 + b"text", *states)
    yield hostile("lists.adoc", b"".join(b"*" * n + b" a\n" for n in range(1_500)), *states)
    yield hostile("braces.tex", b"{" * 100_000 + b"a", *states)
    yield hostile("begins.tex", b"\\begin{a}" * 50_000 + b"text", *states, "empty")
    yield hostile("commands.tex", b"\\a[b]{c" * 40_000 + b"text", *states, "empty")
    yield hostile("macros.tex", b"\\def\\a{\\a\\a}\\newcommand{\\b}{\\b}\\a\\b text " * 9_999, *states)
    yield hostile("inputs.tex", b"\\input{/etc/passwd}\\write18{rm -rf /} text " * 999, *states)
    yield hostile("dollars.tex", b"$" * 500_001 + b"a", *states, "empty")
    yield hostile("percents.tex", b"%" * MEGA + b"\ntext", *states)
    yield hostile("times.vtt", b"WEBVTT\n\n" + b"00:00.000 --> 00:00.000\n" * 100_000 + b"a", *states, "empty")
    yield hostile("arrows.srt", b"-->" * 500_000 + b"\na\n", *states, "corrupt", "empty")
    yield hostile("digits.srt", b"9" * MEGA + b":00:00,000 --> 1\na\n", *states, "corrupt", "empty")
    yield hostile(
        "folds.ics", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a" + b"\n a" * 300_000, *states, "corrupt", "empty"
    )
    yield hostile("mark-alone.ics", b"BEGIN:VEVENT\nSUMMARY:The ferry leaves\n\xef\xbb\xbf", INDEXED)
    yield hostile("begins.ics", b"BEGIN:VCALENDAR\n" * 15_000 + b"SUMMARY:a\n", *states, "corrupt", "empty")
    yield hostile("fields.vcf", b"BEGIN:VCARD\n" + b"NOTE;A=B:a\n" * 100_000, *states, "corrupt", "empty")


def _code() -> Iterator[HostileFile]:
    yield hostile("one-line.js", b"a=1;" * MEGA, INDEXED)
    yield hostile("braces.c", b"{" * 500_000 + b"a", INDEXED)
    yield hostile("comments.java", b"/*" * 500_000 + b"a", INDEXED)
    yield hostile("indents.py", b"".join(b" " * n + b"if a:\n" for n in range(2_000)), INDEXED)
    yield hostile("blanks.py", b"def a():" + b" " * MEGA + b"pass\n" + b"\t" * MEGA, INDEXED)
    yield hostile("anchors.yaml", b"a: &a [1]\n" + b"b: &b [*a, *a, *a]\n" * 15_000, INDEXED)
    yield hostile("sections.ini", b"[" * MEGA + b"\na=b\n", INDEXED)
    yield hostile("signature.cpp", b"void a(" + b"int b, " * 200_000, INDEXED)
