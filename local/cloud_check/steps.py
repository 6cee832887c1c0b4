"""The steps of the check, in order: each sees what a user would see, or raises StepFailed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bucketwise.telemetry import Metric
from local.api import Reply
from local.cloud_check.callers import AnonymousCaller, Caller
from local.cloud_check.calls import NotYet, SignedApi, StepFailed, body_of, opened, wait_for
from local.cloud_check.canary import Canary
from local.cloud_check.stack import Stack

REFUSALS = {401, 403}
# What the document's life must have been counted as, by service.
METRICS = {"ingest": Metric.DOCUMENTS_INDEXED, "ask": Metric.TIME_TO_ANSWER}
DEPTHS = ("", "NotVisible", "Delayed")


@dataclass(slots=True)
class Check:
    """``wait_seconds``: how long any one thing may take to show. ``sqs`` and ``cloudwatch`` are boto3's clients."""

    stack: Stack
    api: SignedApi
    canary: Canary
    sqs: Any
    cloudwatch: Any
    began: datetime
    wait_seconds: float

    def refuses_unsigned(self) -> None:
        self._refuses(AnonymousCaller())

    def refuses_forged(self) -> None:
        self._refuses(self.api.caller.forged())

    def answers(self) -> None:
        """A paused database takes half a minute to wake."""
        wait_for(lambda: body_of(self.api.get("/health", deep="1")), seconds=self.wait_seconds)

    def upload(self) -> None:
        self.canary.put(self.canary.numbers[0])

    def becomes_searchable(self) -> None:
        self._wait_until_found(self.canary.numbers[0])

    def has_receipt(self) -> None:
        receipt = wait_for(self._receipt, seconds=self.wait_seconds)
        if receipt["state"] != "indexed" or not receipt["chunks_stored"]:
            raise StepFailed(f"the receipt says {receipt['state']} and {receipt['chunks_stored']} chunks")
        self._demand_version(receipt["version"], "the receipt")

    def is_cited(self) -> None:
        self._answer_with(self.canary.numbers[0], cache=False)

    def link_opens(self) -> None:
        citation = self._answer_with(self.canary.numbers[0], cache=True)
        if citation["url"] is None:
            return  # LINK_SECONDS is 0
        if opened(citation["url"]) != self.canary.text(self.canary.numbers[0]).encode():
            raise StepFailed("the citation's link opens something else")

    def update(self) -> None:
        self.canary.put(self.canary.numbers[1])
        self._wait_until_found(self.canary.numbers[1])

    def answers_new_text(self) -> None:
        old, new = self.canary.numbers
        for cache in (False, True, True):  # the last one keeps an answer, or is given it
            self._answer_with(new, cache=cache, without=old)
        if any(old in passage["text"] for passage in self._own_passages(self._ask("/search"))):
            raise StepFailed("search still finds the old text")

    def delete(self) -> None:
        self.canary.delete()
        wait_for(self._see_deleted, seconds=self.wait_seconds)

    def is_not_found(self) -> None:
        if self._own_passages(self._ask("/search")):
            raise StepFailed("search still finds the deleted document")

    def is_not_answered(self) -> None:
        for cache in (True, False):
            answer = self._ask("/ask", cache=cache)
            cited = any(each["key"] == self.canary.key for each in answer["citations"] + answer["passages"])
            if cited or any(number in (answer["answer"] or "") for number in self.canary.numbers):
                raise StepFailed(f"the deleted document is still answered from (cache: {answer['cache']})")

    def is_measured(self) -> None:
        wait_for(self._see_metrics, seconds=self.wait_seconds)

    def has_no_dead_letters(self) -> None:
        names = [f"ApproximateNumberOfMessages{depth}" for depth in DEPTHS]
        reply = self.sqs.get_queue_attributes(QueueUrl=self.stack.dead_letter_url, AttributeNames=names)
        count = sum(int(reply["Attributes"][name]) for name in names)
        if count:
            raise StepFailed(f"{count} messages are in the dead letter queue")

    def _refuses(self, caller: Caller) -> None:
        """The contract is what is asked for: it costs nothing, and tells nothing, should it be let through."""
        reply = self.api.as_caller(caller).get("/openapi.json")
        if reply.status not in REFUSALS:
            raise StepFailed(f"it was answered {reply.status}")

    def _wait_until_found(self, number: str) -> None:
        def look() -> None:
            found = self._own_passages(body_of(self._post("/search", **self._at_least())))
            if not any(number in each["text"] for each in found):
                raise NotYet("search does not find the document's text")

        wait_for(look, seconds=self.wait_seconds)

    def _answer_with(self, number: str, *, cache: bool, without: str | None = None) -> dict[str, Any]:
        """The citation of the document in an answer that has the one number and not the other."""
        answer = self._ask("/ask", cache=cache, **self._at_least())
        if not answer["answered"]:
            raise StepFailed(f"there was no answer ({answer['reason']})")
        if number not in answer["answer"] or (without is not None and without in answer["answer"]):
            raise StepFailed("the answer is not what the document says")
        cited = [each for each in answer["citations"] if each["key"] == self.canary.key and number in each["quote"]]
        if not cited:
            raise StepFailed("the answer does not cite the document")
        citation: dict[str, Any] = cited[0]
        if citation["quote"] not in self.canary.text(number):
            raise StepFailed("what is cited does not stand in the document")
        self._demand_version(citation["version"], "the citation")
        return citation

    def _demand_version(self, version: str | None, where: str) -> None:
        if version != self.canary.versions[-1]:
            raise StepFailed(f"{where} is of another version")

    def _at_least(self) -> dict[str, Any]:
        """Asks for the version that was stored last, in a bucket that has versions."""
        version = self.canary.versions[-1]
        return {} if version is None else {"min_version": {"key": self.canary.key, "version": version}}

    def _ask(self, route: str, **options: Any) -> dict[str, Any]:
        return wait_for(lambda: body_of(self._post(route, **options)), seconds=self.wait_seconds)

    def _post(self, route: str, **options: Any) -> Reply:
        return self.api.post(route, {"question": self.canary.question, **options})

    def _own_passages(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in body["passages"] if each["key"] == self.canary.key]

    def _receipt(self) -> dict[str, Any]:
        receipt: dict[str, Any] = body_of(self.api.get("/documents", key=self.canary.key))["documents"][0]
        return receipt

    def _see_deleted(self) -> None:
        receipt = self._receipt()
        if receipt["state"] != "deleted" or receipt["chunks_stored"]:
            raise NotYet(f"the receipt says {receipt['state']} and {receipt['chunks_stored']} chunks")

    def _see_metrics(self) -> None:
        queries = [
            {"Id": service, "MetricStat": {"Metric": self._metric(service), "Period": 60, "Stat": "SampleCount"}}
            for service in METRICS
        ]
        reply = self.cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            StartTime=self.began - timedelta(minutes=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )
        counted = {each["Id"] for each in reply["MetricDataResults"] if sum(each["Values"]) > 0}
        lacking = [METRICS[service].value[0] for service in METRICS if service not in counted]
        if lacking:
            raise NotYet(f"{self.stack.namespace} has no {' and no '.join(lacking)}")

    def _metric(self, service: str) -> dict[str, Any]:
        name = METRICS[service].value[0]
        dimensions = [{"Name": "service", "Value": service}]
        return {"Namespace": self.stack.namespace, "MetricName": name, "Dimensions": dimensions}
