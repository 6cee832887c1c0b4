"""``python -m bench.search --prepare|--run [DIR] --chunks N``: how quick search is in an index of so many chunks.

``--prepare`` fills an index with chunks of the real texts in ``--texts`` (folders ``beir`` and ``cuad``) and vectors
in clusters, of 20 tenants of which one has nine tenths of all. It stays on disk for any number of runs. ``--run``
prints one JSON line, or with ``--plans`` how PostgreSQL carries out a search's statements; progress goes to stderr.
Times are in ms and of the giant tenant, as the ask function searches.

hybrid_p95_ms, vector_p95_ms, keyword_p95_ms   and p50, p99
recall@10            of the vector leg, against vectors compared one by one
raw_vector_p95_ms    one SELECT of ids from a plain table with an HNSW index over halfvec, with as high a recall@10
keyword_overlap@10   of the keyword leg with the ranking for which each chunk is scored
filters              by metadata and by prefix, that 10 %, 1 %, 0.1 % and one of the chunks pass: the least of
                     rows found / rows there (at most as many as were asked for), and p95
small_tenant         the same for a small tenant, on the connection that the giant one had
langchain_p95_ms, llamaindex_p95_ms   with ``--peers`` (bench/peers/README.md): their own hybrid search
"""

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from bench.peers.comparison import measure_peers
from bench.search_filling import QUESTIONS, Prepared, prepare
from bench.search_measures import measure, read_questions
from bench.search_plans import print_plans
from local import ROOT
from local.postgres import Postgres

HOME = ROOT / ".bucketwise" / "bench-search"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prepare", type=Path, nargs="?", const=HOME, metavar="DIR", help="fill an index below DIR")
    what.add_argument("--run", type=Path, nargs="?", const=HOME, metavar="DIR", help="measure the one that is there")
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--texts", type=Path, help="for --prepare: the folder with beir/ and cuad/")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="for --prepare: how many are asked")
    parser.add_argument("--plans", action="store_true", help="for --run: print how PostgreSQL searches, and no more")
    parser.add_argument("--peers", action="store_true", help="for --run: LangChain's and LlamaIndex's stores as well")
    options = parser.parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    home: Path = (options.prepare or options.run) / str(options.chunks)
    if options.prepare:
        if options.texts is None:
            parser.error("--prepare needs --texts")
        if home.exists():
            shutil.rmtree(home)
        home.mkdir(parents=True)
        print(json.dumps(asdict(prepare(home, options.texts, options.chunks, options.questions))), flush=True)
        return 0
    prepared = Prepared.read(home)
    with Postgres.start(home / "postgres", durable=False) as postgres:
        if options.plans:
            print_plans(postgres, read_questions(home)[0])
            return 0
        measured = measure(postgres, home, prepared)
        if options.peers:
            print("peers", file=sys.stderr)
            measured |= measure_peers(postgres, home, ef_search=int(str(measured["raw_ef_search"])))
    print(json.dumps(measured), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
