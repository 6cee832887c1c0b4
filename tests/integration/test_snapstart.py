"""SnapStart: an environment that was copied holds no connection, no key and no random numbers of before."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local import CODE, ROOT
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase

SECRET = "key-before-a-snapshot"


@dataclass
class BusyModels:
    """A model's server that answers 503 and keeps the connection; ``keys`` are those it was called with."""

    keys: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def models() -> Iterator[BusyModels]:
    models = BusyModels()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            models.keys.append(self.headers["authorization"].removeprefix("Bearer "))
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(503)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the parent's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        models.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield models
        server.shutdown()


@pytest.fixture
def secrets() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.Session().client("secretsmanager", endpoint_url=f"http://{host}:{port}")
    client.create_secret(Name=SECRET, SecretString="sk-old")
    yield client
    client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)  # servers of one process share their state
    server.stop()


def paths() -> str:
    return os.pathsep.join(map(str, [*CODE, ROOT, ROOT / "tests" / "integration" / "runtime_of_lambda"]))


def environment(index: IndexDatabase, models: BusyModels, secrets: Any) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": paths(),
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": secrets.meta.endpoint_url,
        "DATABASE_URL": f"{index.ask}?sslmode=disable",
        "EMBEDDING_MODEL": MODEL,
        "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        "OPENAI_BASE_URL": models.url,
        "OPENAI_API_KEY_SECRET": SECRET,
    }


def told(descriptor: int) -> Iterator[dict[str, Any]]:
    with open(descriptor, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def test_a_copied_environment_connects_anew_reads_keys_anew_and_draws_its_own_random_numbers(
    index_database: IndexDatabase, models: BusyModels, secrets: Any, tmp_path: Path
) -> None:
    ours, theirs = os.pipe()
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.restored_ask", str(theirs)],
            env=environment(index_database, models, secrets),
            pass_fds=[theirs],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=tmp_path,
        )
    os.close(theirs)
    said = told(ours)
    try:
        assert next(said) == {"moment": "imported", "connections": 0}
        answered = next(said)
        assert (answered["moment"], answered["statuses"]) == ("answered", [200] * 6)
        assert answered["connections"] >= 2  # else the test sees none
        calls = len(models.keys)
        assert calls < 12  # of two tries a request: the circuit is open
        assert set(models.keys) == {"sk-old"}

        secrets.put_secret_value(SecretId=SECRET, SecretString="sk-new")
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert next(said) == {"moment": "snapshot", "connections": 0}
        first, second = next(said), next(said)
        assert (first["status"], second["status"]) == (200, 200)
        assert first["chance"] != second["chance"]
        assert models.keys[calls:] == ["sk-new"] * 4  # the circuits are closed again, too
    finally:
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        assert process.wait(30) == 0, log.read_text()


IMPORTED = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
import snapshot_restore_py
from tests.integration.open_connections import connections
print(json.dumps([connections(), len(snapshot_restore_py._before), len(snapshot_restore_py._after)]))
"""


@pytest.mark.parametrize(
    "handler",
    ["ask.handler", "ingest.handler", "ingest.reconcile_handler", "ingest.reindex_handler", "migrate.handler"],
)
def test_a_handler_connects_to_nothing_when_it_is_imported_and_hears_of_snapshots(handler: str) -> None:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": paths()}
    command = [sys.executable, "-c", IMPORTED, handler]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, 1, 1]
