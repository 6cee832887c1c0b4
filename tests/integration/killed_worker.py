"""A worker that looks at one object and, if it is told to, kills itself when it reaches a point of its work.

``python -m tests.integration.killed_worker JOB``: prints what became of the object, if it lives that long.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3
from psycopg import Connection

from bench.chaos_embeddings import EmbeddingLedger
from bench.chaos_mortal import MortalDatabase, mortal_pipeline
from bucketwise.deadline import Deadline
from bucketwise.telemetry import Telemetry
from ingest.bucket import S3Bucket
from ingest.protocol import Decisions
from local.storage.client import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.integration.index_database import settings_for

ACKNOWLEDGE = "acknowledge"
"""After all work, and before anybody hears that it is done."""


@dataclass(frozen=True, slots=True)
class Job:
    """``kill_at`` is a point of ``bench.chaos_mortal``; every text that is embedded is noted in ``ledger``."""

    database: str
    tenant: str
    storage: str
    bucket: str
    key: str
    ledger: str
    kill_at: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Doomed:
    def __init__(self, kill_at: str) -> None:
        self._kill_at = kill_at
        self.connection: Connection | None = None

    def reach(self, point: str, *, in_transaction: bool = False) -> None:  # noqa: ARG002
        if point == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class LedgerFile(EmbeddingLedger):
    """Outlives the process: a line for each text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def note(self, digests: Sequence[bytes], present: set[bytes]) -> None:
        super().note(digests, present)
        with self._path.open("a") as file:
            file.writelines(f"{digest.hex()}\n" for digest in digests)


def work(job: Job) -> str:
    """What became of the object."""
    life = Doomed(job.kill_at)
    settings = settings_for(job.database).model_copy(update={"tenant": job.tenant})
    database = MortalDatabase(life, settings)
    client = boto3.client(
        "s3",
        endpoint_url=job.storage,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    bucket = S3Bucket(client, job.bucket)
    ledger = LedgerFile(Path(job.ledger))
    pipeline = mortal_pipeline(life, database, bucket, ledger, settings, Telemetry("killed"), Decisions())
    receipt = pipeline.bring_up_to_date(job.key, deadline=Deadline.after(30))
    life.reach(ACKNOWLEDGE)
    database.close()
    return receipt.outcome.value


if __name__ == "__main__":
    print(work(Job(**json.loads(sys.argv[1]))))  # noqa: T201
