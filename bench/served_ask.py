"""The ask function behind an HTTP gateway, in processes of its own, on a machine's index."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import CODE
from local.api import Api
from local.environment import Configuration
from local.function import Function
from local.function_settings import lambda_environment
from local.gateway import Gateway

NOT_ASKED = "http://127.0.0.1:9"  # of AWS's services ask needs none to answer


@contextmanager
def served_ask(settings: Mapping[str, str], *, log_file: Path, seconds: float, environments: int = 1) -> Iterator[Api]:
    """``seconds`` is the time limit of an invocation, from which ask takes its deadline."""
    configuration = ask_configuration(settings, log_file=log_file, seconds=seconds)
    with Function(configuration, concurrency=environments) as function:
        gateway = Gateway(function)
        gateway.start()
        try:
            yield Api(gateway.url)
        finally:
            gateway.stop()


def ask_configuration(settings: Mapping[str, str], *, log_file: Path, seconds: float) -> Configuration:
    return Configuration(
        name="bucketwise-ask",
        handler="ask.handler.lambda_handler",
        log_file=log_file,
        variables={"BUCKET": "bench", **settings, **lambda_environment(storage_url=NOT_ASKED)},
        paths=CODE,
        timeout_seconds=seconds,
        memory_mb=1769,
    )


def timed_ask(api: Api, question: str) -> tuple[float, int, dict[str, object]]:
    """Seconds, status and body of ``POST /ask``."""
    began = time.perf_counter()
    reply = api.post("/ask", {"question": question})
    return time.perf_counter() - began, reply.status, reply.body
