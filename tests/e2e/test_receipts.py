"""What an uploader is told: when a version is searchable, why it is not, and that what was deleted is gone."""

import time

from ingest.parsing import parsed_here
from local.api import Reply
from local.estimate.counting import Estimator
from local.estimate.sources import BucketSource
from local.function_settings import with_defaults
from local.services import BUCKET
from tests.e2e.conftest import INDEXING_SECONDS, System

QUESTION = "How many herons nest on the old pier?"


def ask_for(system: System, key: str, version: str) -> Reply:
    """The first reply that does not ask to come again."""
    ends = time.monotonic() + INDEXING_SECONDS
    while True:
        reply = system.api.post("/ask", {"question": QUESTION, "min_version": {"key": key, "version": version}})
        if reply.status != 409:
            return reply
        assert reply.body["type"] == "urn:bucketwise:problem:index-behind"
        assert int(reply.headers["Retry-After"]) > 0
        assert time.monotonic() < ends, "the version did not become searchable"
        time.sleep(0.1)


def upload(system: System, key: str, text: str) -> str:
    version: str = system.twin.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())["VersionId"]
    return version


def test_who_uploads_a_version_can_ask_for_an_answer_from_it(system: System) -> None:
    for number in ("Nine", "Eleven"):
        version = upload(system, "receipts/herons.txt", f"{number} herons nest on the old pier.")
        reply = ask_for(system, "receipts/herons.txt", version)
        assert reply.status == 200
        [citation] = reply.body["citations"]
        assert (citation["version"], citation["quote"].split()[0]) == (version, number)
    receipt = system.document("receipts/herons.txt")
    assert (receipt["state"], receipt["version"], receipt["waiting"]) == ("indexed", version, None)
    assert receipt["chunks_stored"] == receipt["chunks"] == 1
    assert receipt["seconds_to_searchable"] is not None


def test_who_uploads_what_cannot_be_read_is_told_at_once_and_why(system: System) -> None:
    version = upload(system, "receipts/blank.txt", " ")
    reply = ask_for(system, "receipts/blank.txt", version)
    assert (reply.status, reply.body["reason"]) == (422, "empty")
    receipt = system.document("receipts/blank.txt")
    assert (receipt["state"], receipt["hint"]) == ("failed", reply.body["hint"])


def test_a_deleted_file_leaves_a_receipt_without_chunks(system: System) -> None:
    system.put("receipts/gone.txt", "The ferry of 1911 was named Heron.")
    before = system.document("receipts/gone.txt")
    assert (before["chunks_stored"], before["vectors_stored"]) == (1, 1)
    system.delete("receipts/gone.txt")
    after = system.document("receipts/gone.txt")
    assert (after["state"], after["version"], after["chunks_stored"]) == ("deleted", None, 0)
    assert after["updated_at"] > before["updated_at"]


def test_a_page_of_documents_is_of_the_corpus_version_that_an_answer_can_ask_for(system: System) -> None:
    system.put("receipts/version.txt", "Terns nest on the new pier.")
    version = system.api.get("/documents", prefix="receipts/").body["corpus_version"]
    assert system.ask(QUESTION, min_version=version)["corpus_version"] >= version


def test_an_estimate_is_what_indexing_then_takes(system: System) -> None:
    lines = "\n".join(f"Buoy {number} is painted anew every {number} months." for number in range(2, 80))
    files = {"a.md": f"# Buoys\n\n{lines}", "copy.md": f"# Buoys\n\n{lines}", "blank.txt": " ", "b.txt": lines}
    for name, text in files.items():
        system.put(f"estimated/{name}", text)
    source, estimator = BucketSource(system.twin.s3, BUCKET, "estimated/"), Estimator(with_defaults({}), parsed_here)
    for key in source.keys():  # noqa: SIM118  # it is no dictionary
        estimator.take(source, key)
    receipts = system.api.get("/documents", prefix="estimated/").body["documents"]
    estimate = estimator.estimate
    assert estimate.outcomes == {"indexed": 3, "empty": 1}
    assert [each.key for each in estimate.rejected] == [one["key"] for one in receipts if one["state"] == "failed"]
    assert (estimate.chunks, estimate.tokens) == (
        sum(r["chunks"] for r in receipts),
        sum(r["tokens"] for r in receipts),
    )
    assert estimate.texts == sum(one["embedded"] for one in receipts) < estimate.chunks
