"""``python -m bench.isolation --probes N``: whether a tenant's search ever finds what is another's.

Fills an index with six tenants, of which the largest has thousands of chunks and the least none, with the same keys and
mostly the same texts. Then asks at random: words, vectors, filters, limits and tenants, over connections that all
tenants share. Prints one JSON line, and fails if a row was not the asking tenant's own; progress goes to stderr.

probes         searches as the ask function makes them, each of one random query
leaks          rows that are not as the asking tenant stored them, or figures that are not its own
wrong_counts   answers with more or fewer rows than there are for them
listings       pages of documents, single ones and whole texts of some, checked in the same way
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import psycopg

from bench.isolation_probes import Findings, Prober
from bench.isolation_tenants import DIMENSIONS, Tenant, fill, make_tenants
from bench.machine import Machine, machine_on
from bucketwise.database import connect
from bucketwise.deadline import Deadline
from bucketwise.settings import Settings
from local.postgres import Postgres

GIANT_DOCUMENTS = 600
SLICE = 1000  # probes
PROGRESS_SECONDS = 60.0
VERSIONS = "SELECT tenant, sum(delta)::bigint FROM bucketwise.corpus_changes GROUP BY tenant"

_probers: list[Prober] = []


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.isolation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--probes", type=int, default=10_000)
    parser.add_argument("--giant-documents", type=int, default=GIANT_DOCUMENTS, help="of five chunks each")
    parser.add_argument("--vector-index", choices=("halfvec", "binary"), default="halfvec")
    parser.add_argument("--connections", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    began = perf_counter()
    tenants = make_tenants(options.giant_documents)
    with (
        tempfile.TemporaryDirectory(prefix="bucketwise-bench-") as folder,
        Postgres.start(Path(folder) / "postgres", durable=False) as postgres,
    ):
        machine = isolation_machine(postgres, options.vector_index)
        fill(machine.ingest, tenants)
        versions = corpus_versions(postgres.dsn("bucketwise_migrate", "isolation"), tenants)
        filled = perf_counter()
        found = _probe(machine.ask, options, versions)
        measured = (
            summary(found)
            | {"tenants": {tenant.name: len(tenant.chunks) for tenant in tenants}}
            | {"connections": options.connections, "vector_index": options.vector_index, "seed": options.seed}
            | {"fill_s": round(filled - began, 1), "probes_s": round(perf_counter() - filled, 1)}
        )
    print(json.dumps(measured), flush=True)
    return 1 if found.leaks or found.wrong_counts else 0


def isolation_machine(postgres: Postgres, vector_index: str) -> Machine:
    models = {
        "OPENAI_API_KEY": "none",
        "EMBEDDING_MODEL": "made-up",
        "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        "VECTOR_INDEX": vector_index,
    }
    return machine_on(postgres, models, name="isolation")


def corpus_versions(owner: str, tenants: list[Tenant]) -> dict[str, int]:
    """Summed up without the functions that are asked."""
    with psycopg.connect(owner) as connection:
        held: dict[str, int] = dict(connection.execute(VERSIONS).fetchall())
    return {tenant.name: held.get(tenant.name, 0) for tenant in tenants}


def summary(found: Findings) -> dict[str, object]:
    return {
        "probes": found.probes,
        "leaks": found.leaks,
        "wrong_counts": found.wrong_counts,
        "rows": found.rows,
        "listings": found.listings,
        "kinds": dict(sorted(found.kinds.items())),
        "examples": found.examples,
    }


def _probe(settings: Settings, options: argparse.Namespace, versions: dict[str, int]) -> Findings:
    sizes = [min(SLICE, options.probes - start) for start in range(0, options.probes, SLICE)]
    seeds = [f"{options.seed} {number}" for number in range(len(sizes))]
    found = Findings(kinds=Counter())
    told = perf_counter()
    with ProcessPoolExecutor(
        options.connections,
        multiprocessing.get_context("spawn"),
        initializer=_open,
        initargs=(settings, options.giant_documents, versions),
    ) as pool:
        for part in pool.map(_run, sizes, seeds):
            found += part
            if perf_counter() - told > PROGRESS_SECONDS:
                told = perf_counter()
                print(json.dumps(summary(found)), file=sys.stderr, flush=True)
    return found


def _open(settings: Settings, giant_documents: int, versions: dict[str, int]) -> None:
    """One connection for all that this process will ask."""
    _probers.append(Prober(make_tenants(giant_documents), versions, connect(settings, Deadline.after(60))))


def _run(probes: int, seed: str) -> Findings:
    return _probers[0].run(probes, seed=seed)


if __name__ == "__main__":
    raise SystemExit(main())
