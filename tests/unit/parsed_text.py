"""Parsed documents as wholes: a test looks at all of a text at once, which no pipeline does."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bucketwise.models import PlaceMark
from ingest.parsing import parse
from ingest.parsing.document import Block, ParsedDocument


@dataclass(frozen=True, slots=True)
class WholeDocument:
    """Gives the same document as often as it is asked for. ``marks`` are those of blocks whose place is another."""

    blocks: tuple[Block, ...]
    separator: str = ""
    markdown: bool = False
    title: str | None = None
    pages: int | None = None
    most_tokens: int | None = None

    def document(self) -> ParsedDocument:
        return ParsedDocument(iter(self.blocks), self.separator, self.markdown)

    @property
    def text(self) -> str:
        return self.separator.join(block.text for block in self.blocks if block.text)

    @property
    def marks(self) -> tuple[PlaceMark, ...]:
        marks: list[PlaceMark] = []
        position = 0
        for block in self.blocks:
            if block.text and (not marks or marks[-1].place != block.place):
                marks.append(PlaceMark(position, block.place))
            position += len(block.text) + len(self.separator) if block.text else 0
        return tuple(marks)

    def in_pieces(self, sizes: Iterable[int]) -> "WholeDocument":
        """The same text and marks in blocks of these sizes, which must not run out, without separators."""
        remaining = iter(sizes)
        pieces: list[Block] = []
        blocks = [block for block in self.blocks if block.text]
        for number, block in enumerate(blocks, start=1):
            text = block.text + (self.separator if number < len(blocks) else "")
            while text:
                size = next(remaining)
                pieces.append(Block(text[:size], block.place))
                text = text[size:]
        return WholeDocument(tuple(pieces), "", self.markdown)


def read_whole(path: Path, *, key: str, content_type: str | None = None) -> WholeDocument:
    document = parse(path, key=key, content_type=content_type)
    blocks = tuple(document.blocks)
    return WholeDocument(
        blocks, document.separator, document.markdown, document.title, document.pages, document.most_tokens
    )


def parse_bytes(content: bytes, *, key: str, content_type: str | None = None) -> WholeDocument:
    with TemporaryDirectory() as folder:
        path = Path(folder, "object")
        path.write_bytes(content)
        return read_whole(path, key=key, content_type=content_type)
