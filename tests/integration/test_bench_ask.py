"""The benchmark of the whole ask path, as commands, with a few chunks; and what its server of models says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from bench.ask_models import Latency, start_models
from local import ROOT

CHUNKS = 400


def run(*arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ask", *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EMBEDDING_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured: dict[str, Any] = json.loads(line)
    return measured


def test_every_question_is_answered_and_the_models_time_is_no_overhead(tmp_path: Path) -> None:
    index = ("--index", tmp_path, "--chunks", CHUNKS, "--no-peers")
    measured = run("--requests", 20, "--concurrency", 2, *index, "--embed-ms", 100, "--chat-ms", 300)
    assert (measured["chunks"], measured["requests"], measured["answered"]) == (CHUNKS, 20, 20)
    assert 0 < measured["overhead_p50_ms"] <= measured["overhead_p95_ms"]
    assert measured["model_p50_ms"] >= 400
    assert measured["overhead_p50_ms"] < measured["whole_p50_ms"] - 400
    assert measured["steps"]["embed"] >= 100
    assert measured["steps"]["generate"] >= 300
    assert measured["steps"].keys() >= {"search", "neighbours", "total"}
    assert (measured["cache_hit_p50_ms"] is None) == (measured["cache_hits"] == 0)
    assert measured["langchain_p50_ms"] is measured["llamaindex_p50_ms"] is None
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run("--requests", 1000, *index)
    assert "prepare with more" in refused.value.stderr


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    vectors = np.eye(2, dtype=np.float32)
    np.savez(tmp_path / "questions.npz", texts=np.array(["What  is\nit?", "And that?"]), vectors=vectors)
    with start_models(tmp_path / "questions.npz", Latency(embed_ms=20, chat_ms=50)) as models:
        yield models.read_ready()["url"]


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    with urlopen(Request(url, json.dumps(body).encode())) as reply:  # noqa: S310  # our own server
        read: dict[str, Any] = json.load(reply)
        return read


def taken(url: str) -> float:
    with urlopen(f"{url}/taken") as reply:  # noqa: S310
        return float(json.load(reply)["ms"])


def test_the_models_time_is_told_of_each_client_once(url: str) -> None:
    for _ in range(2):
        post(f"{url}/a/v1/embeddings", {"input": ["What is it?"]})
    post(f"{url}/b/v1/chat/completions", {"messages": [{"role": "user", "content": "What is it?"}]})
    assert taken(f"{url}/a") >= 40
    assert taken(f"{url}/b") >= 50
    assert taken(f"{url}/a") == taken(f"{url}/b") == 0


def test_a_question_has_the_vector_that_was_prepared_and_another_text_has_none(url: str) -> None:
    reply = post(f"{url}/a/v1/embeddings", {"input": "And that?"})
    assert reply["data"][0]["embedding"] == "AAAAAAAAgD8="  # 0.0 and 1.0
    with pytest.raises(HTTPError, match="400") as refused:
        post(f"{url}/a/v1/embeddings", {"input": "Something else"})
    refused.value.close()


def test_an_answer_quotes_the_first_passage_as_it_stands_in_the_document(url: str) -> None:
    prompt = '<passages>\n<passage id="1" title="T">\nSalt &amp; pepper\nare sold.\n</passage>\n</passages>'
    asked = {"messages": [{"role": "user", "content": prompt}], "response_format": {"type": "json_schema"}}
    reply = post(f"{url}/a/v1/chat/completions", asked)
    answer = json.loads(reply["choices"][0]["message"]["content"])
    assert answer["citations"] == [{"passage": 1, "quote": "Salt & pepper are sold."}]
