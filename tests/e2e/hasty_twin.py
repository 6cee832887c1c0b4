"""A twin in which everything that takes minutes takes seconds: time limit, visibility time-out, delays."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local import CODE, ROOT
from local.api import Api
from local.environment import Configuration
from local.services import BUCKET, TwinOptions
from local.twin import Twin

LIMIT_SECONDS = 6.0
STARTING_SECONDS = 9.0  # a message is received, and invisible, before the process that it goes to has started
MOST_RECEIVES = 5
PATIENCE = 240.0  # seconds


class HastyTwin(Twin):
    """Its ingest function is ``tests.e2e.hasty_ingest``."""

    limit_seconds = LIMIT_SECONDS

    def _configuration(self, name: str, variables: Mapping[str, str], seconds: float) -> Configuration:
        given = super()._configuration(name, variables, seconds)
        if name != "ingest":
            return given
        handler = "tests.e2e.hasty_ingest.lambda_handler"
        return replace(given, handler=handler, paths=(*CODE, ROOT), timeout_seconds=self.limit_seconds)


@dataclass(frozen=True, slots=True)
class HastySystem:
    twin: HastyTwin

    def put(self, key: str, text: str | bytes) -> None:
        body = text.encode() if isinstance(text, str) else text
        self.twin.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def documents(self, prefix: str) -> dict[str, dict[str, Any]]:
        reply = Api(self.twin.url).get("/documents", prefix=prefix)
        assert reply.status == 200, reply
        return {document["key"]: document for document in reply.body["documents"]}

    def states(self, prefix: str) -> dict[str, str]:
        return {key: document["state"] for key, document in self.documents(prefix).items()}

    def waiting(self, prefix: str) -> dict[str, tuple[int, str]]:
        """How often each key was put off, and why the last time, as the API tells."""
        told = {key: document["waiting"] for key, document in self.documents(prefix).items()}
        return {key: (waiting["tries"], waiting["reason"]) for key, waiting in told.items() if waiting is not None}

    def settle(self) -> None:
        assert self.twin.events.wait_until_idle(PATIENCE), "the queue did not become empty"

    def dead_letters(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self.twin.storage.sqs.get_queue_attributes(QueueUrl=self.twin.dead_letter_url, AttributeNames=names)
        return sum(int(reply["Attributes"][name]) for name in names)

    def looks(self, outcome: str) -> int:
        """How many looks so far had this outcome."""
        lines = (self.twin.logs / "ingest.log").read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return sum(line.get("outcome") == outcome for line in told)


@contextmanager
def hasty_system(
    home: Path, environment: Mapping[str, str], *, limit_seconds: float = LIMIT_SECONDS
) -> Iterator[HastySystem]:
    options = TwinOptions(
        home=home,
        environment=environment,
        visibility_seconds=int(limit_seconds + STARTING_SECONDS),
        max_receives=MOST_RECEIVES,
    )
    twin = HastyTwin(options)
    twin.limit_seconds = limit_seconds
    with twin:
        yield HastySystem(twin)


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)
