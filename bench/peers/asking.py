"""What the programs of this package share: their arguments, and how they are asked."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 1536


@dataclass(frozen=True, slots=True)
class Task:
    """``place`` is ``host:port/database`` with a user before it; the first ``warm_up`` questions are not timed."""

    place: str
    texts: list[str]
    vectors: list[list[float]]
    warm_up: int
    limit: int
    ef_search: int


@dataclass(frozen=True, slots=True)
class Service:
    """``place`` as in a Task; ``models`` is the URL of a server with OpenAI's API."""

    place: str
    models: str
    limit: int
    ef_search: int


def read_service(arguments: Sequence[str] | None = None) -> Service:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--place", "--models"):
        parser.add_argument(name, required=True)
    for name in ("--limit", "--ef-search"):
        parser.add_argument(name, type=int, required=True)
    return Service(**vars(parser.parse_args(arguments)))


def serve(answer: Callable[[str], str]) -> None:
    """After a first line, ``{}``, prints the answer to each line of stdin, a question; both are JSON."""
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def read_task(arguments: Sequence[str] | None = None) -> Task:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--place", required=True)
    parser.add_argument("--questions", type=Path, required=True, help="as bench.search keeps them")
    for name in ("--warm-up", "--limit", "--ef-search"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args(arguments)
    kept: dict[str, NDArray[Any]] = dict(np.load(options.questions))
    return Task(
        options.place,
        kept["texts"].tolist(),
        kept["vectors"].tolist(),
        options.warm_up,
        options.limit,
        options.ef_search,
    )


def answer(task: Task, search: Callable[[str, list[float]], int]) -> None:
    """Prints the milliseconds of each question. ``search`` returns the number of passages."""
    milliseconds: list[float] = []
    found: list[int] = []
    for text, vector in zip(task.texts, task.vectors, strict=True):
        began = perf_counter()
        found.append(search(text, vector))
        milliseconds.append((perf_counter() - began) * 1000)
    print(json.dumps({"milliseconds": milliseconds[task.warm_up :], "found": found[task.warm_up :]}), flush=True)
