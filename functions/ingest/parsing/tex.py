"""TeX and LaTeX: sections and words as Markdown, formulas as they are written."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.parsing.document import ParsedDocument
from ingest.parsing.markup import heading, parse_markup
from ingest.parsing.readable import Readable
from ingest.parsing.tex_commands import ACCENTS, ARGUMENTS, CODE, LETTERS, LEVELS, MATHS, SYMBOLS, TABLES, TYPOGRAPHY

_MAX_PARAGRAPH = 1 << 15  # characters; a longer one is given out in parts

_COMMENT = re.compile(r"(?<!\\)%.*")
_BEGIN_CODE = re.compile(r"\s*\\begin\{(\w+)\*?\}")
_TOKEN = re.compile(r"\\([a-zA-Z@]+)\*?[ \t]*|\\(.)|(\$\$?|[{}\[\]&~])|[^\\{}\[\]$&~]+|\\")


def parse_tex(content: Readable) -> ParsedDocument:
    """The title is the document's, else the first chapter's. The preamble is left out."""
    return parse_markup(content, _to_markdown)


def _to_markdown(lines: Iterator[str]) -> Iterator[str]:
    walk = _Walk()
    code_end = ""
    in_preamble = False
    for line in lines:
        if code_end:
            is_end = line.strip().startswith(code_end)
            yield "```\n" if is_end else line
            code_end = "" if is_end else code_end
        elif (code := _BEGIN_CODE.match(line)) and code[1] in CODE:
            yield from walk.end_paragraph()
            yield "```"
            code_end = f"\\end{{{code[1]}"
        else:
            plain = _COMMENT.sub("", line)
            in_preamble = (in_preamble or "\\documentclass" in plain) and "\\begin{document}" not in plain
            if not in_preamble or plain.lstrip().startswith(("\\title", "\\author")):
                yield from walk.read(plain, is_comment=bool(line.strip()) and not plain.strip())
    yield from walk.end_paragraph()
    if code_end:
        yield "```"


@dataclass(slots=True)
class _Group:
    """What stands between braces. ``further`` are the kinds of the groups that are to follow it."""

    kind: str = ""
    further: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)


class _Walk:
    """Goes from token to token. Text is collected in the innermost group, and what kind it is decides at its end."""

    def __init__(self) -> None:
        self._groups: list[_Group] = [_Group()]
        self._size = 0
        self._awaited: list[str] = []  # the kinds of the groups that are to follow as arguments
        self._after_command = False
        self._in_options = False
        self._accent = ""
        self._maths = ""  # the token that ends the formula
        self._depth = 0  # of environments within the formula

    def read(self, line: str, *, is_comment: bool) -> Iterator[str]:
        """A line without its comment; one that is nothing else ends no paragraph."""
        if not line.strip():
            if not is_comment:
                yield from self.end_paragraph()
            return
        for token in _TOKEN.finditer(line):
            if self._maths:
                self._within_maths(token)
            else:
                yield from self._token(token)
        self._write("\n")
        if self._size > _MAX_PARAGRAPH:
            yield from self.end_paragraph()

    def end_paragraph(self) -> Iterator[str]:
        """Also ends the groups that are open: no argument goes on behind a blank line."""
        text = "".join(part for group in self._groups if group.kind != "drop" for part in group.parts)
        self._groups = [_Group()]
        self._size = 0
        self._awaited, self._after_command, self._in_options, self._maths, self._accent = [], False, False, "", ""
        lines = [" ".join(line.split()) for line in text.split("\n")]
        if any(lines):
            yield "\n".join(filter(None, lines)) + "\n"

    def _write(self, text: str) -> None:
        if self._accent and text.strip():
            text = unicodedata.normalize("NFC", text[0] + self._accent) + text[1:]
            self._accent = ""
        self._groups[-1].parts.append(text)
        self._size += len(text)

    def _token(self, token: re.Match[str]) -> Iterator[str]:
        name, symbol, mark = token.groups()
        if self._in_options:
            self._in_options = mark != "]"
        elif mark == "[" and self._after_command:
            self._in_options = True
        elif mark == "{":
            kind, *further = self._awaited or [""]
            self._groups.append(_Group(kind, further))
            self._awaited, self._after_command = [], False
        elif mark == "}":
            yield from self._end_group()
        elif name:
            yield from self._command(name)
        elif symbol:
            self._symbol(symbol)
        elif mark in {"$", "$$"}:
            self._begin_maths(mark, mark)
        elif token[0].strip() or not self._after_command:
            self._awaited, self._after_command = [], False
            self._write(_plain(token[0]))

    def _command(self, name: str) -> Iterator[str]:
        self._awaited, self._after_command = list(ARGUMENTS.get(name, ())), True
        if name in LEVELS:
            self._awaited = [name]
        elif name in {"item", "bibitem"}:
            self._write("\n- ")
        elif name in LETTERS:
            self._write(LETTERS[name])
        elif name in ACCENTS:
            self._accent = ACCENTS[name]
        elif name == "par":
            yield from self.end_paragraph()

    def _symbol(self, symbol: str) -> None:
        self._awaited, self._after_command = [], False
        if symbol in "([":
            self._begin_maths(f"\\{symbol}", "\\)" if symbol == "(" else "\\]")
        elif symbol in ACCENTS:
            self._accent = ACCENTS[symbol]
        elif symbol == "\\":
            self._write("\n")
            self._after_command = True
        else:
            self._write(SYMBOLS.get(symbol, symbol))

    def _end_group(self) -> Iterator[str]:
        if len(self._groups) == 1:
            return
        group = self._groups.pop()
        self._awaited, self._after_command = group.further, bool(group.further)
        kind, text = group.kind, "".join(group.parts)
        if kind in LEVELS:
            yield from self.end_paragraph()
            yield f"\n{heading(LEVELS[kind], ' '.join(text.split()))}\n"
        elif kind == "begin" and text.rstrip("*") in MATHS:
            self._begin_maths(f"\\begin{{{text}}}", "\\end")
        elif kind == "begin":
            self._awaited, self._after_command = ["drop"] if text.rstrip("*") in TABLES else [], True
        elif kind == "note":
            self._write(f" ({text.strip()})")
        elif kind == "":
            self._write(text)

    def _begin_maths(self, begin: str, end: str) -> None:
        self._write(begin)
        self._maths, self._depth = end, 0

    def _within_maths(self, token: re.Match[str]) -> None:
        self._write(token[0])
        if self._maths != "\\end":
            self._maths = "" if token[0].rstrip() == self._maths else self._maths
        elif token[1] == "begin":
            self._depth += 1
        elif token[1] == "end":
            self._depth -= 1
            if self._depth < 0:
                self._maths = "}"


def _plain(text: str) -> str:
    for mark, character in TYPOGRAPHY:
        text = text.replace(mark, character)
    return text
