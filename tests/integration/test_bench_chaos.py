"""The chaos benchmark finds nothing wrong with the product, and finds what is wrong with a product without a fence."""

import json
import subprocess
import sys
from typing import Any

import pytest

from bench import chaos
from bench.chaos_bucket import VersionedMemoryBucket
from bench.chaos_changes import KEYS
from bench.chaos_texts import MOST_PARTS, chunks_of, is_whole, make_text
from ingest.protocol import Decisions
from ingest.vectors import VectorTable
from local import ROOT
from tests.protocol.mutants import NO_FENCE, STEP_BY_STEP

KEY = "folder/a.txt"


def measured(operations: int, kind: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.chaos", "--ops", str(operations), "--seed", "3", "--bucket", kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, found
    return found


@pytest.mark.parametrize(("kind", "operations"), [("memory", 700), ("http", 2000)])
def test_nothing_that_happens_leads_the_index_away_from_the_bucket(kind: str, operations: int) -> None:
    found = measured(operations, kind)
    assert {name: found[name] for name in chaos.NEVER} == dict.fromkeys(chaos.NEVER, 0)
    assert (found["operations"], found["bucket"], found["seed"]) == (operations, kind, 3)
    assert found["events"] + found["lost_events"] == operations
    assert found["duplicates"] > 0.1 * operations
    assert found["keys"] == KEYS
    # Each of these would be 0 if the benchmark did not do what it says.
    assert min(found[name] for name in ("lost_events", "crashes", "reconciled", "vectors_collected", "reads")) > 0
    assert found["outcomes"].keys() >= {"indexed", "unchanged", "superseded", "deleted", "failed"}


@pytest.mark.parametrize(
    ("decisions", "symptom"), [(NO_FENCE.decisions, "diverged"), (STEP_BY_STEP.decisions, "mixed_reads")]
)
def test_a_known_mistake_is_found(decisions: Decisions, symptom: str) -> None:
    # Chance may spare a mistake for a while, but not for long.
    assert any(chaos.run(300, seed=seed, kind="memory", decisions=decisions)[symptom] for seed in range(10))


def test_texts_that_are_embedded_again_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VectorTable, "known_texts", lambda *_, **__: set())
    # Whether a text comes back after its vector was stored, and before it is collected, is the threads' chance.
    assert any(chaos.run(200, seed=seed, kind="memory")["wasted_embeddings"] for seed in range(10))


@pytest.mark.parametrize("parts", range(1, MOST_PARTS + 1))
def test_a_text_has_as_many_chunks_as_it_says(parts: int) -> None:
    chunks = chunks_of(make_text(KEY, 123_456, parts))
    assert len(chunks) == parts
    assert is_whole(chunks)


def test_chunks_of_two_texts_or_of_a_part_of_one_are_not_whole() -> None:
    one, other = chunks_of(make_text(KEY, 1, 2)), chunks_of(make_text(KEY, 2, 2))
    for chunks in ((), one[:1], one[1:], (one[0], other[1]), one + other, (one[1], one[0])):
        assert not is_whole(chunks)


def current(bucket: VersionedMemoryBucket) -> str | None:
    with bucket.open(KEY) as found:
        return found.stream.read(100).decode() if found is not None else None


def test_a_bucket_in_memory_keeps_versions_and_brings_them_back() -> None:
    bucket = VersionedMemoryBucket()
    assert current(bucket) is None
    bucket.put(KEY, "old")
    bucket.put(KEY, "new")
    bucket.delete(KEY)
    assert current(bucket) is None
    assert [found.present for found in bucket.after("")] == [False]
    for expected in ("new", "old", None):
        newest = bucket.newest(KEY)
        assert newest is not None
        assert newest[1] is (expected == "new")
        bucket.delete_version(KEY, newest[0])
        assert current(bucket) == expected
    assert bucket.newest(KEY) is None
    assert list(bucket.after("")) == []
