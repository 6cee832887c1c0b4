"""What TeX's commands mean for a text."""

LEVELS = {
    "title": 1, "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5,
    "subparagraph": 6,
}  # fmt: skip
"""Of headings."""

_ONE_NOT_SHOWN = """
    label ref eqref pageref autoref cref Cref vref nameref cite citep citet citealp citeauthor citeyear parencite
    textcite autocite footcite nocite includegraphics input include bibliography bibliographystyle usepackage
    addbibresource documentclass vspace hspace pagestyle thispagestyle hypersetup graphicspath index color pagecolor
    pagenumbering cline cmidrule hyphenation selectlanguage setcitestyle phantomsection
"""
_TWO_NOT_SHOWN = """
    setlength addtolength setcounter addtocounter newcommand renewcommand providecommand newtheorem fontsize
    DeclareMathOperator
"""
ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_ONE_NOT_SHOWN.split(), ("drop",)),
    **dict.fromkeys(_TWO_NOT_SHOWN.split(), ("drop", "drop")),
    "definecolor": ("drop", "drop", "drop"),
    "newenvironment": ("drop", "drop", "drop"),
    "multicolumn": ("drop", "drop", ""),
    "multirow": ("drop", "drop", ""),
    "href": ("drop", ""),
    "textcolor": ("drop", ""),
    "footnote": ("note",),
    "bibitem": ("drop",),
    "begin": ("begin",),
    "end": ("drop",),
}
"""What becomes of a command's arguments, where they are not simply text."""

CODE = {"verbatim", "Verbatim", "lstlisting", "minted", "alltt"}
MATHS = {"equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign"}
TABLES = {"tabular", "tabularx", "longtable", "array", "minipage", "wrapfigure", "thebibliography"}
"""Environments with an argument that says how wide something is."""

# Combining characters: what TeX writes before a letter, Unicode has behind it.
ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323",
}  # fmt: skip
LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł",
    "L": "Ł", "i": "i", "j": "j", "ldots": "...", "dots": "...", "textbackslash": "\\", "textasciitilde": "~",
    "LaTeX": "LaTeX", "TeX": "TeX", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "euro": "€",
    "textendash": "–", "textemdash": "—", "quad": " ", "qquad": " ", "newline": "\n", "tabularnewline": "\n",
}  # fmt: skip
SYMBOLS = {",": " ", ";": " ", ":": " ", "-": "", "/": "", "!": "", "@": ""}
TYPOGRAPHY = (("&", " | "), ("~", " "), ("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"))
