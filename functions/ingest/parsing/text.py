"""Plain text: decoded piece by piece, without what no database column takes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper

from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.readable import Readable

_PIECE = 1 << 13  # bytes or characters; larger strings of changing width leave holes in the heap
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff\ufffe\ud800-\udfff]")  # PostgreSQL refuses NUL and surrogates


def parse_text(content: Readable) -> ParsedDocument:
    """Plain text as it is, without places."""
    text = TextFile.survey(content)
    return ParsedDocument(
        blocks=(Block(piece, Place()) for piece in text.pieces()), separator="", most_tokens=text.most_tokens
    )


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text, read clean and in pieces. ``most_tokens`` is an upper bound: a token has at least one byte."""

    content: Readable
    encoding: str
    most_tokens: int

    @classmethod
    def survey(cls, content: Readable) -> "TextFile":
        """Reads the file once, to learn its encoding. Raises ``UnreadableDocument`` (corrupt) if it is no text."""
        survey = ByteSurvey.of(byte_pieces(content))
        return cls(content, survey.encoding(), survey.most_utf8_bytes)

    def pieces(self) -> Iterator[str]:
        with TextIOWrapper(self.content.open("rb"), self.encoding, errors="replace") as file:
            while piece := file.read(_PIECE):
                yield without_unwanted(piece)

    def lines(self, *, most_characters: int) -> Iterator[str]:
        """The lines with their ends. A longer line comes in parts of ``most_characters``."""
        with TextIOWrapper(self.content.open("rb"), self.encoding, errors="replace") as file:
            while line := file.readline(most_characters):
                yield without_unwanted(line)


def byte_pieces(content: Readable) -> Iterator[bytes]:
    with content.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def clean(text: str) -> str:
    """Lines end in LF; other control characters, byte-order marks and lone surrogates are dropped, tabs kept."""
    return without_unwanted(text.replace("\r\n", "\n").replace("\r", "\n"))


def without_unwanted(text: str) -> str:
    return _UNWANTED.sub("", text)
