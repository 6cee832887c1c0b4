"""Kinds of text that say by their first lines what they are."""

import json
import re

_MARK = b"\xef\xbb\xbf"
_SIGNATURES = (
    (".xml", re.compile(rb"<\?xml\s")),
    (".vtt", re.compile(rb"WEBVTT(?:[ \t][^\n]*)?\r?\n")),
    (".vtt", re.compile(rb"\d{1,6}[ \t]*\r?\n(?:\d{1,3}:)?\d{1,2}:\d\d[,.]\d{1,3}[ \t]*-->")),
    (".mbox", re.compile(rb"From [^\n]{1,200}\d{4}[^\n]{0,40}\n(?:>?[A-Za-z][\w-]{0,60}:[ \t]|From )")),
    (".ics", re.compile(rb"BEGIN:(?:VCALENDAR|VCARD)\r?\n", re.IGNORECASE)),
)
_HEADERS = re.compile(rb"(?:[A-Za-z][\w-]{0,60}:[ \t][^\n]*\n(?:[ \t]+[^\n]*\n)*){2}")
_PROVES_A_MAIL = re.compile(rb"^(?:Message-ID|MIME-Version|Received|Return-Path):", re.IGNORECASE | re.MULTILINE)
_JSON = re.compile(rb'\{\s*(?:"[^"\n]{0,200}"\s*:|\}\s*$)|\[\s*(?:\{\s*"|\[\s*["\[\d-]|"[^"\n]{0,500}"\s*[,\]]|\]\s*$)')
_MIN_LINES = 2  # of JSON Lines that are told from JSON


def by_signature(beginning: bytes) -> str | None:
    """The extension of the kind that a text with this beginning is for certain; None if it does not tell."""
    beginning = beginning.removeprefix(_MARK).lstrip()
    for extension, signature in _SIGNATURES:
        if signature.match(beginning):
            return extension
    if _HEADERS.match(beginning) and _PROVES_A_MAIL.search(beginning):
        return ".eml"
    if _JSON.match(beginning):
        return ".jsonl" if _is_json_lines(beginning) else ".json"
    return None


def _is_json_lines(beginning: bytes) -> bool:
    """Whether the first line is a value of its own, and another one follows."""
    lines = [line for line in beginning.split(b"\n") if line.strip()]
    return len(lines) >= _MIN_LINES and _is_json(lines[0]) and lines[1].lstrip()[:1] == lines[0][:1]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
