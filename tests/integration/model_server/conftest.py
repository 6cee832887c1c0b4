"""The model server as a process of its own, through the real openai SDK."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openai
import pytest

ROOT = Path(__file__).parents[3]
PROMPT = '<passage id="3">Leave is 25 days a year. The office opens at nine.</passage>\n<question>{}</question>'
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answerable": {"type": "boolean"}, "answer": {"type": "string"}},
    "required": ["answerable", "answer"],
    "additionalProperties": False,
}


@contextmanager
def running(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "local.model_server", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--faults") as (address, _):
        yield address


@pytest.fixture(scope="module")
def shared(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="x", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def client(shared: openai.OpenAI) -> Iterator[openai.OpenAI]:
    yield shared
    shared.delete("/../faults", cast_to=httpx.Response)


def add_fault(client: openai.OpenAI, **fault: object) -> None:
    client.post("/../faults", cast_to=httpx.Response, body=fault)


def embed(client: openai.OpenAI, *texts: str, **options: Any) -> list[list[float]]:
    reply = client.embeddings.create(model="wordllama-256", input=list(texts), **options)
    return [one.embedding for one in reply.data]


def ask(client: openai.OpenAI, question: str, **options: Any) -> Any:
    user: Any = {"role": "user", "content": PROMPT.format(question)}
    return client.chat.completions.create(model="extractive", messages=[user], **options)


def dot(left: list[float], right: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))
