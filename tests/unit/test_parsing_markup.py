"""reStructuredText, AsciiDoc and TeX."""

import pytest

from ingest.parsing.asciidoc import parse_asciidoc
from ingest.parsing.rst import parse_rst
from ingest.parsing.tex import parse_tex
from tests.unit.parsed_parts import Parser, read

RST = """\
.. _top:

=====
Tides
=====

See :ref:`the moon <moon>`, `a site <https://x.example>`_ and ``code``.
Escaped\\_name.

Springs
-------

.. note:: Twice a month,
   at new and full moon.

.. code-block:: python
   :linenos:

   # no heading
   x = 1

     y = 2

Run this::

    make

.. image:: moon.png
   :alt: hidden

.. hidden comment
   hidden too

=====  =====
Place  Range
=====  =====
Ulm    0.0
=====  =====

Neaps
-----
* one
1. two
"""


def test_restructured_text_becomes_markdown() -> None:
    reading = read(parse_rst, RST)
    assert reading.document.title == "Tides"
    assert reading.headings == [("Tides",), ("Tides", "Springs"), ("Tides", "Neaps")]
    assert "See the moon, a site and `code`.\nEscaped_name." in reading.text
    assert "note: Twice a month," in reading.text
    assert "at new and full moon." in reading.text
    assert "```\n\n   # no heading" not in reading.text
    assert "```\n   # no heading\n   x = 1\n\n     y = 2\n" in reading.text
    assert "Run this:\n" in reading.text
    assert "```\n    make\n" in reading.text
    assert "Place  Range\nUlm    0.0" in reading.text
    assert reading.lines[-3:] == ["## Neaps", "- one", "- two"]
    assert "hidden" not in reading.text
    assert "linenos" not in reading.text


ASCIIDOC = """\
= Tides
Ann B
:toc:

A https://x.example[site], <<moon,the moon>> and btn:[OK].

[source,python]
----
# no heading
----

== Springs

.How high
[cols="1,^2"]
|===
|Place |Range

|Ulm
|0.0
|Kiel a|1.1
|Bonn |2.2|
|Mainz |3.3
|===

////
hidden
////
// hidden
image::hidden.png[]

* one
** two
. three

Neaps
-----
Low.
"""


def test_asciidoc_becomes_markdown() -> None:
    reading = read(parse_asciidoc, ASCIIDOC)
    assert reading.document.title == "Tides"
    assert reading.headings == [("Tides",), ("Tides", "Springs"), ("Tides", "Neaps")]
    assert "A site, the moon and OK." in reading.text
    assert "```\n# no heading\n```" in reading.text
    assert "How high" in reading.text
    assert (
        "| Place | Range |\n| --- | --- |\n| Ulm | 0.0 |\n| Kiel | 1.1 |\n| Bonn | 2.2 |\n| Mainz | 3.3 |\n"
        in reading.text
    )
    assert "- one\n  - two\n1. three" in reading.text
    assert "hidden" not in reading.text


TEX = r"""
\documentclass{article}
\newcommand{\hidden}[1]{\textbf{#1}}
\title{On the \emph{range} of tides}
\begin{document}
% hidden
Sch\"on~\cite{hidden}, 25\% of \$5 --- ``really''\footnote{Not \textit{always}.}.
\section[hidden]{Springs\label{hidden}}
Let $f''(x) = \frac{a}{b}$.
\begin{equation}
\begin{aligned} a &= b \end{aligned}
\end{equation}
\begin{verbatim}
\section{kept} % as it is
\end{verbatim}
\begin{tabular}{l|c}
Place & Range \\ \hline
\multicolumn{2}{c}{Ulm} \\
\end{tabular}
\begin{itemize}
\item one
\end{itemize}
\subsection*{Neaps}
See \href{http://hidden.example}{the site}.
\end{document}
"""


def test_tex_becomes_markdown() -> None:
    reading = read(parse_tex, TEX)
    title = "On the range of tides"
    assert reading.document.title == title
    assert reading.headings == [(title,), (title, "Springs"), (title, "Springs", "Neaps")]
    assert "Schön , 25% of $5 — “really” (Not always.)." in reading.text
    assert "Let $f''(x) = \\frac{a}{b}$." in reading.text
    assert "\\begin{equation}\n\\begin{aligned} a &= b \\end{aligned}\n\\end{equation}" in reading.text
    assert "```\n\\section{kept} % as it is\n```" in reading.text
    assert "Place | Range\nUlm\n- one" in reading.text
    assert "See the site." in reading.text
    assert "hidden" not in reading.text


@pytest.mark.parametrize("parser", [parse_rst, parse_asciidoc, parse_tex])
@pytest.mark.parametrize(
    "broken", ["::\n  never", "----\nnever", "|===\n|never", "\\begin{verbatim}\nnever", "{never", "$never"]
)
def test_what_is_never_closed_is_kept(parser: Parser, broken: str) -> None:
    assert "never" in read(parser, f"text\n\n{broken}").text


@pytest.mark.parametrize("parser", [parse_rst, parse_asciidoc, parse_tex])
@pytest.mark.parametrize(
    "piece",
    [
        "`",
        ":a:`",
        " ",
        "=",
        "=- ",
        "<<",
        "[[",
        "link:x[",
        "|",
        "``a",
        "{",
        "\\section{",
        "$",
        "\\'",
        "\\begin{a}",
        "x\n",
    ],
)
def test_marks_without_end_are_read_in_reasonable_time(parser: Parser, piece: str) -> None:
    read(parser, "x\n" + piece * (50_000 // len(piece)) + "\nend")
