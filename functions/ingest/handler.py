"""The ingest Lambda: S3's events in, by queue or directly; a partial batch response out."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from bucketwise.deadline import Deadline
from bucketwise.errors import MalformedEvent
from bucketwise.telemetry import Metric
from ingest.composition import ingest_pipeline, settings, telemetry
from ingest.events import ObjectChange, changes_in_event, changes_in_message
from ingest.receipts import Outcome, Receipt

# What is kept of an invocation's time to answer with what was done.
RESERVE_SECONDS = 3.0


@telemetry.logger.inject_lambda_context(clear_state=True)
@telemetry.tracer.capture_lambda_handler(capture_response=False)
@telemetry.metrics_flushed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """``{"batchItemFailures": [...]}`` for a batch of SQS messages; ``{"receipts": [...]}`` for a bare event.

    A message fails only for a reason that another try may help against, and then alone. A bare event that
    fails raises, so that Lambda tries it again.
    """
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    if _is_batch(event):
        return _handle_batch(event, deadline)
    with telemetry.failures_logged():
        return {"receipts": [_handle_change(change, deadline) for change in changes_in_event(event)]}


def _is_batch(event: Mapping[str, Any]) -> bool:
    match event.get("Records"):
        case [{"eventSource": "aws:sqs"}, *_]:
            return True
    return False


def _handle_batch(event: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    def handle_message(record: SQSRecord) -> None:
        telemetry.logger.set_correlation_id(record.message_id)
        with telemetry.failures_logged(receives=record.attributes.approximate_receive_count):
            for change in changes_in_message(record.body):
                _handle_change(change, deadline)

    # A batch that fails whole is reported like any other: raised, it would count as an error of the function.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event=event, record_handler=handle_message, processor=processor))


def _handle_change(change: ObjectChange, deadline: Deadline) -> dict[str, Any]:
    if change.bucket != settings().bucket:
        raise MalformedEvent("an event came from another bucket than BUCKET")
    receipt = ingest_pipeline().bring_up_to_date(change.key, deadline=deadline)
    _report(receipt, change)
    return asdict(receipt)


def _report(receipt: Receipt, change: ObjectChange) -> None:
    embedding = receipt.embedding
    telemetry.logger.info("object looked at", extra=asdict(receipt))
    if receipt.outcome is Outcome.FAILED:
        telemetry.count(Metric.DOCUMENTS_FAILED, 1)
    if receipt.outcome is not Outcome.INDEXED:
        return
    telemetry.count(Metric.DOCUMENTS_INDEXED, 1)
    telemetry.count(Metric.CHUNKS_EMBEDDED, embedding.embedded)
    telemetry.count(Metric.CHUNKS_REUSED, embedding.reused)
    telemetry.count(Metric.EMBEDDING_TOKENS, embedding.tokens)
    telemetry.count(Metric.INGEST_LAG, max(0.0, time.time() - change.time.timestamp()) * 1000)
    if embedding.cost_usd is not None:
        telemetry.count(Metric.COST_USD, embedding.cost_usd)
