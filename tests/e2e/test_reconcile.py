"""What no event told of: after a comparison of bucket and index the answers follow all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.api import Api
from local.services import BUCKET, TwinOptions
from local.twin import Twin
from tests.e2e.conftest import INDEXING_SECONDS, System
from tests.e2e.test_programs import indexed, wait_until

KEEPER = "Who is the keeper of the lighthouse at Skarv Point?"
FOGHORN = "How loud is the foghorn of Skarv Point in decibels?"


@contextmanager
def events_lost(twin: Twin) -> Iterator[None]:
    """What S3 tells of meanwhile goes into a queue that nobody reads, and is purged."""
    elsewhere, _ = twin.storage.create_queue("lost-events", visibility_seconds=30, max_receives=3)
    twin.storage.notify(BUCKET, elsewhere)
    yield
    twin.storage.notify(BUCKET, twin.queue_url)
    twin.storage.sqs.purge_queue(QueueUrl=elsewhere)


def store(twin: Twin, key: str, text: str) -> None:
    twin.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())


def test_answers_follow_changes_that_no_event_told_of(system: System) -> None:
    twin = system.twin
    twin.reconcile()
    system.settle()
    system.put("skarv/keeper.txt", "The keeper of the lighthouse at Skarv Point is Ingrid Solvang.")
    system.put("skarv/removed.txt", "The foghorn of Skarv Point is 118 decibels loud.")
    with events_lost(twin):
        store(twin, "skarv/keeper.txt", "The keeper of the lighthouse at Skarv Point is Tobias Renn.")
        store(twin, "skarv/new.txt", "Ferries call at Skarv Point on Sundays.")
        twin.s3.delete_object(Bucket=BUCKET, Key="skarv/removed.txt")
    system.settle()
    assert "Ingrid" in system.ask(KEEPER)["answer"]
    assert "118" in system.ask(FOGHORN)["answer"]
    report = twin.reconcile()
    assert (report["finished"], report["sent"], report["drift"]) == (True, 3, 0)
    system.settle()
    assert "Tobias" in system.ask(KEEPER)["answer"]
    assert not system.ask(FOGHORN)["answered"]
    assert system.document("skarv/new.txt")["state"] == "indexed"
    report = twin.reconcile()
    assert (report["finished"], report["differences"]) == (True, 0)


def test_of_a_deleted_document_nothing_is_left_after_a_comparison(system: System) -> None:
    system.put("skarv/private.txt", "The spare key hangs behind the seventh barrel.")
    system.delete("skarv/private.txt")
    document = system.document("skarv/private.txt")
    assert (document["state"], document["chunks_stored"], document["vectors_stored"]) == ("deleted", 0, 1)
    assert system.twin.reconcile()["collected"] > 0
    document = system.document("skarv/private.txt")
    assert (document["state"], document["chunks_stored"], document["vectors_stored"]) == ("deleted", 0, 0)


def test_the_corpus_version_does_not_go_back_when_changes_are_folded(system: System) -> None:
    version = system.ask(KEEPER)["corpus_version"]
    system.twin.reconcile()
    assert system.ask(KEEPER)["corpus_version"] >= version


def test_comparisons_come_by_schedule(tmp_path: Path) -> None:
    with Twin(TwinOptions(home=tmp_path, environment={}, reconcile_seconds=0.5)) as twin:
        with events_lost(twin):
            store(twin, "a.txt", "Nothing told of this upload.")
        wait_until(lambda: indexed(twin.url, "a.txt"), seconds=INDEXING_SECONDS)
        [document] = Api(twin.url).get("/documents", key="a.txt").body["documents"]
        assert document["waiting"] is None
