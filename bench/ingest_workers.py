"""Ingest by processes that each hold a pipeline and a connection, as Lambda's environments do."""

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier
from time import perf_counter

from bench.ingest_rates import Series, ingest, warm_up_text
from bench.machine import Machine, QuietTelemetry
from bench.memory_bucket import MemoryBucket
from bucketwise.settings import Settings

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """``began`` and ``ended`` are of a clock that all processes of a machine share."""

    chunks: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Workers:
    count: int
    pool: ProcessPoolExecutor
    ready: Barrier

    def ingest(self, settings: Settings, objects: Mapping[str, str]) -> Series:
        """Documents are dealt out beforehand; the time is from the first one's beginning to the last one's end."""
        keys = list(objects)
        shares = [{key: objects[key] for key in keys[worker :: self.count]} for worker in range(self.count)]
        tasks = [self.pool.submit(_ingest_share, settings, share, self.ready) for share in shares]
        done = [task.result() for task in tasks]
        seconds = max(share.ended for share in done) - min(share.began for share in done)
        return Series(sum(share.chunks for share in done), seconds)


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """So many processes, which wait for each other before each start."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(count, context) as pool:
        yield Workers(count, pool, manager.Barrier(count, timeout=START_SECONDS))


def _ingest_share(settings: Settings, objects: dict[str, str], ready: Barrier) -> Done:
    warm_up = f"warm-up of {min(objects)}"
    bucket = MemoryBucket({**objects, warm_up: warm_up_text()})
    pipeline = Machine(settings, settings, QuietTelemetry("bench")).ingest_pipeline(bucket)
    ingest(pipeline, warm_up)
    ready.wait()
    began = perf_counter()
    chunks = sum(ingest(pipeline, key) for key in objects)
    return Done(chunks, began, perf_counter())
