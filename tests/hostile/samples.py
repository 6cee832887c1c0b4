"""A file of each kind as people have them, and words that its text must hold."""

import json
from dataclasses import dataclass

from tests.hostile.mails import mixed
from tests.hostile.zips import GOOD
from tests.unit.make_msg import make_ole
from tests.unit.make_office import cell, docx, odf, paragraph, pptx, shape, sheet_rows, slide, xlsx, zipped
from tests.unit.make_pdf import make_pdf
from tests.unit.test_parsing_epub import make_epub
from tests.unit.test_parsing_office_97 import doc, ppt
from tests.unit.test_parsing_outlook import attachment, mail


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    content: bytes
    words: tuple[str, ...] = ("ferry", "noon")


HTML = (
    "<!DOCTYPE html><html><head><title>Pier</title></head>"
    f"<body><h1>Pier</h1><p>{GOOD}</p><ul><li>One</ul></body></html>"
)
MAIL = mixed(
    b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    b"The ferry leaves at no=\non.",
    b"Content-Type: text/csv; name=times.csv\nContent-Disposition: attachment; filename=times.csv\n\n"
    b"pier,time\nNorth,12\n",
)
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# Pier\n", GOOD]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ],
    "metadata": {"kernelspec": {"language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:The ferry leaves\r\nDTSTART:20260312T120000Z\r\n"
    "DESCRIPTION:At noon\\, from the pier.\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
TABLE = (
    paragraph("Pier", '<w:pStyle w:val="Heading1"/>')
    + paragraph(GOOD)
    + (
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>North</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>12</w:t></w:r></w:p></w:tc>"
        "</w:tr></w:tbl>"
    )
)
MSG = mail(**{"__attach_version1.0_#00000000": attachment("times.csv", b"pier,time\n" + b"North,noon\n" * 400)})


def _text(name: str, text: str, *words: str) -> Sample:
    return Sample(name, text.encode(), words or ("ferry", "noon"))


SAMPLES: dict[str, Sample] = {
    "plain text": _text("plain.txt", f"Grüße!\n\n{GOOD}\n" * 9),
    "Markdown": _text(
        "page.md", f"---\ntitle: Pier\n---\n# Pier\n\n{GOOD}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n"
    ),
    "HTML": _text("page.html", HTML),
    "PDF": Sample(
        "pages.pdf", make_pdf([[GOOD, "From the pier."], ["Page two has some words, too."]], title="Pier times")
    ),
    "Word": Sample("word.docx", docx(TABLE)),
    "Word 97": Sample("word97.doc", doc(f"Pier\r{GOOD}\rNorth\x0712\x07\x07", latin=9)),
    "PowerPoint": Sample(
        "slides.pptx", pptx({"s1": slide(shape("Pier", kind="title"), shape(GOOD)), "s2": slide(shape("End"))})
    ),
    "PowerPoint 97": Sample("slides97.ppt", ppt(), ("Plan", "first")),
    "spreadsheet": Sample(
        "book.xlsx",
        xlsx({"Ferry": sheet_rows(["Pier", "Time"], ["North", "noon"], ["South", 1.5]), "Two": cell("A1", 1)}),
        ("Pier", "noon"),
    ),
    "OpenDocument text": Sample(
        "text.odt", odf("text", f'<text:h text:outline-level="1">Pier</text:h><text:p>{GOOD}</text:p>')
    ),
    "OpenDocument presentation": Sample(
        "slides.odp",
        odf(
            "presentation",
            f"<draw:page><draw:frame><draw:text-box><text:p>{GOOD}</text:p></draw:text-box></draw:frame></draw:page>",
        ),
    ),
    "RTF": _text(
        "text.rtf",
        "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}\\f0 The ferry \\b leaves\\b0  at noon.\\par Caf\\'e9 \\u8364?\\par}",
    ),
    "EPUB": Sample("book.epub", make_epub(["a", "b"]), ("Springs", "Neaps")),
    "mail": Sample("mail.eml", MAIL),
    "mailbox": Sample("mails.mbox", b"".join(b"From ann Mon Mar 12 12:00:00 2026\n" + MAIL + b"\n" for _ in range(3))),
    "Outlook mail": Sample("mail.msg", make_ole(MSG), ("Ferry", "noon")),
    "calendar or contacts": _text("times.ics", CALENDAR, "ferry", "noon"),
    "archive": Sample("files.zip", zipped({"a.txt": GOOD, "b/c.md": "# Pier\n\nNorth", "mail.eml": MAIL})),
    "CSV": _text("times.csv", "ferry,time\n" + 'Ann,noon\nBob,"one, two"\n' * 20),
    "TSV": _text("times.tsv", "ferry\ttime\n" + "Ann\tnoon\n" * 20),
    "JSON": _text(
        "pier.json", json.dumps({"ferry": {"time": "noon", "piers": ["North", 2, None, 1.5e3, {"a": "é"}]}}, indent=1)
    ),
    "JSON Lines": _text("pier.jsonl", '{"ferry": "Ann", "time": "noon"}\n' * 20),
    "XML": _text(
        "pier.xml",
        f'<?xml version="1.0"?>\n<pier name="North"><ferry id="1">{GOOD}</ferry><!-- c --><![CDATA[a<b]]></pier>',
    ),
    "notebook": _text("work.ipynb", json.dumps(NOTEBOOK)),
    "reStructuredText": _text(
        "page.rst",
        f"Pier\n====\n\n{GOOD} :ref:`a`\n\n+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n\n"
        ".. code::\n\n   x = 1\n",
    ),
    "AsciiDoc": _text(
        "page.adoc", f"= Pier\n:author: Ann\n\n== North\n\n{GOOD}\n\n|===\n|a |b\n\n|1 |2\n|===\n\n----\ncode\n----\n"
    ),
    "TeX": _text(
        "page.tex",
        f"\\documentclass{{article}}\\begin{{document}}\\section{{Pier}}\n{GOOD} $a^2$ % no\n"
        "\\begin{tabular}{ll}a & b \\\\ 1 & 2\\end{tabular}\\end{document}",
    ),
    "subtitles": _text(
        "film.vtt",
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ann>The ferry leaves\n\n"
        "00:00:02.000 --> 00:00:03.000\nat noon\n",
    ),
    "source code": _text(
        "pier.py",
        '"""The ferry leaves."""\n\n\ndef time() -> str:\n    """At noon."""\n    return "noon"\n\n\n'
        "class Pier:\n    pass\n",
    ),
    "source code of C's family": _text("pier.c", "/* The ferry leaves at noon. */\nint main(void) {\n  return 0;\n}\n"),
    "settings": _text("pier.yaml", "ferry:\n  time: noon\n  piers: [north, south]\n"),
}
