"""A model that fails, and what of it a user sees: nothing lost, an honest answer, nothing private in a log."""

import pytest

from bucketwise.ingest_queue import IngestQueue
from local.services import BUCKET
from tests.e2e.conftest import System

LEAVE = "How many days of annual leave do shore staff have?"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "retry_after": 0},
        {"kind": "status", "status": 500},
        {"kind": "cut"},
        {"kind": "count"},
        {"kind": "nan"},
    ],
    ids=lambda fault: str(fault.get("status", fault["kind"])),
)
def test_an_upload_during_an_outage_is_indexed_afterwards(system: System, fault: dict[str, object]) -> None:
    key = f"outage/{fault.get('status', fault['kind'])}.txt"
    system.fault(route="embeddings", times=7, **fault)
    system.put(key, f"During the outage of kind {fault} somebody wrote this sentence.")
    assert system.document(key)["state"] == "indexed"


def test_a_batch_delivered_in_the_wrong_order_is_put_right(system: System) -> None:
    topics = ("volcano lava eruption", "violin orchestra concert", "wheat harvest tractor", "glacier ice crevasse")
    system.fault(route="embeddings", kind="order", times=1)
    system.put("outage/order.txt", "\n\n".join(f"{topic} " * 150 for topic in topics))
    for topic in topics:
        found = system.search(topic, filters={"key": "outage/order.txt"}, top_k=50)
        nearest = next(passage for passage in found if passage["vector_rank"] == 1)
        assert topic in nearest["text"]


def test_without_embeddings_keywords_answer_and_the_answer_says_so(system: System) -> None:
    system.fault(route="embeddings", kind="status", status=500, times=2)
    answer = system.ask(LEAVE)
    assert answer["degraded"]
    assert "27 days" in answer["answer"]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "length"}, {"kind": "cut"}])
def test_without_a_generated_answer_the_passages_come(system: System, fault: dict[str, object]) -> None:
    system.fault(route="chat", times=2, **fault)
    answer = system.ask(LEAVE)
    assert (answer["answered"], answer["degraded"], answer["reason"]) == (False, True, "model_failed")
    assert "handbook/employee-handbook.md" in {passage["key"] for passage in answer["passages"]}


def test_a_repeated_event_changes_nothing(system: System) -> None:
    system.put("repeat/once.txt", "This sentence is indexed once.")
    before = system.document("repeat/once.txt")
    IngestQueue(system.twin.storage.sqs, system.twin.queue_url, BUCKET).send(["repeat/once.txt"])
    system.settle()
    assert system.document("repeat/once.txt") == before


def test_a_retry_has_a_document_indexed_anew_and_embeds_nothing(system: System) -> None:
    system.put("repeat/retried.txt", "This sentence is indexed twice.")
    before = system.document("repeat/retried.txt")
    system.api.post("/retries", {"key": "repeat/retried.txt"})
    system.settle()
    after = system.document("repeat/retried.txt")
    assert after["updated_at"] > before["updated_at"]
    assert (after["state"], after["version"], after["embedded"]) == ("indexed", before["version"], 0)


def test_no_text_of_a_user_is_in_a_log(system: System) -> None:
    canary = "Xylophone-Canary-77"
    system.put(f"private/{canary}.txt", f"The secret word is {canary}.")
    system.put(f"private/{canary}.xyz", canary)
    system.ask(f"What is the secret word {canary}?")
    system.fault(route="chat", kind="status", status=500, times=2)
    system.ask(f"What is the secret word {canary}?")
    system.api.post("/ask", {"question": canary, "unknown": canary})
    system.api.send("POST", "/ask", f"{{ {canary}".encode())
    logs = [(system.twin.logs / f"{name}.log").read_text() for name in ("ingest", "ask")]
    assert all(len(log) > 1000 for log in logs)
    assert [log.count(canary) for log in logs] == [0, 0]
    system.twin.s3.delete_object(Bucket=BUCKET, Key=f"private/{canary}.txt")
    system.settle()
