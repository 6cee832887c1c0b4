"""The ingest benchmark, as a command, with a few chunks."""

import json
import os
import subprocess
import sys

import pytest

from bench.ingest_models import Vectors
from bench.ingest_texts import texts
from local import ROOT

RATES = ("chunks_per_s", "copy_chunks_per_s", "ratio", "halfvec_ratio", "latency_ratio", "searchable_p95_s",
         "memory_ratio", "scaling_8")  # fmt: skip


def test_it_prints_one_json_line_with_its_measures() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EMBEDDING_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest", "--chunks", "40", "--uploads", "1", "--megabytes", "1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured = json.loads(line)
    assert 30 <= measured["chunks"] <= 50
    assert all(measured[name] > 0 for name in RATES)
    assert measured["deadlocks"] == 0
    assert measured["settings"]["dimensions"] == 1536


def test_its_texts_are_all_different_and_the_same_at_every_run() -> None:
    first, again = ([*texts(count=20, characters=800, seed=1)] for _ in range(2))
    assert first == again
    sentences = [sentence for text in first for sentence in text.replace("\n\n", " ").split(". ")]
    assert len(set(sentences)) == len(sentences) > 100
    assert all(800 <= len(text) < 3000 for text in first)


def test_its_vectors_have_length_one_and_are_those_of_their_texts() -> None:
    vectors, again = Vectors(64), Vectors(64)
    assert [float(vectors.of(text) @ vectors.of(text)) for text in ("a", "b")] == pytest.approx([1, 1])
    assert (vectors.of("a") == again.of("a")).all()
    assert not (vectors.of("a") == vectors.of("b")).any()
