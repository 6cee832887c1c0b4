"""The search benchmark, as commands, with a few chunks."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import churn
from bench.search_texts import GIANT, LABELS, Document, Source, documents, read_sources, shares
from bench.search_vectors import Clusters, nearest
from local import ROOT
from local.postgres import Postgres

CHUNKS = 400
WORDS = ["lighthouse", "granite", "otter", "sourdough", "pawn", "harbour", "winter", "engine", "contract", "clause"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection in BEIR form, and a contract."""
    folder = tmp_path_factory.mktemp("texts")
    corpus = folder / "beir" / "made-up"
    corpus.mkdir(parents=True)
    numbers = np.random.default_rng(0)
    passages = [" ".join(numbers.choice(WORDS, 300)) + f" number {number}" for number in range(40)]
    rows = [{"_id": str(number), "title": "On it", "text": text} for number, text in enumerate(passages)]
    (corpus / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [{"_id": str(number), "text": f"What is number {number} of the harbour?"} for number in range(20)]
    (corpus / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    contracts = folder / "cuad" / "txt"
    contracts.mkdir(parents=True)
    (contracts / "a.txt").write_text(" ".join(numbers.choice(WORDS, 3000)))
    return folder


def run(*arguments: object) -> dict[str, Any]:
    [line] = printed(*arguments)
    measured: dict[str, Any] = json.loads(line)
    return measured


def printed(*arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.search", *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EMBEDDING_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_it_prepares_an_index_that_it_can_be_run_on_again(texts: Path, tmp_path: Path) -> None:
    prepared = run("--prepare", tmp_path, "--texts", texts, "--chunks", CHUNKS, "--questions", 20)
    first, again = (run("--run", tmp_path, "--chunks", CHUNKS) for _ in range(2))
    assert prepared["chunks"] == first["chunks"] == CHUNKS
    for leg in ("vector", "keyword", "hybrid", "raw_vector"):
        assert 0 < first[f"{leg}_p50_ms"] <= first[f"{leg}_p95_ms"] <= first[f"{leg}_p99_ms"]
    # So few are compared one by one.
    assert first["recall@10"] == first["keyword_overlap@10"] == again["recall@10"] == 1
    assert first["raw_recall@10"] > 0.9
    assert first["small_tenant"]["rows"] == 1
    assert [case["rows"] for case in first["filters"]] == [1] * 2 * len(LABELS)
    assert first["tables_mb"]["chunks"] > 0 < first["indexes_mb"]["embeddings_hnsw"]
    plans = printed("--run", tmp_path, "--chunks", CHUNKS, "--plans")
    assert [line for line in plans if not line.startswith(" ")] == [
        "Vectors, by HNSW",
        "Vectors, one by one behind a filter",
        "Keywords, on posting lists",
    ]
    used = set(re.findall(r"Index Scan (?:using|on) (\w+)", "\n".join(plans)))
    assert used >= {"embeddings_hnsw", "chunks_pkey", "embeddings_pkey", "postings_by_term", "chunks_by_number"}
    assert not any("Seq Scan" in line for line in plans)


def test_it_says_when_nothing_was_prepared(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run("--run", tmp_path, "--chunks", CHUNKS)
    assert "not prepared yet" in refused.value.stderr


def test_a_corpus_has_the_shares_that_it_should_and_no_text_twice(texts: Path) -> None:
    corpus = list(documents([*read_sources(texts), *2 * [Source("same", ["word"] * 5000)]], 3000))
    held = Counter[tuple[str, str]]()
    for document in corpus:
        held[document.tenant, document.label] += len(document.texts)
    assert held == {(share.tenant, share.label): share.chunks for share in shares(3000)}
    assert held.total() == 3000
    assert held[GIANT, "one"] == 1
    assert held[GIANT, "tenth"] == (3000 - 19 * 15) // 10
    chunks = [text for document in corpus for text in document.texts]
    assert len(set(chunks)) == len(chunks)
    assert len({document.key for document in corpus}) == len(corpus)


def test_vectors_are_nearest_to_those_of_their_document_and_to_their_questions() -> None:
    clusters = Clusters(64)
    made = [clusters.of(Document(number, GIANT, "rest", "a", ["text"] * 20)) for number in range(30)]
    vectors = np.concatenate(made)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    others = ~np.eye(20, dtype=bool)
    assert np.mean([(document @ document.T)[others] for document in made]) > 0.07
    assert abs(np.mean(made[0] @ made[1].T)) < 0.07
    questions = clusters.beside(vectors[[3, 333]], seed=0)
    found = nearest(vectors.astype(np.float16), questions, 10, block=100)
    order = np.argsort(-(questions @ vectors.T), axis=1)[:, :10]
    assert (found[:, 0] == [3, 333]).all()
    assert [set(row) for row in found.tolist()] == [set(row) for row in order.tolist()]


def test_replacing_all_documents_leaves_search_as_it_was(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(churn, "QUESTIONS", 20)
    editions = churn.read_editions(texts, 120, 2)
    assert not {text for document in editions[0] for text in document.texts} & set(editions[1][0].texts)
    with Postgres.start(tmp_path / "postgres", durable=False) as postgres:
        stages = list(churn.run(postgres, editions, autovacuum=False))
    assert [stage["stage"] for stage in stages] == ["filled", "replaced 1", "collected 1", "vacuumed"]
    assert [stage["chunks"] for stage in stages] == [
        churn.chunk_count(editions[0]),
        *[churn.chunk_count(editions[1])] * 3,
    ]
    assert [(stage["recall@10"], stage["rows"]) for stage in stages] == [(1, 1)] * 4
    dead: list[Any] = [stage["dead"] for stage in stages]
    assert dead[0]["embeddings"] == dead[3]["embeddings"] == 0 < dead[2]["embeddings"]
