"""Rich text as Outlook stores it, compressed ([MS-OXRTFCP])."""

import struct

MAX_BYTES = 32 << 20
"""Of rich text; what is longer is left out."""

_HEADER = struct.Struct("<IIII")  # sizes compressed and raw, kind, checksum
_COMPRESSED, _RAW = 0x75465A4C, 0x414C454D
_WINDOW = 4096
_BEGINNING = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def decompressed(stored: bytes) -> bytes:
    """As much of it as can be read; nothing of what is in no known form."""
    if len(stored) < _HEADER.size:
        return b""
    _, size, kind, _ = _HEADER.unpack_from(stored)
    if kind == _RAW:
        return stored[_HEADER.size : _HEADER.size + size]
    return _expanded(stored[_HEADER.size :], min(size, MAX_BYTES)) if kind == _COMPRESSED else b""


def _expanded(stored: bytes, most: int) -> bytes:
    """Runs of eight tokens, each behind a byte whose bits say which are literal and which refer to the window."""
    window = bytearray(_BEGINNING.ljust(_WINDOW, b"\0"))
    position = len(_BEGINNING)
    out = bytearray()
    at = 0
    while at < len(stored) and len(out) < most:
        kinds = stored[at]
        at += 1
        for bit in range(8):
            if kinds >> bit & 1:
                reference = int.from_bytes(stored[at : at + 2], "big")
                offset, length = reference >> 4, (reference & 0xF) + 2
                at += 2
                if at > len(stored) or offset == position:
                    return bytes(out)
            else:
                offset, length = -1, 1
            for step in range(length):
                if offset < 0 and at >= len(stored):
                    return bytes(out)
                byte = stored[at] if offset < 0 else window[(offset + step) % _WINDOW]
                window[position] = byte
                position = (position + 1) % _WINDOW
                out.append(byte)
            at += offset < 0
    return bytes(out[:most])
