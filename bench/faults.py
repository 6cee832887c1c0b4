"""``python -m bench.faults [--requests N] [--share S]``: what callers get while models fail by chance.

Questions go over HTTP to the ask function, in processes of its own, with a reranker at an endpoint. Of all calls to
models (embedding, reranking, answering) a share fails, each in one of these ways with the same chance: status 429,
with and without Retry-After, 500 or 503, a hang, a connection cut in the middle of the reply, a page of HTML, an empty
object. The rest are answered at once.

An invocation has SECONDS instead of the 29 that it has in a stack, so that a hang, which lasts longer than any
deadline, costs less time to measure. Ask's deadline follows from it: the invocation's end less half a second. Prints
one JSON line; progress goes to stderr.

answered       replies with an answer that was made with all models
degraded       replies with what there is without a model that failed: the passages, or an answer without its help
unanswered     replies that say, with all models, that there is no answer
problems       problem documents by type; untyped_500: replies of a status from 500 on that are none, or `internal`
share_ok       (answered + degraded) / requests
over_deadline  replies that came later than SECONDS
"""

import argparse
import json
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import machine_on
from bench.memory_bucket import MemoryBucket
from bench.retrieval import ingest
from bench.served_ask import served_ask, timed_ask
from local.api import Api
from local.function_settings import model_settings
from local.model_server.api import ModelApi
from local.model_server.embeddings import Embedder
from local.model_server.faults import Fault, Faults, Route, read_fault
from local.model_server.server import ModelServer
from local.postgres import Postgres

SECONDS = 6.0
ENVIRONMENTS = 4
HANG_SECONDS = 120.0
KINDS: tuple[Mapping[str, Any], ...] = (
    {"status": 429, "retry_after": 0.2},
    {"status": 429, "retry_after": 60},
    {"status": 429},
    {"status": 500},
    {"status": 503, "retry_after": 0.5},
    {"kind": "hang", "seconds": HANG_SECONDS},
    {"kind": "cut"},
    {"kind": "garbage"},
    {"kind": "empty"},
)
TOPICS = {
    "leave": ("annual leave of shore staff", "{} days"),
    "ferry": ("departures of the night ferry", "{} times a week"),
    "gate": ("visitors the harbour gate admits", "{} people an hour"),
    "crane": ("loads that the north crane lifts", "{} tonnes"),
    "pilot": ("hours that a pilot rests between ships", "{} hours"),
    "berth": ("length of the berth for tankers", "{} metres"),
}


class FaultsByChance(Faults):
    """Each call fails with the chance ``share``; nobody needs to ask for it."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share = share
        self.calls = 0
        self.failed = 0
        self._chance = random.Random(seed)
        self._counting = threading.Lock()

    def take(self, route: Route) -> Fault | None:
        with self._counting:
            self.calls += 1
            if self._chance.random() >= self.share:
                return None
            self.failed += 1
            return read_fault({"route": route, **self._chance.choice(KINDS)})


@dataclass(frozen=True, slots=True)
class Asked:
    """``kind``: answered, degraded, unanswered, or what went wrong."""

    seconds: float
    kind: str


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--share", type=float, default=0.2, help="of the calls to models that fail")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bucketwise-faults-") as folder:
        measured = measure(Path(folder), options.requests, options.share, options.seed)
    print(json.dumps(measured))
    return 0


def measure(home: Path, requests: int, share: float, seed: int) -> dict[str, object]:
    faults = FaultsByChance(0.0, seed)
    with Postgres.start(home / "postgres", durable=False) as postgres, served_models(faults) as models:
        system = machine_on(postgres, settings_at(models))
        ingest(system, MemoryBucket(documents()), list(documents()))
        # What was answered before would be answered again without a model.
        uncached = {"ANSWER_CACHE_SECONDS": "0"}
        variables = {**settings_at(models), **uncached, "DATABASE_URL": system.ask.database_url.get_secret_value()}
        with served_ask(variables, log_file=home / "ask.log", seconds=SECONDS, environments=ENVIRONMENTS) as api:
            _ask_all(api, 4 * ENVIRONMENTS)  # all environments start, and connect
            faults.share, faults.calls = share, 0
            asked = _ask_all(api, requests)
    return summary(asked) | {"model_calls": faults.calls, "failed_calls": faults.failed}


def documents() -> dict[str, str]:
    return {
        f"{name}.md": f"# {name.title()}\n\nThe {what} are {much.format(number + 20)}. The port office keeps the list."
        for number, (name, (what, much)) in enumerate(TOPICS.items())
    }


def questions() -> list[str]:
    return [f"What are the {what}?" for what, _ in TOPICS.values()]


@contextmanager
def served_models(faults: Faults) -> Iterator[str]:
    """The local model server in this process; its URL. Calls that hang end with it."""
    stopped = threading.Event()
    with ModelServer(("127.0.0.1", 0), ModelApi(Embedder(), pause=stopped.wait, faults=faults)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.url
        stopped.set()
        server.shutdown()


def settings_at(models: str) -> dict[str, str]:
    """With passages of several documents above the floor, so that there is something to rerank."""
    return model_settings({"RERANK": "endpoint", "MIN_COSINE": "0"}, models)


def _ask_all(api: Api, requests: int) -> list[Asked]:
    known = questions()

    def ask(number: int) -> Asked:
        seconds, status, body = timed_ask(api, known[number % len(known)])
        return Asked(seconds, kind_of(status, body))

    done = []
    with ThreadPoolExecutor(ENVIRONMENTS) as pool:
        for asked in pool.map(ask, range(requests)):
            done.append(asked)
            if len(done) % 50 == 0:
                print(f"\rasked {len(done)}/{requests}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return done


def kind_of(status: int, body: Mapping[str, Any]) -> str:
    problem = str(body.get("type", "")).removeprefix("urn:bucketwise:problem:")
    if status != 200:
        return problem if problem and problem != "internal" else "untyped"
    if body["degraded"]:
        return "degraded"
    return "answered" if body["answered"] else "unanswered"


def summary(asked: list[Asked]) -> dict[str, object]:
    kinds = Counter(each.kind for each in asked)
    good = {name: kinds.pop(name, 0) for name in ("answered", "degraded", "unanswered")}
    untyped = kinds.pop("untyped", 0)
    seconds = [each.seconds for each in asked]
    return {
        "requests": len(asked),
        **good,
        "problems": dict(sorted(kinds.items())),
        "untyped_500": untyped,
        "share_ok": round((good["answered"] + good["degraded"]) / len(asked), 4),
        "over_deadline": sum(each > SECONDS for each in seconds),
        "seconds_allowed": SECONDS,
        "p50_s": round(median(seconds), 3),
        "slowest_s": round(max(seconds), 3),
    }


if __name__ == "__main__":
    raise SystemExit(main())
