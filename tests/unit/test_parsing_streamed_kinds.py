"""Kinds that can be large are read as streams: what is held does not grow with the document."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.parsing.asciidoc import parse_asciidoc
from ingest.parsing.delimited import parse_csv
from ingest.parsing.document import ParsedDocument
from ingest.parsing.json_text import parse_json, parse_json_lines
from ingest.parsing.mbox import parse_mbox
from ingest.parsing.rst import parse_rst
from ingest.parsing.source_code import parse_code
from ingest.parsing.subtitles import parse_subtitles
from ingest.parsing.tex import parse_tex
from tests.unit.parsed_parts import parts

SMALL, LARGE = 700_000, 1_500_000  # bytes
TOLERANCE = 150_000
WORDS = "the ferry leaves at noon " * 8


@pytest.mark.parametrize(
    ("parse", "beginning", "part", "end"),
    [
        pytest.param(parse_csv, "name,note\n", f"Ann,{WORDS}\n", "", id="csv"),
        pytest.param(parse_json_lines, "", f'{{"note": "{WORDS}"}}\n', "", id="jsonl"),
        pytest.param(parse_json, "[0", f', {{"note": "{WORDS}"}}', "]", id="array"),
        pytest.param(
            parse_subtitles, "WEBVTT\n\n", f"00:00.000 --> 00:01.000\n{WORDS}\nand back\n\n", "", id="one time"
        ),
        pytest.param(parse_code, "", f"{WORDS}\n", "", id="code"),
        pytest.param(parse_rst, "Title\n=====\n", f"{WORDS}\n\n", "", id="rst"),
        pytest.param(parse_asciidoc, "= Title\n|===\n|a |b\n", f"|{WORDS} |c\n", "", id="asciidoc table"),
        pytest.param(parse_tex, "\\section{A}\n", f"{WORDS}\n", "", id="tex"),
        pytest.param(
            lambda content: parse_mbox(content, parts()), "", f"From ann Mon\nSubject: x\n\n{WORDS}\n\n", "", id="mbox"
        ),
    ],
)
def test_no_more_memory_is_held_of_a_longer_document(
    tmp_path: Path, parse: Callable[[Path], ParsedDocument], beginning: str, part: str, end: str
) -> None:
    path = tmp_path / "object"

    def peak(size: int) -> int:
        path.write_text(beginning + part * (size // len(part)) + end, encoding="utf-8")
        tracemalloc.start()
        try:
            assert sum(len(block.text) for block in parse(path).blocks) > size / 2
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(SMALL)  # what is remembered between documents
    assert peak(LARGE) < peak(SMALL) + TOLERANCE
