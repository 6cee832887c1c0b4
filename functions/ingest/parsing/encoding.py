"""Which encoding bytes are text in, and whether they are text at all."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEGINNING_BYTES = 1 << 13
_BEFORE_SAMPLE = 1 << 8  # bytes of ASCII that say which words stand around the others
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_SAMPLE_BYTES = 1 << 17  # enough to tell an encoding; detection costs 50 times what decoding does
_MAX_CONTROL_SHARE = 0.01  # random bytes have a tenth, text has none or a stray form feed or escape
_CONTROL = bytes(sorted({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b")))
_MOST_GROWTH = 3  # one byte becomes at most one character of three bytes of UTF-8; more bytes become no more for each


@dataclass(frozen=True, slots=True)
class ByteSurvey:
    """What one reading of all bytes tells. ``beginning`` is theirs; ``sample`` is what their encoding is told by: it
    begins shortly before the first byte beyond ASCII, or is empty.
    """

    beginning: bytes
    sample: bytes
    size: int
    controls: int
    is_utf8: bool

    @classmethod
    def of(cls, pieces: Iterable[bytes]) -> "ByteSurvey":
        beginning = sample = b""
        size = controls = 0
        utf8 = _Utf8Check()
        for piece in pieces:
            beginning += piece[: _BEGINNING_BYTES - len(beginning)]
            if sample or not piece.isascii():
                start = 0 if sample else _start_of_sample(piece)
                sample += piece[start : start + _SAMPLE_BYTES - len(sample)]
            size += len(piece)
            controls += len(piece) - len(piece.translate(None, _CONTROL))
            utf8.read(piece)
        return cls(beginning, sample, size, controls, utf8.holds())

    @property
    def most_utf8_bytes(self) -> int:
        """An upper bound of the text's size in UTF-8, whatever encoding it is in."""
        return self.size if self.is_utf8 else self.size * _MOST_GROWTH

    def encoding(self) -> str:
        """By byte-order mark, else UTF-8, else the likeliest. Raises ``UnreadableDocument`` (corrupt)."""
        return self.marked_encoding() or self.detected_encoding()

    def marked_encoding(self) -> str | None:
        return next((encoding for mark, encoding in _MARKS if self.beginning.startswith(mark)), None)

    def detected_encoding(self) -> str:
        """Raises ``UnreadableDocument`` (corrupt)."""
        self.refuse_binary()
        if self.is_utf8 or self._is_nearly_utf8():
            return "utf-8"
        best = from_bytes(self.sample).best()
        if best is None:
            raise UnreadableDocument(
                FailureReason.CORRUPT,
                "The file is named or declared as text, but its encoding cannot be told. Save it as UTF-8.",
            )
        return best.encoding

    def refuse_binary(self) -> None:
        """Raises ``UnreadableDocument`` (corrupt) when too many bytes are control characters."""
        if self.controls > self.size * _MAX_CONTROL_SHARE:
            raise UnreadableDocument(
                FailureReason.CORRUPT,
                "The file is named or declared as text but is binary."
                " Give it the name of its kind, or save it as UTF-8.",
            )

    def _is_nearly_utf8(self) -> bool:
        """A damaged byte or a cut at the end does not make UTF-8 another encoding."""
        text = self.sample.decode("utf-8", errors="replace")
        damaged = text.count("\ufffd")
        others = sum(1 for character in text if character > "\x7f") - damaged
        return damaged * 20 < others


def _start_of_sample(piece: bytes) -> int:
    """In the first piece that is not all ASCII."""
    found = _BEYOND_ASCII.search(piece)
    return max(0, found.start() - _BEFORE_SAMPLE) if found else 0


class _Utf8Check:
    """Whether bytes that come in pieces are UTF-8 as a whole."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_damaged = False

    def read(self, piece: bytes, *, final: bool = False) -> None:
        if self._is_damaged:
            return
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self._is_damaged = True

    def holds(self) -> bool:
        self.read(b"", final=True)
        return not self._is_damaged
