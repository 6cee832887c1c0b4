"""Rich Text Format, by striprtf, spared what makes that slow or fail."""

import re

from striprtf.striprtf import rtf_to_text

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.properties import believed
from ingest.parsing.readable import Readable
from ingest.parsing.text import clean

_MIN_TEXTLESS = 1000  # bytes; of a larger file without text it is likelier that it was not understood
_INFO_REACH = 1 << 16  # bytes
_BLOCK_CHARACTERS = 1 << 16

_BEGINNING = re.compile(rb"[\s\0\xef\xbb\xbf]*\{\\rtf")
_CODE_PAGE = re.compile(rb"\\ansicpg(\d{3,5})")
_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_OTHER_BINARY = re.compile(rb"\\bin(?=[a-z])")  # such as \binfsxn, a printer's tray: striprtf reads a number behind it
_BRACE = re.compile(rb"[{}]")
_FONT = re.compile(rb"\\f(\d{1,5})[^;{}]{0,100}?\\fcharset(\d{1,3})")
_PICTURE = re.compile(rb"(?:[0-9a-fA-F]{2}\s*){512,}")  # striprtf goes from character to character
_LINK = re.compile(rb"\\fldinst(?=\{)")  # striprtf's search for links is quadratic, and finds none behind a space
_FOOTNOTE = re.compile(rb"\\footnote(?![a-z])")  # striprtf drops it
_INFO = re.compile(rb"\{\\(title|author) ?((?:[^{}\\]|\\[^{}]){1,2000})\}")
_TIME = re.compile(rb"\{\\(creatim|revtim)\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})(?:\\hr(\d{1,2})\\min(\d{1,2}))?")


def parse_rtf(content: Readable) -> ParsedDocument:
    """Text with footnotes where they are called, cells of tables divided by ``|``. The file is held in memory.

    Raises ``UnreadableDocument``: corrupt, also for a file of some size without text.
    """
    source = content.read_bytes()
    if not _BEGINNING.match(source):
        raise _corrupt("no rich text")
    text = rtf_text(source)
    if not text.strip() and len(source) > _MIN_TEXTLESS:
        raise _corrupt("rich text in which no text was found")
    pieces = (text[start : start + _BLOCK_CHARACTERS] for start in range(0, len(text), _BLOCK_CHARACTERS))
    parsed = ParsedDocument((Block(piece, Place()) for piece in pieces), separator="", most_tokens=len(text.encode()))
    _properties(source[:_INFO_REACH], parsed)
    return parsed


def rtf_text(source: bytes) -> str:
    """Raises ``UnreadableDocument`` (corrupt)."""
    source = _with_plain_fonts(source)
    source = _OTHER_BINARY.sub(rb"\\x", _without_binaries(source))
    source = _FOOTNOTE.sub(rb"\\tab", _LINK.sub(rb"\\fldinst ", _PICTURE.sub(b"", source)))
    encoding = _encoding(source)
    try:
        decoded = source.decode(encoding, errors="replace")
        text: str = rtf_to_text(decoded, encoding, errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError, LookupError, TypeError) as error:
        raise _corrupt("damaged") from error
    # A character beyond the first 65,536 is written as two halves.
    return clean(text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace"))


def _without_binaries(source: bytes) -> bytes:
    kept: list[bytes] = []
    start = 0
    while found := _BINARY.search(source, start):
        kept.append(source[start : found.start()])
        start = found.end() + int(found[1])
    return b"".join([*kept, source[start:]])


def _with_plain_fonts(source: bytes) -> bytes:
    """With a table of fonts that holds what striprtf needs: its own pattern for them is quadratic and worse."""
    start = source.find(b"{\\fonttbl")
    if start < 0:
        return source
    depth, end = 0, len(source)
    for brace in _BRACE.finditer(source, start):
        depth += 1 if brace[0] == b"{" else -1
        if not depth:
            end = brace.end()
            break
    fonts = b"".join(b"{\\f%b\\fcharset%b x;}" % font.groups() for font in _FONT.finditer(source, start, end))
    return b"%b{\\fonttbl%b}%b" % (source[:start], fonts, source[end:])


def _encoding(source: bytes) -> str:
    found = _CODE_PAGE.search(source, 0, _INFO_REACH)
    name = f"cp{int(found[1])}" if found else "cp1252"
    try:
        "".encode(name)
    except LookupError:
        return "cp1252"
    return name


def _properties(beginning: bytes, parsed: ParsedDocument) -> None:
    encoding = _encoding(beginning)
    header = rb"{\rtf1\ansicpg" + encoding.removeprefix("cp").encode()
    texts = {found[1]: rtf_text(header + b" " + found[2] + b"}") for found in _INFO.finditer(beginning)}
    times = {found[1]: _iso(found) for found in _TIME.finditer(beginning)}
    believed(
        title=texts.get(b"title"),
        author=texts.get(b"author"),
        created=times.get(b"creatim"),
        modified=times.get(b"revtim"),
    ).write_to(parsed)


def _iso(found: re.Match[bytes]) -> str:
    year, month, day, hour, minute = (int(group or 0) for group in found.groups()[1:])
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00"


def _corrupt(what: str) -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.CORRUPT, f"The file is {what}. Open it in a word processor, save it again and upload the copy."
    )
