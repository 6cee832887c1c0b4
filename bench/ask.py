"""``python -m bench.ask --requests N --concurrency C``: what an answer costs beyond the time of the models.

Asks the ask function in Lambda environments, each a process that is warm and answers one question at a time, of an
index as ``bench.search --prepare`` makes it. A server in a process of its own plays the models: each call takes a fixed
time, measured there from the call's first line to its reply. Overhead is the time from event to response less that of
the calls that the question led to. With bench/peers/.venv, LangChain's retrieval chain and LlamaIndex's query engine
answer the same questions from the same passages, in turns of some questions. Prints one JSON line, times in ms.

overhead_p50_ms, overhead_p95_ms      of the ask function, to questions that it has not yet answered
whole_p50_ms, model_p50_ms, steps     of the same requests, and p50 of each of its ``timings_ms``
cache_hit_p50_ms, cache_hits          whole time of the same questions asked again, of those with ``cache`` "hit"
langchain_p50_ms, llamaindex_p50_ms   their overhead, and p95; ..._whole_p50_ms
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from bench.ask_clients import Asked, Client, FunctionClient, PeerClient, System
from bench.ask_index import prepared_index
from bench.ask_models import Latency, plain, start_models
from bench.machine import machine_on
from bench.peers.comparison import PYTHON
from bench.ranking import percentile
from bench.search import HOME
from bench.search_filling import INDEX, MODELS, PLAIN
from bench.search_measures import read_questions
from bench.search_texts import GIANT
from bench.served_ask import ask_configuration
from local.postgres import Postgres

OWN = "bucketwise"
PEERS = {"langchain": "langchain_chain", "llamaindex": "llamaindex_engine"}
WARM_UP = 10  # questions to each process
TURN = 10  # questions to each process before the next system's turn
SECONDS = 28.5
PASSAGES = 8  # as many as the ask function takes by default
EF_SEARCH = 40  # pgvector's default, and so the peers'


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ask", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--index", type=Path, default=HOME, metavar="DIR", help="below which bench.search prepares it")
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--texts", type=Path, help="what to prepare it from if it is not there; else texts are made up")
    parser.add_argument("--embed-ms", type=float, default=20.0)
    parser.add_argument("--chat-ms", type=float, default=200.0)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=PYTHON.exists())
    parser.add_argument(
        "--ef-search",
        type=int,
        default=EF_SEARCH,
        help="of the peers; with bench.search's raw_ef_search they find as much",
    )
    options = parser.parse_args()
    home = options.index / str(options.chunks)
    prepared = prepared_index(home, options.chunks, options.texts)
    latency = Latency(options.embed_ms, options.chat_ms)
    warm_up, asked = _questions(home, options.requests)
    ef_search = options.ef_search if options.peers else None
    with running(home, latency, options.concurrency, ef_search=ef_search) as systems:
        measured = measure(systems, warm_up, asked, options.concurrency)
    about = {"chunks": prepared.chunks, "requests": options.requests, "concurrency": options.concurrency}
    about |= {"model_ms": {"embed": latency.embed_ms, "chat": latency.chat_ms}, "peers_ef_search": ef_search}
    about |= {"cpus": os.cpu_count()}
    print(json.dumps(about | measured))
    return 0


def _questions(home: Path, count: int) -> tuple[list[str], list[str]]:
    """Those to warm up with, and so many others; no two are the same."""
    distinct = list({plain(question.text): question.text for question in read_questions(home)}.values())
    if len(distinct) < WARM_UP + count:
        raise SystemExit(f"there are only {len(distinct)} questions: prepare with more --questions")
    return distinct[:WARM_UP], distinct[WARM_UP : WARM_UP + count]


@contextmanager
def running(home: Path, latency: Latency, concurrency: int, *, ef_search: int | None) -> Iterator[dict[str, System]]:
    """The systems by name, on one PostgreSQL and one server of models. ``ef_search``: of the peers; None: without."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # boto3 wants one, though S3 is not asked
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bucketwise-bench-")))
        postgres = stack.enter_context(Postgres.start(home / "postgres", durable=False))
        models = stack.enter_context(start_models(home / "questions.npz", latency)).read_ready()["url"]
        database_url = machine_on(postgres, MODELS, name=INDEX).ask.database_url.get_secret_value()
        # Answers that an earlier run has left in the index are another model's; vectors of questions are deleted.
        with psycopg.connect(postgres.dsn("postgres", INDEX), autocommit=True) as superuser:
            superuser.execute("DELETE FROM bucketwise.cached_questions")
        given = MODELS | {"DATABASE_URL": database_url, "TENANT": GIANT, "ANSWER_MODEL": f"bench-{uuid4().hex[:8]}"}
        # As a superuser, because both want to make sure of the extension.
        place = postgres.dsn("postgres", PLAIN).removeprefix("postgresql://")

        def start(name: str, url: str) -> Client:
            log_file = folder / f"{name}.log"
            if name == OWN:
                settings = given | {"OPENAI_BASE_URL": f"{url}/v1"}
                return FunctionClient(ask_configuration(settings, log_file=log_file, seconds=SECONDS))
            arguments = ["--place", place, "--models", f"{url}/v1"]
            arguments += ["--limit", str(PASSAGES), "--ef-search", str(ef_search)]
            return PeerClient(PEERS[name], arguments, home=folder, log_file=log_file)

        systems = {}
        for name in (OWN, *(PEERS if ef_search is not None else ())):
            urls = [f"{models}/{name}-{number}" for number in range(concurrency)]
            systems[name] = System({url: start(name, url) for url in urls})
            stack.callback(systems[name].stop)
        yield systems


def measure(
    systems: Mapping[str, System], warm_up: Sequence[str], questions: Sequence[str], concurrency: int
) -> dict[str, object]:
    _progress("warming up")
    for system in systems.values():
        system.ask_everyone(warm_up)
    asked: dict[str, list[Asked]] = {name: [] for name in systems}
    again: list[Asked] = []
    for start in range(0, len(questions), TURN * concurrency):
        turn = questions[start : start + TURN * concurrency]
        for name, system in systems.items():
            asked[name] += system.ask(turn)
        again += systems[OWN].ask(turn)
        _progress(f"{start + len(turn)} of {len(questions)}")
    return _own(asked.pop(OWN), again) | {
        name: value for peer in PEERS for name, value in _peer(peer, asked.get(peer, [])).items()
    }


def _own(asked: Sequence[Asked], again: Sequence[Asked]) -> dict[str, object]:
    hits = [each.whole_ms for each in again if each.body.get("cache") == "hit"]
    overheads = [each.overhead_ms for each in asked]
    steps = asked[0].body["timings_ms"]
    return {
        "overhead_p50_ms": _percentile(overheads, 0.5),
        "overhead_p95_ms": _percentile(overheads, 0.95),
        "cache_hit_p50_ms": _percentile(hits, 0.5),
        "cache_hit_p95_ms": _percentile(hits, 0.95),
        "cache_hits": len(hits),
        "answered": sum(each.body["answered"] for each in asked),
        "whole_p50_ms": _percentile([each.whole_ms for each in asked], 0.5),
        "model_p50_ms": _percentile([each.model_ms for each in asked], 0.5),
        "steps": {step: _percentile([each.body["timings_ms"][step] for each in asked], 0.5) for step in steps},
    }


def _peer(name: str, asked: Sequence[Asked]) -> dict[str, object]:
    overheads = [each.overhead_ms for each in asked]
    return {
        f"{name}_p50_ms": _percentile(overheads, 0.5),
        f"{name}_p95_ms": _percentile(overheads, 0.95),
        f"{name}_whole_p50_ms": _percentile([each.whole_ms for each in asked], 0.5),
    }


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(percentile(values, share), 1) if values else None


def _progress(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
