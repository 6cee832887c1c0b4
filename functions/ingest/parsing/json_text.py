"""JSON and JSON Lines: every value on a line of its own below the path of names that leads to it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import skip
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile, without_unwanted

MAX_DEPTH = 100
"""Values within one another. A path gets longer with each, and stands before every value."""

MAX_LINE = 64 << 20
"""Characters of one record of JSON Lines."""

GROUP_CHARACTERS = 1200
"""Of the records in one block, about: a chunk of the usual size then holds whole records."""

_MAX_NAME = 80  # characters of a name within a path
_MAX_BLOCK = 1 << 22  # characters
_MAX_WORD = 4096  # characters of ASCII without a space; what is longer is data, such as a picture
_LONGEST_REST = 3  # characters of a number that may yet follow: a point or an exponent that was cut off, as in "1e+"
_SPACE = re.compile(r"[ \t\n\r]*")

# Numbers stay as they are written: 1.10 does not become 1.1, and one of a million digits takes no time.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def parse_json(content: Readable) -> ParsedDocument:
    """One block for each name of an object, and groups of an array's records, with their numbers as rows.

    An array is read as a stream. Raises ``UnreadableDocument``: corrupt, or too_complex beyond ``MAX_DEPTH``.
    """
    text = TextFile.survey(content)
    return ParsedDocument(_json_blocks(text), separator="\n\n")


def parse_json_lines(content: Readable) -> ParsedDocument:
    """Groups of records, with their lines' numbers as rows. Lines that are no JSON are named as skipped."""
    parsed = ParsedDocument(iter(()), separator="\n\n")
    parsed.blocks = _grouped(_records(TextFile.survey(content), parsed))
    return parsed


def decode(text: str) -> Any:
    """A whole text of JSON. Raises ``UnreadableDocument``: corrupt or too_complex."""
    window = _Window(iter([text]))
    window.skip_space()
    value = window.value()
    window.expect_end()
    return value


def _json_blocks(text: TextFile) -> Iterator[Block]:
    window = _Window(text.pieces())
    if window.skip_space() == "[":
        yield from _grouped(enumerate(window.elements(), start=1))
    else:
        value = window.value()
        yield from _members(value) if isinstance(value, dict) else _cut("\n".join(_lines(value)), Place())
    window.expect_end()


def _members(value: dict[str, Any]) -> Iterator[Block]:
    plain: list[str] = []
    for name, member in value.items():
        path = _named("", name)
        if not isinstance(member, dict | list):
            plain.extend(_lines(member, path))
            continue
        yield from _cut("\n".join(plain), Place())
        plain.clear()
        if isinstance(member, list) and any(isinstance(record, dict | list) for record in member):
            yield from _grouped(enumerate(member, start=1), path)
        else:
            yield from _cut("\n".join(_lines(member, path)), Place(heading=(path,)))
    yield from _cut("\n".join(plain), Place())


def _records(text: TextFile, parsed: ParsedDocument) -> Iterator[tuple[int, Any]]:
    """Raises ``UnreadableDocument`` (corrupt) when no line is JSON."""
    are_any = False
    for number, line in enumerate(text.lines(most_characters=MAX_LINE), start=1):
        if not line.strip():
            continue
        try:
            yield number, decode(line)
            are_any = True
        except UnreadableDocument as problem:
            if problem.reason is not FailureReason.CORRUPT:
                raise
            skip(parsed, f"line {number}: it is no JSON")
    if parsed.skipped and not are_any:
        raise _corrupt()


def _grouped(records: Iterable[tuple[int, Any]], name: str = "") -> Iterator[Block]:
    """Records with their numbers, together as long as they are short. ``name`` is that of their array."""
    heading = (name,) if name else ()
    group: list[str] = []
    size = first = last = 0
    for number, record in records:
        text = "\n".join(_lines(record, f"{name}[{number}]" if name else ""))
        if group and size + len(text) > GROUP_CHARACTERS:
            yield from _cut("\n\n".join(group), Place(heading=heading, rows=(first, last)))
            group, size = [], 0
        if text:
            first = first if group else number
            last = number
            group.append(text)
            size += len(text)
    yield from _cut("\n\n".join(group), Place(heading=heading, rows=(first, last)))


def _cut(text: str, place: Place) -> Iterator[Block]:
    for start in range(0, len(text), _MAX_BLOCK):
        yield Block(text[start : start + _MAX_BLOCK], place)


def _lines(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """``path: value`` for every value but null and the empty ones; an array of plain values is one line."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _lines(member, _named(path, name), depth + 1)
    elif isinstance(value, list):
        if any(isinstance(member, dict | list) for member in value):
            for number, member in enumerate(value, start=1):
                yield from _lines(member, f"{path}[{number}]", depth + 1)
        elif shown := ", ".join(filter(None, map(_shown, value))):
            yield _line(path, shown)
    elif shown := _shown(value):
        yield _line(path, shown)


def _named(path: str, name: str) -> str:
    return f"{path}.{_short(name)}" if path else _short(name)


def _short(name: str) -> str:
    return " ".join(without_unwanted(name).split())[:_MAX_NAME]


def _line(path: str, shown: str) -> str:
    return f"{path}: {shown}" if path else shown


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = without_unwanted(str(value)).strip()  # an escape may stand for NUL or for half a character
    return "" if len(text) > _MAX_WORD and text.isascii() and not _has_space(text[:_MAX_WORD]) else text


def _has_space(text: str) -> bool:
    return len(text.split(maxsplit=1)) > 1


class _Window:
    """A text of JSON that is read on as its values need it, and forgotten behind them."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._position = 0

    def skip_space(self) -> str:
        """The next character that is not white space; nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_on(1):
                return ""

    def value(self) -> Any:
        """Raises ``UnreadableDocument``: corrupt or too_complex."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._position)
            except ValueError as error:
                # To read twice as much each time keeps the work in proportion to the text.
                if not self._read_on(len(self._text) - self._position):
                    raise _corrupt() from error
            except RecursionError as error:
                raise _too_deep() from error
            else:
                if end + _LONGEST_REST > len(self._text) and self._read_on(end - self._position):
                    continue
                self._position = end
                return value

    def elements(self) -> Iterator[Any]:
        self._position += 1
        if self.skip_space() != "]":
            yield self.value()
            while self.skip_space() == ",":
                self._position += 1
                self.skip_space()
                yield self.value()
        if self.skip_space() != "]":
            raise _corrupt()
        self._position += 1

    def expect_end(self) -> None:
        if self.skip_space():
            raise _corrupt()

    def _read_on(self, least: int) -> bool:
        """Whether there was more; reads ``least`` characters or to the end."""
        texts: list[str] = []
        read = 0
        while read < max(least, 1) and (piece := next(self._pieces, None)) is not None:
            texts.append(piece)
            read += len(piece)
        if texts:
            self._text = "".join([self._text[self._position :], *texts])
            self._position = 0
        return bool(texts)


def _corrupt() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, "The file is no valid JSON. Mend it, or name it .txt to have it indexed as plain text."
    )


def _too_deep() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_COMPLEX, f"The JSON is nested more than {MAX_DEPTH} deep. Save it in a simpler form."
    )
