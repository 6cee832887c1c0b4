"""Jupyter notebooks: what their cells and outputs say, as Markdown."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import ParsedDocument
from ingest.parsing.json_text import decode
from ingest.parsing.markdown import MOST_LINE_CHARACTERS, markdown_blocks
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile, clean

_MAX_OUTPUT = 20_000  # characters of one output; what is longer is a log, or data
_HEADING_LEVELS = {str(level): level for level in range(1, 7)}
_ESCAPE = re.compile("\x1b?\\[[0-9;]*[mK]")  # colours of a terminal; the escape character itself may be gone
_FENCE = re.compile("`{3,}")
_PICTURE = re.compile(r"\(data:[^()\s]*\)")  # within the text, in base64

_Kind = TypeVar("_Kind")


def parse_notebook(content: Readable) -> ParsedDocument:
    """Cells in order: Markdown as it is, code and its outputs of text in code blocks; pictures are left out.

    Raises ``UnreadableDocument``: corrupt or too_complex.
    """
    notebook = decode("".join(TextFile.survey(content).pieces()))
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = markdown_blocks(_lines(_cells(notebook), _language(notebook)), parsed)
    return parsed


def _cells(notebook: Any) -> list[dict[str, Any]]:
    found = _field(notebook, "cells", list)
    if found is None:  # before version 4, cells stood in worksheets
        sheets = _field(notebook, "worksheets", list)
        if sheets is None:
            raise UnreadableDocument(
                FailureReason.CORRUPT, "The file is no Jupyter notebook. Open it in Jupyter and save it again."
            )
        found = [cell for sheet in sheets for cell in _field(sheet, "cells", list) or []]
    return [cell for cell in found if isinstance(cell, dict)]


def _language(notebook: Any) -> str:
    metadata = _field(notebook, "metadata", dict)
    name = _field(_field(metadata, "language_info", dict), "name", str)
    return name if name and name.isalnum() else ""


def _lines(cells: list[dict[str, Any]], language: str) -> Iterator[str]:
    for cell in cells:
        source = _text(cell.get("source", cell.get("input")))
        match cell.get("cell_type"):
            case "code":
                yield from _fenced(source, language)
                for output in _field(cell, "outputs", list) or []:
                    yield from _fenced(_output(output)[:_MAX_OUTPUT], "")
            case "heading":
                level = _HEADING_LEVELS.get(str(cell.get("level")), 1)
                yield f"{'#' * level} {' '.join(source.split())}\n\n"
            case _:
                yield from _split(_PICTURE.sub("()", source))
                yield "\n"


def _output(output: Any) -> str:
    """The text of an output in its plainest form."""
    if not isinstance(output, dict):
        return ""
    data = _field(output, "data", dict) or {}
    text = output.get("text") or data.get("text/markdown") or data.get("text/plain")
    error = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}" if output.get("ename") else ""
    return _ESCAPE.sub("", error or _text(text)).strip("\n")


def _fenced(text: str, language: str) -> Iterator[str]:
    if not text.strip():
        return
    fence = "`" * max(3, 1 + max(map(len, _FENCE.findall(text)), default=0))
    yield f"{fence}{language}\n"
    yield from _split(text)
    yield f"{fence}\n\n"


def _split(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        for start in range(0, len(line), MOST_LINE_CHARACTERS):
            yield line[start : start + MOST_LINE_CHARACTERS]
        yield "\n"


def _text(value: Any) -> str:
    """Notebooks keep a text as one string or as a list of its lines."""
    lines = value if isinstance(value, list) else [value]
    return clean("".join(line for line in lines if isinstance(line, str)))


def _field(value: Any, name: str, kind: type[_Kind]) -> _Kind | None:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, kind) else None
