"""Files that cannot be indexed and requests that cannot be answered: a clear result, and nothing else suffers."""

from typing import Any

import pytest

from local.services import BUCKET
from tests.e2e.conftest import DOCUMENTS, System
from tests.unit.make_pdf import make_encrypted_pdf, make_pdf

PDF = (DOCUMENTS / "reports" / "annual-report-2025.pdf").read_bytes()
BAD_FILES = {
    "bad/program.xyz": (b"some text", "unsupported"),
    "bad/empty.txt": (b"", "empty"),
    "bad/blank.md": (b" \n\t\n ", "empty"),
    "bad/garbage.txt": (bytes(range(256)) * 20, "corrupt"),
    "bad/truncated.pdf": (PDF[:400], "corrupt"),
    "bad/encrypted.pdf": (make_encrypted_pdf(), "encrypted"),
    "bad/scanned.pdf": (make_pdf([[], []], drawn=True), "needs_ocr"),
    "bad/not-really.pdf": (b"%PDF-1.7 and nothing else", "corrupt"),
}


def test_bad_files_fail_with_a_reason_and_a_good_neighbour_is_indexed(system: System) -> None:
    for key, (content, _) in BAD_FILES.items():
        system.twin.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    system.put("bad/good.txt", "A good neighbour among bad files.")
    found = {key: system.document(key) for key in BAD_FILES}
    assert {key: document["reason"] for key, document in found.items()} == {
        key: reason for key, (_, reason) in BAD_FILES.items()
    }
    assert all(document["state"] == "failed" and document["hint"] for document in found.values())
    assert system.document("bad/good.txt")["state"] == "indexed"


def test_a_failed_new_version_does_not_leave_the_old_one_answering(system: System) -> None:
    system.put("bad/turned.txt", "The turnip festival begins on Sunday.")
    system.put("bad/turned.txt", bytes(range(256)) * 20)
    assert system.document("bad/turned.txt")["state"] == "failed"
    assert "bad/turned.txt" not in {p["key"] for p in system.search("When does the turnip festival begin?")}


def test_failed_documents_can_be_listed_and_retried(system: System) -> None:
    system.put("bad/again.xyz", b"unknown kind")
    failed = system.api.get("/documents", state="failed").body["documents"]
    assert "bad/again.xyz" in {document["key"] for document in failed}
    before = system.document("bad/again.xyz")["updated_at"]
    reply = system.api.post("/retries", {"key": "bad/again.xyz"})
    assert (reply.status, reply.body) == (202, {"queued": 1})
    system.settle()
    assert system.document("bad/again.xyz")["updated_at"] > before
    assert system.api.post("/retries", {"all_failed": True}).body["queued"] == len(failed)
    system.settle()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{not json", 400),
        (b"", 422),
        (b"[]", 422),
        (b'{"question": ""}', 422),
        (b'{"question": "   "}', 422),
        (b'{"question": "' + b"x" * 4001 + b'"}', 422),
        (b'{"question": 7}', 422),
        (b'{"question": "a", "unknown": 1}', 422),
        (b'{"question": "a", "top_k": 0}', 422),
        (b'{"question": "a", "top_k": 51}', 422),
        (b'{"question": "a", "top_k": "many"}', 422),
        (b'{"question": "a", "filters": {"colour": "red"}}', 422),
        (b'{"question": "a\\u0000b"}', 422),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
    ],
    ids=repr,
)
def test_a_bad_request_is_a_problem_document(system: System, body: bytes, status: int) -> None:
    reply = system.api.send("POST", "/ask", body, content_type="application/json")
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.body["status"] == status
    assert reply.body["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/ask", 404),
        ("GET", "/documents?key=no-such-document", 404),
        ("GET", "/documents?state=lost", 422),
    ],
)
def test_what_is_not_there_is_a_problem_document(system: System, method: str, path: str, status: int) -> None:
    reply = system.api.send(method, path)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_request_without_a_json_content_type_is_understood(system: System) -> None:
    body = b'{"question": "How many days of annual leave do shore staff have?"}'
    reply = system.api.send("POST", "/ask", body, content_type="application/x-www-form-urlencoded")
    assert reply.body["answered"]


def test_retrying_an_unknown_document_is_not_found(system: System) -> None:
    reply: Any = system.api.post("/retries", {"key": "never/was.txt"})
    assert (reply.status, reply.body["type"]) == (404, "urn:bucketwise:problem:unknown-document")
