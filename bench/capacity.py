"""``python -m bench.capacity [--steps FILE | --measure] [--ask-concurrency N ...]``: what a stack carries, computed.

From what single steps cost (``bench/capacity_steps.json``, recorded from the figures in docs/; with ``--steps`` another
file of that form, with ``--measure`` measured now on the twin) and from limits of AWS and of the models: how many
documents a day and questions a second each part carries by itself, what the first limit is and what comes next, how
long answers take under load (simulated), and what an index of up to 100 million chunks takes. Prints one JSON line;
``--tables`` prints the tables of docs/scaling.md instead. Three stacks are computed, unless settings are given: then
that one.

recorded, steps  what was computed with, each with its source: all that ``--steps`` reads
stacks           of each: settings; documents_a_day and questions_a_second, least first; simulated; room (used, most)
growth           by the number of chunks: memory, clusters, storage, dollars, days to fill
groups           100 million chunks in so many groups of tenants, each with a stack of its own
limits           quotas and the template's own bounds, each with its source
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from bench.capacity_bounds import (
    Bound,
    Settings,
    ask_at,
    chunks_in_memory,
    connections,
    documents_a_day,
    questions_a_second,
    saturation,
    with_readers,
)
from bench.capacity_growth import groups, growth
from bench.capacity_limits import LIMITS, limit
from bench.capacity_queue import Observed
from bench.capacity_steps import RECORDED, Steps
from bench.capacity_tables import tables

READERS = (0, 1, 3, 15)  # beside the writer
USABLE_SHARE = 0.7  # of the connections, see the template's DatabaseParameters
AS_DEPLOYED = Settings("as deployed")
# A minute's limits of the models: OpenAI's tiers 1, 3 and 5 for gpt-4.1-mini and text-embedding-3-small, as published
# when this was written. Yours are on the page "Limits" of your account.
STACKS = (
    AS_DEPLOYED,
    replace(
        AS_DEPLOYED, name="larger", ask_concurrency=100, ingest_concurrency=20, acu=16, chunks=1_000_000,
        embedding_tpm=5_000_000, embedding_rpm=5_000, answer_tpm=4_000_000, answer_rpm=5_000,
    ),
    replace(
        AS_DEPLOYED, name="largest", ask_concurrency=200, ingest_concurrency=75, acu=64, chunks=10_000_000,
        embedding_tpm=10_000_000, embedding_rpm=10_000, answer_tpm=150_000_000, answer_rpm=30_000,
    ),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=Path, default=RECORDED, metavar="FILE")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--measured-chunks", type=int, default=2000)
    parser.add_argument("--tables", action="store_true", help="print Markdown")
    for field in fields(Settings)[1:]:
        kind = type(getattr(AS_DEPLOYED, field.name))
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, dest=field.name)
    options = parser.parse_args(arguments)
    if options.measure:
        from bench.capacity_measure import measure_steps  # starts servers, which nothing else here needs

        recorded = measure_steps(options.measured_chunks)
    else:
        recorded = json.loads(options.steps.read_text(encoding="utf-8"))
    if options.cached_share is not None and not 0 <= options.cached_share < 1:
        parser.error("--cached-share is at least 0 and below 1")
    given = {name: value for name in Settings.__slots__[1:] if (value := getattr(options, name)) is not None}
    stacks = [replace(AS_DEPLOYED, name="as given", **given)] if given else STACKS
    computed = report(recorded, stacks)
    print("\n\n".join(tables(computed).values()) if options.tables else json.dumps(computed))
    return 0


def report(recorded: Mapping[str, Any], stacks: Sequence[Settings] = STACKS) -> dict[str, Any]:
    """``recorded``: as bench/capacity_steps.json has it. Numbers have three digits."""
    steps = Steps.of(recorded["steps"])
    return {
        "recorded": recorded["recorded"],
        "steps": dict(recorded["steps"]),
        "stacks": [_stack(given, steps) for given in stacks],
        "growth": [_rounded(each) for each in growth(steps, STACKS[-1])],
        "groups": [_rounded(each) for each in groups(steps)],
        "limits": {name: asdict(each) for name, each in LIMITS.items()},
    }


def _stack(given: Settings, steps: Steps) -> dict[str, Any]:
    full = saturation(given, steps)
    return {
        "settings": asdict(given),
        "documents_a_day": _bounds(documents_a_day(given, steps)),
        "questions_a_second": _bounds(questions_a_second(given, steps)),
        "simulated": {
            "saturation": _digits(full),
            "half": _seen(ask_at(full / 2, given, steps)),
            "full": _seen(ask_at(full, given, steps)),
        },
        "database_readers": {str(more): _digits(with_readers(given, steps, more)) for more in READERS},
        "room": {
            "chunks in memory": [given.chunks, _digits(chunks_in_memory(given.acu, steps))],
            "connections": [connections(given), USABLE_SHARE * limit("PostgreSQL, connections")],
            "environments": [
                given.ask_concurrency + given.ingest_concurrency,
                limit("Lambda, concurrent executions of an account"),
            ],
            "messages in flight": [given.ingest_concurrency, limit("SQS, messages in flight")],
        },
    }


def _bounds(bounds: Sequence[Bound]) -> list[dict[str, Any]]:
    return [{"what": bound.what, "value": _digits(bound.value)} for bound in bounds]


def _seen(observed: Observed) -> dict[str, float]:
    return _rounded({
        "p50_s": observed.p(0.5),
        "p95_s": observed.p(0.95),
        "refused": observed.refused,
        "database_busy": observed.database_busy,
    })  # fmt: skip


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value if isinstance(value, int) else _digits(value) for name, value in values.items()}


def _digits(value: float, digits: int = 3) -> float:
    return round(value, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
