"""A sidecar is read as metadata or refused with the reason; its name alone says that it is one."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.sidecar import MOST_BYTES, MOST_ENTRIES, Sidecar, document_key, is_sidecar, user_metadata


def read(content: bytes) -> dict[str, Any]:
    return Sidecar("e1", content).metadata()


def test_strings_numbers_booleans_and_lists_of_strings_keep_their_types() -> None:
    given = {"team": "ops", "year": 2024, "share": 0.5, "public": True, "tags": ["a", "b"], "none": []}
    assert read(json.dumps(given).encode()) == given


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert read(b'\xef\xbb\xbf{"team": "\xc3\xa9"}') == {"team": "é"}


def test_both_forms_of_bedrock_are_read() -> None:
    plain = {"metadataAttributes": {"team": "ops", "year": 2024}}
    typed = {
        "metadataAttributes": {
            "team": {"value": {"type": "STRING", "stringValue": "ops"}, "includeForEmbedding": True},
            "year": {"value": {"type": "NUMBER", "numberValue": 2024}},
            "public": {"value": {"type": "BOOLEAN", "booleanValue": False}},
            "tags": {"value": {"type": "STRING_LIST", "stringListValue": ["a"]}},
        }
    }
    assert read(json.dumps(plain).encode()) == {"team": "ops", "year": 2024}
    assert read(json.dumps(typed).encode()) == {"team": "ops", "year": 2024, "public": False, "tags": ["a"]}


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * MOST_BYTES, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"": 1}', "name"),
        (b'{"a\\u0000": 1}', "name"),
        (b'{"a": null}', "value"),
        (b'{"a": {"b": 1}}', "value"),
        (b'{"a": [1]}', "value"),
        (b'{"a": 1e999}', "value"),
        (b'{"a": "\\u0000"}', "value"),
        (b'{"a": ["\\ud800"]}', "value"),
        (b'{"metadataAttributes": {"a": {"value": {"type": "DATE"}}}}', "value"),
        (json.dumps({f"n{number}": 1 for number in range(MOST_ENTRIES + 1)}).encode(), "entries"),
        (b'{"a": "' + b"x" * MOST_BYTES + b'"}', "larger"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(content: bytes, how: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    assert caught.value.reason is FailureReason.BAD_METADATA
    assert how in caught.value.hint


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_metadata_or_refused(content: bytes) -> None:
    with suppress(UnreadableDocument):
        assert isinstance(read(content), dict)


@pytest.mark.parametrize(
    ("key", "document"),
    [
        ("a.pdf", "a.pdf"),
        ("a.pdf.metadata.json", "a.pdf"),
        ("folder/a b.pdf.metadata.json", "folder/a b.pdf"),
        ("a.metadata.json.metadata.json", "a"),
        (".metadata.json", ".metadata.json"),
        ("folder/.metadata.json", "folder/.metadata.json"),
        ("metadata.json", "metadata.json"),
        ("a.metadata.json.pdf", "a.metadata.json.pdf"),
    ],
)
def test_a_sidecar_belongs_to_the_document_whose_key_it_extends(key: str, document: str) -> None:
    assert document_key(key) == document
    assert is_sidecar(key) is (key != document)


def test_user_metadata_that_is_not_ascii_is_decoded() -> None:
    stored = {"team": "ops", "name": "=?UTF-8?B?w6k=?=", "odd": "=?nonsense?=", "unknown": "=?no-such?B?w6k=?="}
    assert user_metadata(stored) == stored | {"name": "é"}
