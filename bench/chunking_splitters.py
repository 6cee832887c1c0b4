"""Splitters of Markdown files that are compared: ours, and two that are in common use."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from bench.chunking_spans import Span
from ingest.chunking import Chunker
from ingest.parsing.markdown import parse_markdown
from ingest.parsing.text import without_unwanted
from ingest.tokens import CountedText

Splitter = Callable[[Path], list[Span]]
"""A file's chunks, as spans of what ``corpus_text`` gives, in a document of the name of the file without its suffix."""

Range = tuple[int, int]

_SEPARATORS = ("\n\n", "\n", ".", "?", "!", " ", "")
_WORD = re.compile(r"\s*\S+")


def corpus_text(path: Path) -> str:
    """The text in which references have their positions: line ends are line feeds."""
    return path.read_text(encoding="utf-8")


def own(chunker: Chunker) -> Splitter:
    """The parser and the chunker of ingest."""

    def split(path: Path) -> list[Span]:
        kept = _kept_positions(path)
        chunks = chunker.split(parse_markdown(path))
        return [Span(path.stem, kept[chunk.start], kept[chunk.end - 1] + 1) for chunk in chunks]

    return split


def _kept_positions(path: Path) -> list[int]:
    """For each character of the parsed text its position in the file.

    All that the parser does to a file of UTF-8 is to drop some characters; otherwise ``ValueError`` is raised.
    """
    text = corpus_text(path)
    kept = [position for position, character in enumerate(text) if without_unwanted(character)]
    if "".join(text[position] for position in kept) != "".join(block.text for block in parse_markdown(path).blocks):
        raise ValueError(f"the parsed text of {path.name} has other characters than the file")
    return kept


def fixed(max_tokens: int) -> Splitter:
    """As many words as have no more tokens, without overlap."""

    def split(path: Path) -> list[Span]:
        text = corpus_text(path)
        counted = CountedText(text)
        cuts = [0]
        end = 0
        for word in _WORD.finditer(text):
            if end > cuts[-1] and counted.count(cuts[-1], word.end()) > max_tokens:
                cuts.append(end)
            end = word.end()
        return [Span(path.stem, start, end) for start, end in pairwise([*cuts, len(text)])]

    return split


def recursive(max_tokens: int) -> Splitter:
    """What LangChain's ``RecursiveCharacterTextSplitter`` does with lengths in tokens, these separators, no overlap."""

    def split(path: Path) -> list[Span]:
        text = corpus_text(path)
        return [Span(path.stem, start, end) for start, end in _Recursive(text, max_tokens).chunks()]

    return split


class _Recursive:
    def __init__(self, text: str, max_tokens: int) -> None:
        self._text = text
        self._counted = CountedText(text)
        self._max_tokens = max_tokens

    def chunks(self) -> Iterator[Range]:
        """Each without the white space around it."""
        for start, end in self._split((0, len(self._text)), _SEPARATORS):
            chunk = self._text[start:end]
            if chunk.strip():
                yield end - len(chunk.lstrip()), start + len(chunk.rstrip())

    def _split(self, whole: Range, separators: tuple[str, ...]) -> Iterator[Range]:
        part = self._text[slice(*whole)]
        level, separator = next((level, each) for level, each in enumerate(separators) if each in part)
        short: list[Range] = []
        for piece in self._pieces(whole, separator):
            if self._tokens(piece) < self._max_tokens:
                short.append(piece)
                continue
            yield from self._merged(short)
            short.clear()
            yield from self._split(piece, separators[level + 1 :]) if separator else [piece]
        yield from self._merged(short)

    def _pieces(self, whole: Range, separator: str) -> Iterator[Range]:
        """The stretches that begin with the separator, and what stands before the first of them."""
        start, end = whole
        found = re.finditer(re.escape(separator), self._text[start:end])
        cuts = [start, *(start + match.start() for match in found), end]
        return (piece for piece in pairwise(cuts) if piece[0] < piece[1])

    def _merged(self, pieces: list[Range]) -> Iterator[Range]:
        """Neighbours together, as long as the sum of their tokens allows it."""
        begun: Range | None = None
        total = 0
        for piece in pieces:
            tokens = self._tokens(piece)
            if begun and total + tokens <= self._max_tokens:
                begun, total = (begun[0], piece[1]), total + tokens
                continue
            if begun:
                yield begun
            begun, total = piece, tokens
        if begun:
            yield begun

    def _tokens(self, piece: Range) -> int:
        return self._counted.count(*piece)
