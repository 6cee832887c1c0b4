"""Measures the steps that ``bench.capacity`` computes with, on the local twin and with few chunks."""

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench.ingest import CHARACTERS_OF_A_CHUNK, DIMENSIONS, MODEL_MS, SETTINGS
from bench.ingest_latency import seconds_to_searchable
from bench.ingest_models import start_models
from bench.ingest_rates import measure_rates
from bench.ingest_texts import texts
from bench.ranking import percentile
from local.api import Api
from local.function_settings import database_name, model_settings, with_defaults
from local.postgres import Postgres
from local.services import BUCKET, TwinOptions
from local.twin import Twin

DOCUMENT_CHARACTERS = 20_000
SETTLING_SECONDS = 3600.0
SMALLER = 10  # times smaller is the index at which search is measured first
QUESTIONS = 40
UPLOADS = 10
DOCUMENT_CHUNKS = 100
SIZES: LiteralString = """
    SELECT c.relname, CASE c.relkind WHEN 'i' THEN pg_relation_size(c.oid) ELSE pg_table_size(c.oid) END
    FROM pg_class c WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind IN ('r', 'i')"""
# What takes the room that is stated for each chunk.
PARTS = {
    "hnsw_bytes": {"embeddings_hnsw"},
    "postings_bytes": {"postings", "postings_by_term"},
    "key_index_bytes": {"chunks_by_number", "chunks_by_text", "chunks_pkey", "embeddings_pkey"},
    "vector_bytes": {"embeddings"},
    "text_bytes": {"chunks", "documents"},
}


def measure_steps(chunks: int) -> dict[str, Any]:
    """In the form of ``bench/capacity_steps.json``. ``chunks``: about so many in the larger index."""
    with tempfile.TemporaryDirectory(prefix="bucketwise-capacity-") as folder:
        home = Path(folder)
        print("ingest", file=sys.stderr)
        ingested = _measure_ingest(home, chunks)
        print("ask", file=sys.stderr)
        asked = _measure_ask(home / "twin", chunks)
    source = f"python -m bench.capacity --measure --measured-chunks {chunks}"
    steps = {name: {"value": value, "source": source} for name, value in (asked | ingested).items()}
    return {"recorded": f"{datetime.now(UTC):%Y-%m-%d}", "steps": steps}


def _measure_ingest(home: Path, chunks: int) -> dict[str, Any]:
    """With vectors of as many dimensions as OpenAI's, and a model that takes a fixed time."""
    documents = list(texts(count=2, characters=chunks * CHARACTERS_OF_A_CHUNK // 2, seed=1))
    uploads = texts(count=UPLOADS + 1, characters=DOCUMENT_CHUNKS * CHARACTERS_OF_A_CHUNK, seed=4)
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    with start_models(0.0) as at_once, start_models(MODEL_MS) as in_time:
        quick, slow = (SETTINGS | {"OPENAI_BASE_URL": server.read_ready()["url"]} for server in (at_once, in_time))
        with Postgres.start(home / "postgres", durable=False) as postgres:
            rates = measure_rates(postgres, quick, slow, documents, DIMENSIONS)
        seconds = seconds_to_searchable(home / "uploads", slow, uploads)
    return {
        "ingest_document_s": round(percentile(seconds, 0.95), 3),
        "ingest_document_chunks": DOCUMENT_CHUNKS,
        "ingest_model_ms": MODEL_MS,
        "ingest_to_copy": round(rates.pipeline.rate / rates.copy.rate, 3),
    }


def _measure_ask(home: Path, chunks: int) -> dict[str, Any]:
    documents = max(SMALLER, chunks * CHARACTERS_OF_A_CHUNK // DOCUMENT_CHARACTERS)
    written = list(texts(count=documents, characters=DOCUMENT_CHARACTERS, seed=7))
    with Twin(TwinOptions(home=home, environment={})) as twin:
        name = database_name(with_defaults(model_settings({}, "http://127.0.0.1")))
        with closing(psycopg.connect(twin.postgres.dsn("postgres", name), autocommit=True)) as owner:
            _upload(twin, written[: documents // SMALLER], start=0)
            few = _count(owner)
            smaller = _asked(twin, written)
            _upload(twin, written[documents // SMALLER :], start=documents // SMALLER)
            many = _count(owner)
            larger = _asked(twin, written)
            sizes: dict[str, int] = dict(owner.execute(SIZES).fetchall())
    return {
        "search_chunks": few,
        "search_p50_ms": smaller["search"][0],
        "search_p95_ms": smaller["search"][1],
        "larger_chunks": many,
        "larger_p50_ms": larger["search"][0],
        "larger_p95_ms": larger["search"][1],
        "ask_p50_ms": smaller["own"][0],
        "ask_p95_ms": smaller["own"][1],
        "cached_p50_ms": smaller["cached"][0],
        "cached_p95_ms": smaller["cached"][1],
        "chunks_per_megabyte": round(many / sum(map(len, written)) * 1e6),
        **{part: round(sum(sizes[name] for name in names) / many) for part, names in PARTS.items()},
    }


def _upload(twin: Twin, written: Iterable[str], *, start: int) -> None:
    for number, text in enumerate(written, start):
        twin.s3.put_object(Bucket=BUCKET, Key=f"{number}.txt", Body=text.encode())
    if not twin.events.wait_until_idle(SETTLING_SECONDS):
        raise SystemExit("the documents were not indexed")
    twin.reconcile()  # folds the postings, as it does in a stack


def _count(owner: psycopg.Connection) -> int:
    row = owner.execute("SELECT count(*) FROM bucketwise.chunks").fetchone()
    return int(row[0]) if row else 0


def _asked(twin: Twin, written: list[str]) -> dict[str, tuple[float, float]]:
    """p50 and p95 in ms of the search, of all that is not a model's time, and of answers from the cache."""
    api = Api(twin.url)
    seen: dict[str, list[float]] = {"search": [], "own": [], "cached": []}
    for number in range(QUESTIONS + 1):
        question = " ".join(written[number % len(written)].split()[number : number + 8])
        body = {"question": f"What is said of {question} in {time.monotonic_ns()}?"}
        new, again = (api.post("/ask", body).body["timings_ms"] for _ in range(2))
        if number:  # the first one starts the function
            ahead = new.get("keywords", 0.0)  # while the question is embedded
            seen["search"].append(ahead + new["search"])
            seen["own"].append(ahead + new["total"] - new["embed"] - new.get("generate", 0.0))
            seen["cached"].append(again["total"])
    return {name: (percentile(each, 0.5), percentile(each, 0.95)) for name, each in seen.items()}
