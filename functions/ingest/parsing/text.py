"""Bytes to text: find the encoding, refuse what is no text, and drop what no database column takes."""

import codecs
import re

from charset_normalizer import from_bytes

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 1 << 17  # enough to tell an encoding; detection costs 50 times what decoding does
_MAX_CONTROL_SHARE = 0.01  # random bytes have a tenth, text has none or a stray form feed or escape
_CONTROL = bytes(sorted({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b")))
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff\ufffe\ud800-\udfff]")  # PostgreSQL refuses NUL and surrogates


def parse_text(content: bytes) -> ParsedDocument:
    """Plain text as it is, without places."""
    return ParsedDocument.from_blocks([Block(decode(content), Place())], separator="")


def decode(content: bytes) -> str:
    """Text by byte-order mark, else as UTF-8, else by detection; lines end in LF.

    Raises ``UnreadableDocument`` (corrupt) for bytes that are no text in any encoding.
    """
    marked = decode_marked(content)
    return clean(decode_detected(content) if marked is None else marked)


def decode_marked(content: bytes) -> str | None:
    """Text by its byte-order mark, None when there is no mark."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    return None


def decode_detected(content: bytes) -> str:
    """Text as UTF-8 or as the likeliest other encoding. Raises ``UnreadableDocument`` (corrupt)."""
    refuse_binary(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(_likeliest_encoding(content), errors="replace")


def refuse_binary(content: bytes) -> None:
    """Raises ``UnreadableDocument`` (corrupt) when too many bytes are control characters."""
    controls = len(content) - len(content.translate(None, _CONTROL))
    if controls > len(content) * _MAX_CONTROL_SHARE:
        raise UnreadableDocument(
            FailureReason.CORRUPT,
            "The file is named or declared as text but is binary. Give it the name of its kind, or save it as UTF-8.",
        )


def clean(text: str) -> str:
    """Lines end in LF; other control characters, byte-order marks and lone surrogates are dropped, tabs kept."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _likeliest_encoding(content: bytes) -> str:
    sample = content[:_SAMPLE_BYTES]
    if content.isascii() or _is_nearly_utf8(sample):
        return "utf-8"
    best = from_bytes(sample).best()
    if best is None:
        raise UnreadableDocument(
            FailureReason.CORRUPT,
            "The file is named or declared as text, but its encoding cannot be told. Save it as UTF-8.",
        )
    return best.encoding


def _is_nearly_utf8(sample: bytes) -> bool:
    """A damaged byte or a cut at the end does not make UTF-8 another encoding."""
    text = sample.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    others = sum(1 for character in text if character > "\x7f") - damaged
    return damaged * 20 < others
