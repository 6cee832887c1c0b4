"""``python -m bench.ingest [--chunks N]``: how quick ingest is, in proportion to PostgreSQL's own COPY.

Texts of about 800 characters, all different, go through the ingest pipeline, the OpenAI SDK and HTTP into real
PostgreSQL. Prints one JSON line; progress goes to stderr.

chunks_per_s         one pipeline, a model's server that answers at once
copy_chunks_per_s    binary COPY of the same rows into the same tables and indexes
ratio                the first in proportion to the second
halfvec_ratio        the first in proportion to COPY of the vectors alone into a table with an HNSW index over halfvec
latency_ratio        time with a model's server that takes 50 ms for each request, in proportion to one that takes none
searchable_p95_s     from upload to searchable: documents of 100 chunks, through S3, queue and handler of the local twin
memory_ratio         peak memory of ingesting a text ten times as large as another
scaling_8            chunks per second of 8 processes, in proportion to one
deadlocks            of all the above, and of 8 processes that bring the same texts at once
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.ingest_latency import seconds_to_searchable
from bench.ingest_memory import peak_megabytes
from bench.ingest_models import start_models
from bench.ingest_rates import measure_rates
from bench.ingest_texts import texts
from bench.ingest_workers import workers
from bench.machine import machine_on
from bench.ranking import percentile
from local.function_settings import with_defaults
from local.postgres import Postgres

DIMENSIONS = 1536
SETTINGS = {
    "OPENAI_API_KEY": "none",
    "EMBEDDING_MODEL": "text-embedding-3-small",
    "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
    "CHUNK_TOKENS": "330",  # of these texts about 800 characters
    "CHUNK_OVERLAP_TOKENS": "40",
    "AWS_DEFAULT_REGION": "us-east-1",  # boto3 wants one, though S3 is not asked
}
TUNABLE = ("EMBEDDING_BATCH_TOKENS", "EMBEDDING_CONCURRENCY", "VECTOR_INDEX")
MODEL_MS = 50.0
CHUNKS_OF_A_DOCUMENT = 1000
CHARACTERS_OF_A_CHUNK = 810
WORKERS = 8
FEW_DIMENSIONS = {"EMBEDDING_DIMENSIONS": "8"}
"""For the large texts, which would take an hour with whole vectors."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chunks", type=int, default=20_000, help="for the rates; scaling takes a third of them")
    parser.add_argument("--uploads", type=int, default=40, help="to measure the time to searchable")
    parser.add_argument("--megabytes", type=int, default=50, help="of the larger text")
    options = parser.parse_args()
    os.environ["AWS_DEFAULT_REGION"] = SETTINGS["AWS_DEFAULT_REGION"]
    with tempfile.TemporaryDirectory(prefix="bucketwise-bench-") as folder:
        print(json.dumps(measure(Path(folder), options.chunks, options.uploads, options.megabytes)), flush=True)
    return 0


def measure(home: Path, chunks: int, uploads: int, megabytes: int) -> dict[str, object]:
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres.start(home / "postgres", durable=False))
        quick, slow = (
            SETTINGS
            | {name: os.environ[name] for name in TUNABLE if os.environ.get(name)}
            | {"OPENAI_BASE_URL": stack.enter_context(start_models(latency)).read_ready()["url"]}
            for latency in (0.0, MODEL_MS)
        )
        _progress("rates")
        rates = measure_rates(postgres, quick, slow, _documents(chunks, seed=1), DIMENSIONS)
        _progress("workers")
        scaling = _scaling(postgres, quick, max(WORKERS, chunks // 3))
        _progress("memory")
        memory = _memory(postgres, quick, home, megabytes)
        deadlocks = _deadlocks(postgres)
    with start_models(MODEL_MS) as models:
        _progress("uploads")
        small = texts(count=uploads + 1, characters=100 * CHARACTERS_OF_A_CHUNK, seed=4)
        seconds = seconds_to_searchable(home / "twin", slow | {"OPENAI_BASE_URL": models.read_ready()["url"]}, small)
    used = with_defaults(quick)
    return {
        "chunks": rates.pipeline.chunks,
        "chunks_per_s": round(rates.pipeline.rate, 1),
        "copy_chunks_per_s": round(rates.copy.rate, 1),
        "ratio": round(rates.pipeline.rate / rates.copy.rate, 3),
        "halfvec_ratio": round(rates.pipeline.rate / rates.halfvec.rate, 2),
        "latency_ratio": round(rates.pipeline.rate / rates.slow.rate, 3),
        "searchable_p95_s": round(percentile(seconds, 0.95), 3),
        "memory_ratio": round(memory, 2),
        "scaling_8": round(scaling, 2),
        "deadlocks": deadlocks,
        "settings": {
            "dimensions": used.embedding_dimensions,
            "vector_index": used.vector_index,
            "chunk_tokens": used.chunk_tokens,
            "batch_tokens": used.embedding_batch_tokens,
            "concurrency": used.embedding_concurrency,
        },
        "cpus": os.cpu_count(),
    }


def _documents(chunks: int, *, seed: int) -> list[str]:
    """So many chunks, about, in documents of about a thousand."""
    documents = max(1, round(chunks / CHUNKS_OF_A_DOCUMENT))
    return list(texts(count=documents, characters=chunks * CHARACTERS_OF_A_CHUNK // documents, seed=seed))


def _scaling(postgres: Postgres, models: dict[str, str], chunks: int) -> float:
    """The single process works before and after the eight, as a machine's speed drifts."""
    each = chunks * CHARACTERS_OF_A_CHUNK // (2 * WORKERS)
    objects = {f"{number}.txt": text for number, text in enumerate(texts(count=2 * WORKERS, characters=each, seed=2))}
    halves = [dict(list(objects.items())[start::2]) for start in (0, 1)]
    one, eight = (machine_on(postgres, models, name=name).ingest for name in ("one", "eight"))
    with workers(1) as alone, workers(WORKERS) as many:
        before = alone.ingest(one, halves[0])
        together = many.ingest(eight, objects)
        after = alone.ingest(one, halves[1])
        [same] = texts(count=1, characters=each, seed=3)
        many.ingest(eight, {f"same {number}.txt": same for number in range(WORKERS)})
    return together.rate * (before.seconds + after.seconds) / (before.chunks + after.chunks)


def _memory(postgres: Postgres, models: dict[str, str], home: Path, megabytes: int) -> float:
    file = home / "large.txt"
    peaks: list[float] = []
    for number, size in enumerate((megabytes / 10, megabytes)):
        with file.open("w", encoding="utf-8") as written:
            for text in texts(count=10, characters=int(size * 100_000), seed=10 + number):
                written.write(f"{text}\n\n")
        given = models | FEW_DIMENSIONS
        index = machine_on(postgres, given, name=f"memory_{number}").ingest
        peaks.append(peak_megabytes(given | {"DATABASE_URL": index.database_url.get_secret_value()}, file))
        _progress(f"memory: {peaks[-1]:.0f} MB for {size:g} MB")
    return peaks[1] / peaks[0]


def _deadlocks(postgres: Postgres) -> int:
    with psycopg.connect(postgres.superuser_dsn) as connection:
        row = connection.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()
    return int(row[0]) if row else 0


def _progress(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
