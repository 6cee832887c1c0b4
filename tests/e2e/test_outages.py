"""Outages that outlast the queue's patience, documents that kill, documents that take long: nothing is lost."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.function_settings import LOCAL_MODELS
from local.model_server.api import ModelApi
from local.model_server.embeddings import Embedded, Embedder
from local.model_server.faults import Faults
from local.model_server.server import ModelServer
from tests.e2e.deadly_text import DEADLY
from tests.e2e.hasty_twin import MOST_RECEIVES, HastySystem, hasty_system, wait_for
from tests.integration.standby import begin_again_as_standby, promote

WORDS = ("harbour", "ferry", "gangway", "lantern", "ticket", "anchor", "signal", "tide", "crew", "manifest", "berth")


class RecordingEmbedder(Embedder):
    """The model server's, which counts each text that it is sent, and takes its time if told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()
        self.seconds = 0.0

    def embed(self, texts: Sequence[str]) -> Embedded:
        self.sent.update(texts)
        time.sleep(self.seconds)
        return super().embed(texts)


@contextmanager
def served(embedder: RecordingEmbedder, faults: Faults) -> Iterator[str]:
    with ModelServer(("127.0.0.1", 0), ModelApi(embedder, pause=time.sleep, faults=faults)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.url
        server.shutdown()


@pytest.fixture(scope="module")
def embedder() -> RecordingEmbedder:
    return RecordingEmbedder()


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def model_url(embedder: RecordingEmbedder, faults: Faults) -> Iterator[str]:
    with served(embedder, faults) as url:
        yield url


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, model_url: str) -> Iterator[HastySystem]:
    with hasty_system(tmp_path_factory.mktemp("hasty"), environment(model_url)) as system:
        yield system


def environment(model_url: str) -> dict[str, str]:
    one_by_one = {"EMBEDDING_BATCH_TOKENS": "8192", "EMBEDDING_CONCURRENCY": "1"}
    return LOCAL_MODELS | one_by_one | {"OPENAI_BASE_URL": model_url}


@pytest.fixture(autouse=True)
def _no_faults_left(embedder: RecordingEmbedder, faults: Faults) -> Iterator[None]:
    yield
    faults.clear()
    embedder.seconds = 0.0


def texts(prefix: str, count: int) -> dict[str, str]:
    return {f"{prefix}{n}.txt": f"Notice {n} of {prefix} was written down." for n in range(count)}


def test_an_outage_of_the_model_that_outlasts_the_queues_patience_loses_nothing(
    system: HastySystem, faults: Faults
) -> None:
    faults.add({"kind": "status", "status": 400, "code": "invalid_api_key", "route": "embeddings", "times": 10_000})
    given = texts("model/", 4)
    for key, text in given.items():
        system.put(key, text)
    wait_for(lambda: [tries > MOST_RECEIVES for tries, _ in system.waiting("model/").values()] == [True] * 4)
    assert {reason for _, reason in system.waiting("model/").values()} == {"model_refused"}
    assert system.states("model/") == dict.fromkeys(given, "queued")
    faults.clear()
    system.settle()
    assert system.states("model/") == dict.fromkeys(given, "indexed")
    assert (system.dead_letters(), system.waiting("model/")) == (0, {})


def test_an_outage_of_the_database_that_outlasts_the_queues_patience_loses_nothing(system: HastySystem) -> None:
    given = texts("database/", 2)
    system.settle()
    before = system.looks("postponed")
    system.twin.postgres.kill()
    for key, text in given.items():
        system.put(key, text)
    wait_for(lambda: system.looks("postponed") > before + 2 * MOST_RECEIVES)
    system.twin.postgres.restart()
    system.settle()
    assert system.states("database/") == dict.fromkeys(given, "indexed")
    assert (system.dead_letters(), system.waiting("database/")) == (0, {})


def test_a_database_that_is_a_reader_for_a_while_loses_nothing(system: HastySystem) -> None:
    given = texts("failover/", 3)
    system.settle()
    before = system.looks("postponed")
    begin_again_as_standby(system.twin.postgres)
    for key, text in given.items():
        system.put(key, text)
    wait_for(lambda: system.looks("postponed") > before + MOST_RECEIVES)
    promote(system.twin.postgres)
    system.settle()
    assert system.states("failover/") == dict.fromkeys(given, "indexed")
    assert (system.dead_letters(), system.waiting("failover/")) == (0, {})


def test_a_database_that_is_restarted_in_the_middle_of_the_work_loses_nothing(
    system: HastySystem, embedder: RecordingEmbedder
) -> None:
    given = texts("restart/", 6)
    embedder.seconds = 1.0
    for key, text in given.items():
        system.put(key, text)
    for _ in range(3):
        time.sleep(0.5)
        system.twin.postgres.restart()
    system.settle()
    assert system.states("restart/") == dict.fromkeys(given, "indexed")
    assert system.dead_letters() == 0


def test_a_document_that_kills_its_workers_fails_and_its_neighbours_are_indexed(system: HastySystem) -> None:
    given = texts("deadly/", 4)
    keys = list(given)
    system.put(keys[0], given[keys[0]])
    system.put("deadly/document.txt", DEADLY)
    for key in keys[1:]:
        system.put(key, given[key])
    system.settle()
    failed = system.documents("deadly/").pop("deadly/document.txt")
    assert (failed["state"], failed["reason"]) == ("failed", "poison")
    assert system.states("deadly/") == dict.fromkeys(given, "indexed") | {"deadly/document.txt": "failed"}
    assert system.dead_letters() == 0
    system.put("deadly/document.txt", "Nothing is wrong with this version.")
    system.settle()
    assert system.states("deadly/")["deadly/document.txt"] == "indexed"


def test_a_document_that_takes_longer_than_an_invocation_is_finished_by_the_next_ones_and_no_text_is_sent_twice(
    tmp_path: Path, embedder: RecordingEmbedder, model_url: str
) -> None:
    words = [" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 30)) for n in range(4000)]
    embedder.seconds = 1.0
    embedder.sent.clear()
    with hasty_system(tmp_path, environment(model_url), limit_seconds=12) as system:
        system.put("large/manifest.txt", "\n".join(f"{n} {line}." for n, line in enumerate(words)))
        system.settle()
        document = system.documents("large/")["large/manifest.txt"]
        assert document["state"] == "indexed", document
        assert (system.dead_letters(), system.waiting("large/")) == (0, {})
        assert system.looks("postponed") > 0
    assert len(embedder.sent) == document["chunks"]
    assert set(embedder.sent.values()) == {1}
