"""One local twin for all end-to-end tests: the real handlers behind real HTTP, S3, SQS and PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.api import Api, Reply
from local.model_server.client import LocalModels
from local.services import BUCKET, TwinOptions
from local.twin import Twin

DOCUMENTS = Path(__file__).resolve().parents[2] / "examples" / "documents"
INDEXING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class System:
    """What a user has: a bucket to drop files in and an API to ask."""

    twin: Twin
    api: Api

    def put(self, key: str, content: bytes | str, **options: Any) -> str:
        """Uploads, waits until it was looked at, and returns the version."""
        body = content.encode() if isinstance(content, str) else content
        version: str = self.twin.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)["VersionId"]
        self.settle()
        return version

    def delete(self, key: str) -> None:
        self.twin.s3.delete_object(Bucket=BUCKET, Key=key)
        self.settle()

    def settle(self) -> None:
        assert self.twin.events.wait_until_idle(INDEXING_SECONDS), "the queue did not become empty"

    def document(self, key: str) -> dict[str, Any]:
        reply = self.api.get("/documents", key=key)
        assert reply.status == 200, reply
        document: dict[str, Any] = reply.body["documents"][0]
        return document

    def ask(self, question: str, *, cache: bool = False, **options: Any) -> dict[str, Any]:
        """Answered anew, unless the cache is asked for: tests ask the same questions."""
        reply: Reply = self.api.post("/ask", {"question": question, "cache": cache, **options})
        assert reply.status == 200, reply
        answer: dict[str, Any] = reply.body
        return answer

    def search(self, question: str, **options: Any) -> list[dict[str, Any]]:
        reply = self.api.post("/search", {"question": question, **options})
        assert reply.status == 200, reply
        passages: list[dict[str, Any]] = reply.body["passages"]
        return passages

    def fault(self, **what: Any) -> None:
        """Tells the model server how to fail its next calls."""
        self._models.add_fault(**what)

    def no_more_faults(self) -> None:
        self._models.clear_faults()

    @property
    def _models(self) -> LocalModels:
        assert self.twin.models is not None
        return self.twin.models


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = tmp_path_factory.mktemp("twin")
    options = TwinOptions(home=home, environment={}, visibility_seconds=1, max_receives=20, faults=True)
    with Twin(options) as twin:
        system = System(twin, Api(twin.url))
        for path in sorted(path for path in DOCUMENTS.rglob("*") if path.is_file()):
            key = path.relative_to(DOCUMENTS).as_posix()
            twin.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        system.settle()
        yield system


@pytest.fixture(autouse=True)
def _no_faults_left(system: System) -> Iterator[None]:
    yield
    system.no_more_faults()
