"""The search for files that parsers stumble over, as a program."""

import importlib.util

import pytest

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import Parts
from ingest.parsing.readable import Readable
from tests.fuzz import parsers
from tests.fuzz.entry import PARSERS, members_of, packed, sample_of, try_parser


def test_without_atheris_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["parsers", "PDF"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert parsers.main() == 2
    assert "pip install atheris" in capsys.readouterr().err


@pytest.mark.parametrize("kind", PARSERS)
def test_a_sample_is_a_document_as_it_should_be(kind: str) -> None:
    try_parser(kind, sample_of(kind))


def test_a_container_is_taken_apart_and_put_together_again() -> None:
    members = members_of(sample_of("Word"))
    assert "word/document.xml" in members
    assert members_of(packed(members)) == members
    assert members_of(b"no container") == members_of(b"PK\3\4damaged") == {}


@pytest.mark.parametrize("text", ["nul \0", "half \ud800"])
def test_a_text_that_no_database_takes_is_found(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def parse(_content: Readable, _parts: Parts) -> ParsedDocument:
        return ParsedDocument(iter([Block(text, Place())]), separator="")

    monkeypatch.setitem(PARSERS, "plain text", parse)
    with pytest.raises((AssertionError, UnicodeEncodeError)):
        try_parser("plain text", b"anything")
