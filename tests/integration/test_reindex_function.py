"""``make reindex`` down to the database: the command's loop, the function's handler, a real model server."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bucketwise.index_kind import IndexKind
from ingest import reindex_handler
from ingest.embedding_sets import EmbeddingSets
from ingest.index import DocumentIndex
from local.model_server.client import LocalModels
from local.reindex import ReindexFailed, ReindexFunction
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON
from tests.unit.ingest_world import Context

LOCAL = {"embedding_model": "wordllama-256", "dimensions": 256}


@dataclass
class LambdaClient:
    """boto3's Lambda client, as far as the command uses it: runs the handler with so many seconds."""

    seconds: float = 60.0
    events: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # boto3's names
        assert FunctionName == "reindex"
        self.events.append(json.loads(Payload))
        said = reindex_handler.lambda_handler(self.events[-1], Context(seconds=self.seconds))
        return {"Payload": io.BytesIO(json.dumps(said).encode())}


@pytest.fixture
def tenant(index_database: IndexDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    with LocalModels.start(log=tmp_path / "models.log") as models, opened(index_database.ingest) as ingest:
        settings = {
            "DATABASE_URL": index_database.owner,
            "EMBEDDING_MODEL": MODEL,
            "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
            "OPENAI_BASE_URL": models.url,
            "POWERTOOLS_TRACE_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setitem(os.environ, name, value)
        reindex_handler.reindex.cache_clear()
        yield Tenant(DocumentIndex(ingest, "acme", "fingerprint"), index_database)
        reindex_handler.reindex().sets.database.close()
        reindex_handler.reindex.cache_clear()


def live(database: IndexDatabase) -> IndexKind:
    with opened(database.owner) as owner:
        return EmbeddingSets(owner).live(deadline=SOON)


def test_the_command_invokes_until_the_new_kind_is_live_and_drops_the_old_when_told(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.store("The ferry leaves at nine.", "Dogs travel free of charge.")
    function = ReindexFunction(LambdaClient(), "reindex")
    done = function.run_until_done(LOCAL)
    assert (done["live"], done["embedded"], done["tokens"] > 0) == (True, 2, True)
    assert live(tenant.database) == IndexKind("wordllama-256", 256)
    assert "2 texts embedded" in capsys.readouterr().out
    assert function.run_until_done({"drop_others": True})["dropped"] == 1


@pytest.mark.parametrize("index", ["halfvec", "binary"])
def test_the_new_vectors_get_the_kind_of_index_that_is_set(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    monkeypatch.setitem(os.environ, "VECTOR_INDEX", index)
    tenant.store("The ferry leaves at nine.")
    ReindexFunction(LambdaClient(), "reindex").run_until_done(LOCAL)
    with connected(tenant.database.superuser) as connection:
        made = connection.execute("SELECT vector_index FROM bucketwise.index_settings").fetchall()
    assert made == [(index,)]


def test_a_run_without_progress_ends_the_command(tenant: Tenant) -> None:
    tenant.store("The ferry leaves at nine.")
    function = ReindexFunction(LambdaClient(seconds=reindex_handler.RESERVE_SECONDS), "reindex")
    with pytest.raises(ReindexFailed):
        function.run_until_done(LOCAL)
    assert live(tenant.database) == IndexKind(MODEL, DIMENSIONS)


@pytest.mark.parametrize(
    "event", [{}, {"embedding_model": "x", "dimensions": 5000}, {"surprise": 1}, LOCAL | {"embedding_model": "unknown"}]
)
def test_what_cannot_be_done_is_said(tenant: Tenant, event: dict[str, Any]) -> None:
    tenant.store("The ferry leaves at nine.")
    with pytest.raises(ReindexFailed) as caught:
        ReindexFunction(LambdaClient(), "reindex").run_until_done(event)
    assert "http" not in str(caught.value)
    assert live(tenant.database) == IndexKind(MODEL, DIMENSIONS)
