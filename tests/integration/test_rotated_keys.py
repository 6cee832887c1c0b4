"""The key of a model's server that is rotated in Secrets Manager while a function is warm."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bucketwise import secrets_manager
from bucketwise.aws_clients import PROMPT
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.embedding import OpenAIEmbedder
from bucketwise.errors import ModelRefused
from bucketwise.model_calls import model_client
from bucketwise.settings import Settings
from tests.integration.logins import fresh_environment

SECRET = "key-that-is-rotated"
VECTOR = {"index": 0, "object": "embedding", "embedding": [1.0, 0.0]}
REPLY = {"object": "list", "model": "m", "data": [VECTOR], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@dataclass
class Models:
    """A server that takes one key; ``keys`` are those it was sent, ``texts`` what came with the right one."""

    key: str = "sk-old"
    keys: list[str] = field(default_factory=list)
    texts: list[Any] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def models() -> Iterator[Models]:
    models = Models()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            models.keys.append(self.headers["authorization"].removeprefix("Bearer "))
            is_right = models.keys[-1] == models.key
            if is_right:
                models.texts += body["input"]
            reply = json.dumps(REPLY if is_right else {"error": {"code": "invalid_api_key"}}).encode()
            self.send_response(200 if is_right else 401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the parent's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        models.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield models
        server.shutdown()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    client = boto3.Session().client("secretsmanager")
    client.create_secret(Name=SECRET, SecretString="sk-old")
    with fresh_environment():
        yield client
    client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)  # servers of one process share their state
    server.stop()


@pytest.fixture
def embedder(models: Models, secrets: Any) -> Iterator[OpenAIEmbedder]:  # noqa: ARG001  # before it reads one
    given = {"DATABASE_URL": "unused", "OPENAI_BASE_URL": models.url, "OPENAI_API_KEY_SECRET": SECRET}
    with model_client(Settings.from_environment(given)) as client:
        yield OpenAIEmbedder(client, "m", 2, Circuit())


def embed(embedder: OpenAIEmbedder, text: str, seconds: float = 30) -> None:
    assert embedder.embed([text], deadline=Deadline.after(seconds)).vectors == [[1.0, 0.0]]


def test_a_refused_key_is_read_again_and_the_request_sent_again_with_the_new_one(
    embedder: OpenAIEmbedder, models: Models, secrets: Any
) -> None:
    embed(embedder, "before")
    secrets.put_secret_value(SecretId=SECRET, SecretString="sk-new\n")
    embed(embedder, "still valid")
    models.key = "sk-new"
    embed(embedder, "at once")
    embed(embedder, "after")
    assert models.keys == ["sk-old", "sk-old", "sk-old", "sk-new", "sk-new"]
    assert models.texts == ["before", "still valid", "at once", "after"]


def test_a_key_that_stays_the_same_is_sent_once_and_the_refusal_stands(
    embedder: OpenAIEmbedder, models: Models
) -> None:
    models.key = "another"
    with pytest.raises(ModelRefused):
        embed(embedder, "refused")
    assert models.keys == ["sk-old"]


def test_a_call_without_the_time_to_read_a_secret_does_not_wait_for_one(
    embedder: OpenAIEmbedder, models: Models, secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.put_secret_value(SecretId=SECRET, SecretString="sk-new")
    models.key = "sk-new"
    with pytest.raises(ModelRefused):
        embed(embedder, "too late", PROMPT.seconds - 1)
    assert models.keys == ["sk-old"]
    secrets_manager._client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ModelRefused):
        OpenAIEmbedder(embedder.client, "m", 2).embed(["unreachable"], deadline=Deadline.after(30))
    assert models.keys == ["sk-old"] * 2
