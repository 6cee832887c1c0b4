"""Metadata of an object: what S3 keeps with it, and a file beside it, ``<key>.metadata.json``."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason

SUFFIX = ".metadata.json"
MOST_BYTES = 16_384
"""Of a sidecar: what it says comes with every passage of its document."""
MOST_ENTRIES = 100

Metadata = dict[str, Any]
"""Names to strings, numbers, booleans, or lists of strings."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """``content`` is cut off behind ``MOST_BYTES``, and None if S3 withholds it.

    Equal eTags are equal contents, and nothing else is read of it.
    """

    etag: str
    content: bytes | None

    def metadata(self) -> Metadata:
        """A JSON object, flat, or under ``metadataAttributes`` as Bedrock Knowledge Bases have it.

        Raises UnreadableDocument (bad_metadata).
        """
        if self.content is None:
            raise _bad("is archived, or encrypted with its uploader's own key")
        if len(self.content) > MOST_BYTES:
            raise _bad(f"is larger than {MOST_BYTES:,} bytes")
        try:
            given = json.loads(self.content.decode("utf-8-sig"), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise _bad("is not JSON in UTF-8") from None
        if isinstance(given, dict) and isinstance(given.get("metadataAttributes"), dict):
            given = {name: _attribute(value) for name, value in given["metadataAttributes"].items()}
        if not isinstance(given, dict):
            raise _bad("is not a JSON object")
        if len(given) > MOST_ENTRIES:
            raise _bad(f"has more than {MOST_ENTRIES} entries")
        for name, value in given.items():
            if not (_is_text(name) and name):
                raise _bad("has a name that is empty or cannot be stored")
            if not _is_value(value):
                raise _bad("has a value that is no string, number, boolean or list of strings")
        return given


def is_sidecar(key: str) -> bool:
    """Whether an object under this key describes another one, and is no document itself."""
    described = key.removesuffix(SUFFIX)
    return described != key and described != "" and not described.endswith("/")


def document_key(key: str) -> str:
    """The key of the document that an object belongs to: of a sidecar that is another one."""
    while is_sidecar(key):
        key = key.removesuffix(SUFFIX)
    return key


def user_metadata(stored: Mapping[str, str]) -> Metadata:
    """What S3 keeps as ``x-amz-meta-*``. S3 gives what is not ASCII as encoded words (RFC 2047)."""
    return {name: _decoded(value) for name, value in stored.items()}


def _decoded(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        decoded = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
    return decoded if _is_text(decoded) else value


def _attribute(value: object) -> object:
    """Bedrock writes a value plain, or as ``{"value": {"type": "STRING", "stringValue": ...}}``."""
    match value:
        case {"value": {"type": "STRING", "stringValue": typed}}:
            return typed
        case {"value": {"type": "NUMBER", "numberValue": typed}}:
            return typed
        case {"value": {"type": "BOOLEAN", "booleanValue": typed}}:
            return typed
        case {"value": {"type": "STRING_LIST", "stringListValue": typed}}:
            return typed
    return value


def _is_value(value: object) -> bool:
    match value:
        case str():
            return _is_text(value)
        case bool() | int():
            return True
        case float():
            return math.isfinite(value)
        case list():
            return all(isinstance(item, str) and _is_text(item) for item in value)
    return False


def _is_text(value: str) -> bool:
    """Whether PostgreSQL can keep it: no NUL, no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _no_number(_name: str) -> float:
    raise ValueError("JSON has no NaN and no Infinity")


def _bad(how: str) -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.BAD_METADATA, f"Its sidecar <key>{SUFFIX} {how}. Mend or delete the sidecar."
    )
