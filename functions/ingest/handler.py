"""The ingest Lambda: S3's events in, by queue or directly; a partial batch response out."""

from bucketwise import startup  # isort: split

import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DeadlineExceeded, MalformedEvent
from bucketwise.telemetry import Metric
from ingest.composition import ingest_pipeline, postings, postponement, settings, tagger, telemetry
from ingest.events import ObjectChange, changes_in_event, changes_in_message
from ingest.receipts import Outcome, Receipt
from ingest.tenants import Tenancy

startup.imported()

# What is kept of an invocation's time to put off what is not done, and to answer.
RESERVE_SECONDS = 7.0
COMMITTED = {Outcome.INDEXED, Outcome.FAILED, Outcome.DELETED}


@telemetry.logger.inject_lambda_context(clear_state=True)
@telemetry.tracer.capture_lambda_handler(capture_response=False)
@telemetry.metrics_flushed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """``{"batchItemFailures": [...]}`` for a batch of SQS messages; ``{"receipts": [...]}`` for a bare event.

    What cannot be done now is sent again with a delay, and the message that told of it is done with: so the
    receive count of a message counts lost workers, and nothing but our own mistakes ends in the dead letter
    queue. A bare event that has to be postponed raises, so that Lambda tries it again.
    """
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    if _is_batch(event):
        return _handle_batch(event, deadline)
    with telemetry.failures_logged():
        receipts = [_handle_change(change, deadline) for change in changes_in_event(event)]
    for receipt in receipts:
        if receipt.error is not None:
            raise receipt.error
    return {"receipts": [receipt.public() for receipt in receipts]}


def _is_batch(event: Mapping[str, Any]) -> bool:
    match event.get("Records"):
        case [{"eventSource": "aws:sqs"}, *_]:
            return True
    return False


def _handle_batch(event: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    # Begun late, a look would be cut short, and a slow document be taken for one that costs workers.
    enough = deadline.remaining() / 2

    def handle_message(record: SQSRecord) -> None:
        telemetry.logger.set_correlation_id(record.message_id)
        with telemetry.failures_logged(receives=record.attributes.approximate_receive_count):
            for change in changes_in_message(record.body):
                receipt = _handle_change(change, deadline, enough=enough)
                if receipt.outcome is Outcome.POSTPONED:
                    postponement().put_off(change, receipt)

    # A batch that fails whole is reported like any other: raised, it would count as an error of the function.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event=event, record_handler=handle_message, processor=processor))


def _handle_change(change: ObjectChange, deadline: Deadline, *, enough: float = 0.0) -> Receipt:
    receipt = _look_at(change, deadline, enough)
    _report(receipt, change)
    return receipt


def _look_at(change: ObjectChange, deadline: Deadline, enough: float) -> Receipt:
    """Raises MalformedEvent. Wrong settings, or less than ``enough`` seconds, are a reason to put the look off."""
    try:
        given = settings()
        owner = Tenancy.of(given).owner(change.key)
        pipeline = ingest_pipeline(owner)
    except BucketwiseError as error:
        return _not_begun(error)
    if change.bucket != given.bucket:
        raise MalformedEvent("an event came from another bucket than BUCKET")
    if deadline.remaining() < enough:
        return _not_begun(DeadlineExceeded("too little of the invocation's time was left to begin"))
    errand = change.errand
    receipt = pipeline.bring_up_to_date(change.key, deadline=deadline, ended=errand.ended, again=errand.again)
    if given.tag_objects:
        tagger().tag(change.key, receipt)
    if receipt.outcome in COMMITTED:
        postings(owner.tenant).fold_now_and_then(deadline=deadline)
    return receipt


def _not_begun(error: BucketwiseError) -> Receipt:
    telemetry.log_failure(error)
    return Receipt(Outcome.POSTPONED, None, error=error)


def _report(receipt: Receipt, change: ObjectChange) -> None:
    embedding = receipt.embedding
    telemetry.logger.info("object looked at", extra=receipt.public())
    # Counted for every outcome: what was paid for is paid for.
    if embedding.embedded or embedding.tokens:
        telemetry.count(Metric.CHUNKS_EMBEDDED, embedding.embedded)
        telemetry.count(Metric.EMBEDDING_TOKENS, embedding.tokens)
        if embedding.cost_usd is not None:
            telemetry.count(Metric.COST_USD, embedding.cost_usd)
    match receipt.outcome:
        case Outcome.FAILED:
            telemetry.count(Metric.DOCUMENTS_FAILED, 1)
        case Outcome.POSTPONED:
            telemetry.count(Metric.DOCUMENTS_POSTPONED, 1)
        case Outcome.INDEXED:
            telemetry.count(Metric.DOCUMENTS_INDEXED, 1)
            telemetry.count(Metric.CHUNKS_REUSED, receipt.embedding_in_all.reused)
            telemetry.count(Metric.INGEST_LAG, max(0.0, time.time() - change.time.timestamp()) * 1000)
