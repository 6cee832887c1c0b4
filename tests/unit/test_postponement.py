"""What is put off comes back after a delay that grows, and as what it was."""

import math
from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from bucketwise.errors import (
    BucketUnavailable,
    BucketwiseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    ModelRefused,
    ModelUnavailable,
    ParsingTooSlow,
    QueueUnavailable,
)
from bucketwise.ingest_queue import Errand, IngestQueue
from ingest.events import ObjectChange, changes_in_event
from ingest.postponement import Postponement, delay_seconds, next_errand
from ingest.receipts import EmbeddingReceipt, Outcome, Receipt
from tests.unit.ingest_world import Notes, SqsClient

TOLD = Receipt(Outcome.POSTPONED, 8, begun=True, told=True, error=ModelUnavailable("503"))
TIME = datetime(2026, 3, 12, 8, 15, 2, tzinfo=UTC)
CHANGE = ObjectChange("documents", "a b.txt", TIME, Errand(tries=2, ended=5, again=True))
OUT_OF_TIME = [DeadlineExceeded("no time"), ParsingTooSlow("no time")]


def looked(error: BucketwiseError, *, embedded: int = 0, begun: bool = True, claim: int | None = 8) -> Receipt:
    return Receipt(Outcome.POSTPONED, claim, embedding=EmbeddingReceipt(embedded), begun=begun, error=error)


def put_off(receipt: Receipt, sqs: SqsClient, notes: Notes, *, first_delay_seconds: float = 5.0) -> None:
    queue = IngestQueue(sqs, "https://queue.test", "documents")
    Postponement(lambda _: queue, lambda _: notes, first_delay_seconds).put_off(CHANGE, receipt)


@given(st.integers(1, 5000))
def test_a_delay_doubles_with_each_try_jittered_and_ends_at_a_quarter_of_an_hour(tries: int) -> None:
    whole = min(900.0, 5.0 * 2.0 ** min(tries - 1, 10))
    assert math.ceil(whole / 2) <= delay_seconds(tries, looked(BucketUnavailable("503"))) <= whole


def test_delays_of_documents_that_failed_together_are_not_the_same() -> None:
    receipt = looked(BucketUnavailable("503"))
    assert len({delay_seconds(8, receipt) for _ in range(50)}) > 10


@pytest.mark.parametrize(("asked", "least", "most"), [(60.0, 60, 60), (60.2, 61, 61), (0.0, 3, 5), (9999.0, 900, 900)])
def test_what_the_models_server_asks_for_is_the_least_delay(asked: float, least: int, most: int) -> None:
    receipt = looked(ModelUnavailable("429", retry_after=asked))
    assert least <= delay_seconds(1, receipt) <= most


@pytest.mark.parametrize("error", OUT_OF_TIME)
def test_a_look_that_ran_out_of_time_but_embedded_something_goes_on_at_once(error: BucketwiseError) -> None:
    receipt = looked(error, embedded=1)
    assert delay_seconds(7, receipt) == 0
    assert next_errand(CHANGE.errand, receipt) == Errand(tries=0, ended=8, again=True)


@pytest.mark.parametrize("error", [ModelUnavailable("503"), ModelRefused("401"), BucketUnavailable("503")])
def test_a_failure_is_a_failure_also_if_something_was_embedded_before(error: BucketwiseError) -> None:
    receipt = looked(error, embedded=1)
    assert delay_seconds(3, receipt) >= 10
    assert next_errand(CHANGE.errand, receipt) == Errand(tries=3, ended=8, again=True)


def test_a_look_that_ended_in_order_is_told_of_by_its_claim() -> None:
    assert next_errand(CHANGE.errand, looked(DeadlineExceeded("no time"))) == Errand(tries=3, ended=8, again=True)


def test_a_document_that_cannot_be_parsed_in_time_counts_as_a_lost_worker() -> None:
    assert next_errand(CHANGE.errand, looked(ParsingTooSlow("no time"))) == Errand(tries=3, ended=None, again=True)


@pytest.mark.parametrize("claim", [None, 8])
def test_a_look_that_noted_no_attempt_leaves_the_one_before_to_be_told_of(claim: int | None) -> None:
    receipt = looked(DatabaseUnavailable("down"), begun=False, claim=claim)
    assert next_errand(CHANGE.errand, receipt) == Errand(tries=3, ended=5, again=True)


def test_the_change_is_sent_again_with_its_own_time_and_a_note_is_made() -> None:
    sqs, notes = SqsClient(), Notes()
    put_off(TOLD, sqs, notes)
    [(body, delay)] = sqs.sent
    assert changes_in_event(body) == [ObjectChange("documents", "a b.txt", TIME, Errand(3, 5, True))]
    assert 10 <= delay <= 20
    assert notes.waiting == {"a b.txt": (3, "model_unavailable", delay)}


def test_the_first_delay_can_be_set() -> None:
    sqs = SqsClient()
    put_off(looked(ModelUnavailable("503")), sqs, Notes(), first_delay_seconds=0.2)
    assert [delay for _, delay in sqs.sent] == [1]


def test_the_note_is_made_before_the_message_is_sent_that_leads_to_its_removal() -> None:
    sqs, notes = SqsClient(failure=EndpointConnectionError(endpoint_url="https://queue.test")), Notes()
    with pytest.raises(QueueUnavailable):
        put_off(TOLD, sqs, notes)
    assert notes.waiting.keys() == {"a b.txt"}


def test_a_message_is_sent_also_if_no_note_can_be_made() -> None:
    sqs = SqsClient()
    put_off(TOLD, sqs, Notes(failure=DatabaseUnavailable("down")))
    assert len(sqs.sent) == 1


@pytest.mark.parametrize("error", [DatabaseUnavailable("down"), ModelUnavailable("503")])
def test_a_database_that_was_just_found_to_be_out_of_reach_is_not_asked_again(error: BucketwiseError) -> None:
    """Nor one that was too slow to take the look's end."""
    sqs, notes = SqsClient(), Notes()
    put_off(looked(error), sqs, notes)
    assert (len(sqs.sent), notes.waiting) == (1, {})
