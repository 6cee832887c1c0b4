"""The reconcile Lambda, invoked by a schedule: whatever the event says, the comparison goes on where it was."""

from bucketwise import startup  # isort: split

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable
from bucketwise.telemetry import Metric
from ingest.reconcile import Report
from ingest.reconcile_composition import reconciliation, telemetry

startup.imported()

# What is kept of an invocation's time to answer.
RESERVE_SECONDS = 10.0
# A paused Aurora takes up to half a minute to resume (its guide, "Scaling to zero").
WAKE_SECONDS = 60.0
PAUSE_SECONDS = 3.0


@telemetry.logger.inject_lambda_context(clear_state=True)
@telemetry.tracer.capture_lambda_handler(capture_response=False)
@telemetry.metrics_flushed
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Counts only. ``finished`` says whether all keys are compared; else the next invocation goes on.

    What is out of reach raises, so that Lambda tries it again: nothing is lost or done twice by that.
    """
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    with telemetry.failures_logged():
        report = _run(deadline)
    if report.collected:
        telemetry.count(Metric.VECTORS_COLLECTED, report.collected)
    telemetry.logger.info("compared" if report.finished else "not done yet", extra=report.public())
    return report.public()


def _run(deadline: Deadline) -> Report:
    """Waits for a database that has to wake up first: the schedule often comes when nobody else uses it."""
    patience = Deadline.after(min(WAKE_SECONDS, deadline.remaining()))
    while True:
        try:
            return reconciliation().run(deadline=deadline, at_end=_count_pass)
        except DatabaseUnavailable:
            if patience.remaining() < PAUSE_SECONDS:
                raise
            time.sleep(PAUSE_SECONDS)


def _count_pass(report: Report) -> None:
    telemetry.count(Metric.RECONCILE_OBJECTS, report.looked_at)
    if report.drift is not None:
        telemetry.count(Metric.RECONCILE_DRIFT, report.drift)
