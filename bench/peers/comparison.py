"""Runs the programs of this package in their own environment."""

import json
import os
import subprocess
from pathlib import Path
from statistics import fmean

from bench.ranking import percentile
from bench.search_filling import PASSAGES, PLAIN, WARM_UP
from local import ROOT
from local.postgres import Postgres

PYTHON = Path(__file__).parent / ".venv" / "bin" / "python"
PEERS = ("langchain", "llamaindex")


def measure_peers(postgres: Postgres, home: Path, *, ef_search: int) -> dict[str, object]:
    """``<peer>_p50_ms``, p95 and p99, and the mean number of passages found. The first time, they fill their tables.

    Raises SystemExit without their environment.
    """
    if not PYTHON.exists():
        raise SystemExit(f"{PYTHON} is missing: see bench/peers/README.md")
    # As a superuser, because both want to make sure of the extension.
    place = postgres.dsn("postgres", PLAIN).removeprefix("postgresql://")
    measured: dict[str, object] = {}
    for peer in PEERS:
        done = subprocess.run(
            [PYTHON, "-m", f"bench.peers.{peer}_store", "--place", place, "--questions", home / "questions.npz",
             "--warm-up", str(WARM_UP), "--limit", str(PASSAGES), "--ef-search", str(ef_search)],
            cwd=ROOT,
            env={"PATH": os.defpath, "HOME": str(home)},
            stdout=subprocess.PIPE,
            check=True,
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
        for share in (50, 95, 99):
            measured[f"{peer}_p{share}_ms"] = round(percentile(told["milliseconds"], share / 100), 1)
        measured[f"{peer}_found"] = round(fmean(told["found"]), 1)
    return measured
